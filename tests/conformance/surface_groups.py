"""Auto Scaling and EC2, driven in the account `group`: one group of six machines that a hook holds on their way out."""

ASG, EC2 = "autoscaling", "ec2"
GROUP = {"AutoScalingGroupName": "web"}
NO_GROUP = {"AutoScalingGroupName": "nowhere"}
INVALID = "ValidationError"
TOKEN = "not-a-token"
NO_INSTANCE = "i-0123456789abcdef0"
OLD, SPOT = "i-a1", "i-b1"

# Commands, their exit status, and something their output must have in it.
COMMANDS = (
    ("ecs list-clusters", 0, "cluster/group"),
    ("ecs describe-clusters --clusters group --query clusters[0].status --output text", 0, "ACTIVE"),
    ("ecs list-tasks --cluster group --page-size 2", 0, "task/group/"),
    ("ecs wait services-stable --cluster group --services web", 0, ""),
    ("ecs describe-services --cluster nowhere --services web", 255, "ClusterNotFoundException"),
    ("autoscaling describe-auto-scaling-groups --auto-scaling-group-names web --output table", 0, "autoScalingGroupName/web"),
    ("autoscaling set-desired-capacity --auto-scaling-group-name nowhere --desired-capacity 1", 255, "ValidationError"),
    ("ec2 describe-instances --filters Name=instance-state-name,Values=running --output text", 0, "INSTANCES"),
    ("ec2 describe-instances --instance-ids i-0123456789abcdef0", 255, "InvalidInstanceID.NotFound"),
    ("ec2 describe-launch-template-versions --launch-template-name web --versions $Latest", 0, "ami-0a2"),
    ("elbv2 describe-target-groups", 0, "TargetGroups"),
)


def drive(surface):
    reads(surface)
    tags(surface)
    hooks(surface)
    processes(surface)
    updates(surface)
    templates(surface)
    protection(surface)
    standby(surface)
    detachment(surface)
    sizes(surface)
    termination(surface)
    machines(surface)
    let_go(surface)


def reads(surface):
    surface.good(ASG, "DescribeAutoScalingGroups", **{"AutoScalingGroupNames": ["web"]})
    surface.good(ASG, "DescribeAutoScalingGroups", IncludeInstances=False)
    one_page(surface, ASG, "DescribeAutoScalingGroups")
    found = surface.good(ASG, "DescribeAutoScalingGroups", Filters=[{"Name": "tag:team", "Values": ["web"]}])
    surface.expect(ASG, "DescribeAutoScalingGroups", len(found["AutoScalingGroups"]) == 1, "the filter finds nothing")
    surface.bad(ASG, "DescribeAutoScalingGroups", INVALID, MaxRecords=101)
    surface.bad(ASG, "DescribeAutoScalingGroups", "InvalidNextToken", NextToken=TOKEN)
    surface.pages(ASG, "DescribeAutoScalingInstances", "AutoScalingInstances", 4)
    surface.good(ASG, "DescribeAutoScalingInstances", InstanceIds=[OLD])
    surface.bad(ASG, "DescribeAutoScalingInstances", INVALID, InstanceIds=[f"i-{it:017x}" for it in range(51)])
    surface.bad(ASG, "DescribeAutoScalingInstances", "InvalidNextToken", NextToken=TOKEN)
    for name in ("DescribeInstanceRefreshes", "DescribeScheduledActions", "DescribePolicies", "DescribeWarmPool"):
        surface.good(ASG, name, **GROUP)
        surface.bad(ASG, name, INVALID, **NO_GROUP)
        surface.bad(ASG, name, INVALID, MaxRecords=101, **GROUP)
        surface.bad(ASG, name, "InvalidNextToken", NextToken=TOKEN, **GROUP)
    one_page(surface, ASG, "DescribeScheduledActions", **GROUP)


def one_page(surface, service, name, **parameters):
    """Lets the paginator go through a list that has one entry at most."""
    client = surface.clients[service]
    method = next(key for key, value in client.meta.method_to_api_mapping.items() if value == name)
    surface.operations[f"{service}:{name}"].pages += len(list(client.get_paginator(method).paginate(**parameters)))


def tags(surface):
    tag = {"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "evenkeel:x", "Value": "1", "PropagateAtLaunch": False}
    surface.good(ASG, "CreateOrUpdateTags", Tags=[tag, {**tag, "Key": "other", "Value": ""}])
    surface.pages(ASG, "DescribeTags", "Tags", 1)
    shown = surface.good(ASG, "DescribeTags", Filters=[{"Name": "key", "Values": ["evenkeel:x"]}])["Tags"]
    surface.expect(ASG, "DescribeTags", shown == [tag], f"{shown} for the tag that was put")
    surface.bad(ASG, "DescribeTags", INVALID, MaxRecords=101)
    surface.bad(ASG, "DescribeTags", "InvalidNextToken", NextToken=TOKEN)
    surface.bad(ASG, "CreateOrUpdateTags", INVALID, Tags=[{**tag, "ResourceId": "nowhere"}])
    surface.bad(ASG, "CreateOrUpdateTags", INVALID, Tags=[{**tag, "Key": "aws:x"}])
    surface.good(ASG, "DeleteTags", Tags=[tag])
    surface.bad(ASG, "DeleteTags", INVALID, Tags=[{**tag, "ResourceId": "nowhere"}])


def hooks(surface):
    hook = {"LifecycleHookName": "more", **GROUP}
    surface.good(ASG, "PutLifecycleHook", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=60, DefaultResult="CONTINUE", NotificationMetadata="m", **hook)
    surface.good(ASG, "DescribeLifecycleHooks", **GROUP)
    surface.good(ASG, "DescribeLifecycleHooks", LifecycleHookNames=["drain"], **GROUP)
    surface.bad(ASG, "DescribeLifecycleHooks", INVALID, **NO_GROUP)
    surface.bad(ASG, "DescribeLifecycleHooks", INVALID)
    surface.bad(ASG, "PutLifecycleHook", INVALID, HeartbeatTimeout=10, **hook)
    surface.bad(ASG, "PutLifecycleHook", INVALID, LifecycleHookName="new", **GROUP)
    surface.bad(ASG, "PutLifecycleHook", INVALID, LifecycleHookName="x", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", **NO_GROUP)
    surface.good(ASG, "DeleteLifecycleHook", **hook)
    surface.bad(ASG, "DeleteLifecycleHook", INVALID, **hook)
    surface.bad(ASG, "DeleteLifecycleHook", INVALID, LifecycleHookName="x", **NO_GROUP)


def processes(surface):
    for name in ("SuspendProcesses", "ResumeProcesses"):
        surface.good(ASG, name, ScalingProcesses=["AZRebalance", "AlarmNotification"], **GROUP)
        surface.good(ASG, "DescribeAutoScalingGroups")
        surface.bad(ASG, name, INVALID, ScalingProcesses=["Sleep"], **GROUP)
        surface.bad(ASG, name, INVALID, **NO_GROUP)


def updates(surface):
    name = "UpdateAutoScalingGroup"
    surface.good(ASG, name, MaxSize=14, **GROUP)
    surface.good(ASG, name, DefaultCooldown=10, CapacityRebalance=True, NewInstancesProtectedFromScaleIn=False, TerminationPolicies=["OldestInstance"], **GROUP)
    surface.good(ASG, "DescribeAutoScalingGroups")
    surface.bad(ASG, name, INVALID, MaxSize=1, **NO_GROUP)
    surface.bad(ASG, name, INVALID, MinSize=20, **GROUP)
    surface.bad(ASG, name, INVALID, DesiredCapacity=99, **GROUP)
    surface.bad(ASG, name, INVALID, TerminationPolicies=["Loudest"], **GROUP)


def templates(surface):
    name = "DescribeLaunchTemplateVersions"
    surface.pages(EC2, name, "LaunchTemplateVersions", 1, LaunchTemplateName="web")
    for versions in (["$Latest"], ["$Default"], ["1", "2"]):
        surface.good(EC2, name, LaunchTemplateName="web", Versions=versions)
    surface.bad(EC2, name, "InvalidLaunchTemplateName.NotFoundException", LaunchTemplateName="nothing")
    surface.bad(EC2, name, "InvalidLaunchTemplateId.NotFound", LaunchTemplateId="lt-0123456789abcdef0")
    surface.bad(EC2, name, "InvalidLaunchTemplateId.VersionNotFound", LaunchTemplateName="web", Versions=["99"])


def protection(surface):
    name = "SetInstanceProtection"
    for is_protected in (True, False):
        surface.good(ASG, name, InstanceIds=[OLD], ProtectedFromScaleIn=is_protected, **GROUP)
        surface.good(ASG, "DescribeAutoScalingInstances", InstanceIds=[OLD])
    surface.bad(ASG, name, INVALID, InstanceIds=[NO_INSTANCE], ProtectedFromScaleIn=True, **GROUP)
    surface.bad(ASG, name, INVALID, InstanceIds=[], ProtectedFromScaleIn=True, **GROUP)
    surface.bad(ASG, name, INVALID, InstanceIds=[OLD] * 51, ProtectedFromScaleIn=True, **GROUP)
    surface.bad(ASG, name, INVALID, InstanceIds=[OLD], ProtectedFromScaleIn=True, **NO_GROUP)


def standby(surface):
    decrement = {"ShouldDecrementDesiredCapacity": True}
    surface.good(ASG, "EnterStandby", InstanceIds=[OLD], **decrement, **GROUP)
    surface.good(ASG, "DescribeScalingActivities", **GROUP)
    surface.simulator.advance(60)
    surface.good(ASG, "DescribeAutoScalingGroups")
    surface.good(ASG, "ExitStandby", InstanceIds=[OLD], **GROUP)
    surface.good(ASG, "DescribeAutoScalingInstances")
    surface.simulator.advance(60)
    for name, rest in (("EnterStandby", decrement), ("ExitStandby", {})):
        surface.bad(ASG, name, INVALID, InstanceIds=[NO_INSTANCE], **rest, **GROUP)
        surface.bad(ASG, name, INVALID, InstanceIds=[OLD], **rest, **NO_GROUP)
        surface.bad(ASG, name, INVALID, InstanceIds=[f"i-{it:017x}" for it in range(21)], **rest, **GROUP)
    surface.bad(ASG, "ExitStandby", INVALID, InstanceIds=[OLD], **GROUP)
    surface.bad(ASG, "EnterStandby", INVALID, InstanceIds=[OLD], **GROUP)


def detachment(surface):
    decrement = {"ShouldDecrementDesiredCapacity": True}
    surface.good(ASG, "DetachInstances", InstanceIds=[OLD], **decrement, **GROUP)
    surface.simulator.advance(60)
    surface.good(ASG, "AttachInstances", InstanceIds=[OLD], **GROUP)
    surface.simulator.advance(60)
    surface.bad(ASG, "DetachInstances", INVALID, InstanceIds=[NO_INSTANCE], **decrement, **GROUP)
    surface.bad(ASG, "DetachInstances", INVALID, InstanceIds=[f"i-{it:017x}" for it in range(21)], **decrement, **GROUP)
    surface.bad(ASG, "DetachInstances", INVALID, InstanceIds=[OLD], **decrement, **NO_GROUP)
    surface.bad(ASG, "DetachInstances", INVALID, InstanceIds=[OLD], **GROUP)
    surface.bad(ASG, "AttachInstances", INVALID, InstanceIds=[NO_INSTANCE], **GROUP)
    surface.bad(ASG, "AttachInstances", INVALID, InstanceIds=[OLD], **GROUP)
    surface.bad(ASG, "AttachInstances", INVALID, InstanceIds=[OLD], **NO_GROUP)


def sizes(surface):
    name = "SetDesiredCapacity"
    surface.good(ASG, name, DesiredCapacity=8, **GROUP)
    surface.good(ASG, "DescribeAutoScalingGroups")
    surface.simulator.advance(300)
    surface.good(ASG, "DescribeAutoScalingGroups")
    surface.pages(ASG, "DescribeScalingActivities", "Activities", 2, **GROUP)
    surface.bad(ASG, name, INVALID, DesiredCapacity=99, **GROUP)
    surface.bad(ASG, name, INVALID, DesiredCapacity=0, **GROUP)
    surface.bad(ASG, name, INVALID, DesiredCapacity=4, **NO_GROUP)
    surface.bad(ASG, name, INVALID, **GROUP)
    surface.bad(ASG, "DescribeScalingActivities", INVALID, **NO_GROUP)
    surface.bad(ASG, "DescribeScalingActivities", INVALID, MaxRecords=101, **GROUP)
    surface.bad(ASG, "DescribeScalingActivities", "InvalidNextToken", NextToken=TOKEN, **GROUP)


def termination(surface):
    name = "TerminateInstanceInAutoScalingGroup"
    decrement = {"ShouldDecrementDesiredCapacity": True}
    surface.good(ASG, name, InstanceId=OLD, **decrement)
    surface.good(ASG, name, InstanceIds=["i-c1", "i-a2"], ShouldDecrementDesiredCapacity=False, **GROUP)
    surface.simulator.advance(10)
    surface.good(ASG, "DescribeAutoScalingGroups")
    surface.bad(ASG, name, INVALID, InstanceId=NO_INSTANCE, **decrement)
    surface.bad(ASG, name, INVALID, InstanceId="i-b2")
    surface.bad(ASG, name, INVALID, InstanceId="i-b2", InstanceIds=["i-b2"], **decrement, **GROUP)
    surface.bad(ASG, name, INVALID, InstanceIds=["i-b2", NO_INSTANCE], **decrement, **GROUP)


def let_go(surface):
    """The hook `drain` holds what was terminated above."""
    held = [it["InstanceId"] for it in surface.good(ASG, "DescribeAutoScalingInstances")["AutoScalingInstances"] if it["LifecycleState"] == "Terminating:Wait"]
    surface.expect(ASG, "DescribeAutoScalingInstances", len(held) >= 2, f"the hook holds {held}")
    if not held:
        return
    for name, rest in (("RecordLifecycleActionHeartbeat", {}), ("CompleteLifecycleAction", {"LifecycleActionResult": "CONTINUE"})):
        hook = {"LifecycleHookName": "drain", **GROUP, **rest}
        surface.good(ASG, name, InstanceId=held[0], **hook)
        surface.bad(ASG, name, INVALID, InstanceId=NO_INSTANCE, **hook)
        surface.bad(ASG, name, INVALID, LifecycleActionToken="00000000-0000-4000-8000-000000000000", **hook)
        surface.bad(ASG, name, INVALID, InstanceId=held[1], **{**hook, "LifecycleHookName": "nothing"})
        surface.bad(ASG, name, INVALID, InstanceId=held[1], **{**hook, **NO_GROUP})
    surface.bad(ASG, "CompleteLifecycleAction", INVALID, InstanceId=held[1], LifecycleHookName="drain", LifecycleActionResult="PERHAPS", **GROUP)
    surface.simulator.advance(400)
    surface.good(ASG, "DescribeScalingActivities", **GROUP)
    surface.good(EC2, "DescribeInstances")


def machines(surface):
    surface.pages(EC2, "DescribeInstances", "Reservations", 5)
    surface.good(EC2, "DescribeInstances", InstanceIds=[OLD, SPOT])
    surface.good(EC2, "DescribeInstances", Filters=[{"Name": "tag:aws:autoscaling:groupName", "Values": ["web"]}, {"Name": "instance-lifecycle", "Values": ["spot"]}])
    surface.bad(EC2, "DescribeInstances", "InvalidInstanceID.NotFound", InstanceIds=[NO_INSTANCE])
    surface.bad(EC2, "DescribeInstances", "InvalidParameterValue", MaxResults=4)
    surface.bad(EC2, "DescribeInstances", "InvalidParameterCombination", MaxResults=5, InstanceIds=[OLD])
    surface.bad(EC2, "DescribeInstances", "InvalidParameterValue", Filters=[{"Name": "colour", "Values": ["blue"]}])
    surface.bad(EC2, "DescribeInstances", "InvalidNextToken", NextToken=TOKEN)
    surface.bad(EC2, "DescribeInstances", "DryRunOperation", DryRun=True)
    surface.bad(EC2, "TerminateInstances", "DryRunOperation", InstanceIds=["i-b2"], DryRun=True)
    surface.good(EC2, "TerminateInstances", InstanceIds=[SPOT])
    surface.bad(EC2, "TerminateInstances", "InvalidInstanceID.NotFound", InstanceIds=[NO_INSTANCE])
    surface.bad(EC2, "TerminateInstances", "MissingParameter")
