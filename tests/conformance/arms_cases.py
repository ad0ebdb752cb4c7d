"""The cases that are run against the simulated account and against other people's emulators alike.

A case asks an account something through the public API and returns what came of it, free of names and numbers that differ
from account to account. Each names the emulators that were found to behave as AWS documents in it; in what they get wrong
they are no witnesses and are not asked.
"""

import botocore.exceptions

CASES = []
MOTO, MINISTACK = "moto", "ministack"
MISSING_INSTANCE = "i-0123456789abcdef0"
MISSING_TASK = "0" * 32


def case(*arms):
    def keep(function):
        CASES.append((function.__name__, arms, function))
        return function

    return keep


def code(call, **parameters):
    """The error code of a call, or that it succeeds."""
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "succeeds"


# --- ECS -------------------------------------------------------------------------------------------------------------


@case(MOTO, MINISTACK)
def clusters_are_listed_and_described(stage):
    arns = stage.ecs.list_clusters()["clusterArns"]
    described = stage.ecs.describe_clusters(clusters=arns)
    return [(it["clusterName"], it["status"]) for it in described["clusters"]], described["failures"]


@case(MOTO, MINISTACK)
def a_cluster_that_does_not_exist_is_a_failure(stage):
    answer = stage.ecs.describe_clusters(clusters=["nowhere"])
    return answer["clusters"], [(it["arn"].rpartition("/")[2], it["reason"]) for it in answer["failures"]]


@case(MOTO, MINISTACK)
def services_of_an_unknown_cluster(stage):
    return code(stage.ecs.describe_services, cluster="nowhere", services=["web"])


@case(MOTO)
def tasks_of_an_unknown_cluster(stage):
    return code(stage.ecs.list_tasks, cluster="nowhere")


@case(MOTO, MINISTACK)
def updating_an_unknown_service(stage):
    return code(stage.ecs.update_service, cluster=stage.cluster, service="nothing", desiredCount=1)


@case(MOTO, MINISTACK)
def running_an_unknown_task_definition(stage):
    return code(stage.ecs.run_task, cluster=stage.cluster, taskDefinition="nothing")


@case(MINISTACK)
def stopping_an_unknown_task(stage):
    return code(stage.ecs.stop_task, cluster=stage.cluster, task=MISSING_TASK)


@case(MINISTACK)
def describing_an_unknown_task(stage):
    answer = stage.ecs.describe_tasks(cluster=stage.cluster, tasks=[MISSING_TASK])
    return answer["tasks"], [it["reason"] for it in answer["failures"]]


@case(MOTO, MINISTACK)
def tags_come_and_go(stage):
    arn = stage.ecs.list_clusters()["clusterArns"][0]
    stage.ecs.tag_resource(resourceArn=arn, tags=[{"key": "one", "value": "1"}, {"key": "two", "value": ""}])
    stage.ecs.tag_resource(resourceArn=arn, tags=[{"key": "one", "value": "3"}])
    stage.ecs.untag_resource(resourceArn=arn, tagKeys=["two", "never"])
    first = stage.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    stage.ecs.untag_resource(resourceArn=arn, tagKeys=["one"])
    return first, stage.ecs.list_tags_for_resource(resourceArn=arn)["tags"]


@case(MOTO, MINISTACK)
def tasks_that_are_run_say_who_started_them(stage):
    tasks = stage.run("mine", 3)
    listed = stage.tasks(startedBy="mine")
    described = stage.ecs.describe_tasks(cluster=stage.cluster, tasks=tasks)["tasks"]
    result = sorted(listed) == sorted(tasks), {it["startedBy"] for it in described}, len(tasks)
    stage.stop(tasks)
    return result


@case(MOTO, MINISTACK)
def a_stopped_task_is_listed_as_stopped(stage):
    tasks = stage.run("stopped", 2)
    stage.settle(120)
    stopped = stage.ecs.stop_task(cluster=stage.cluster, task=tasks[0], reason="because")["task"]
    stage.settle(120)
    result = (
        stopped["desiredStatus"],
        tasks[0] in stage.tasks(desiredStatus="STOPPED"),
        tasks[0] in stage.tasks(),
        tasks[1] in stage.tasks(),
    )
    stage.stop(tasks[1:])
    return result


@case(MINISTACK)
def who_stopped_a_task_is_told(stage):
    tasks = stage.run("told", 1)
    stage.settle(120)
    stopped = stage.ecs.stop_task(cluster=stage.cluster, task=tasks[0], reason="because")["task"]
    return stopped["stopCode"], stopped["stoppedReason"]


@case(MINISTACK)
def tasks_are_listed_in_pages(stage):
    tasks = stage.run("pages", 5)
    pages = stage.ecs.get_paginator("list_tasks").paginate(
        cluster=stage.cluster, startedBy="pages", PaginationConfig={"PageSize": 2}
    )
    pages = [it["taskArns"] for it in pages]
    stage.stop(tasks)
    return [len(it) for it in pages], sorted(sum(pages, [])) == sorted(tasks)


@case(MINISTACK)
def tasks_of_a_service_are_told_from_others(stage):
    tasks = stage.run("other", 1)
    of_service = stage.tasks(serviceName="web")
    stage.stop(tasks)
    return len(of_service), tasks[0] in of_service


@case(MINISTACK)
def a_service_follows_its_desired_count(stage):
    counts = []
    for desired in (8, 6):
        stage.ecs.update_service(cluster=stage.cluster, service="web", desiredCount=desired)
        stage.settle(600)
        service = stage.ecs.describe_services(cluster=stage.cluster, services=["web"])["services"][0]
        counts.append((service["desiredCount"], service["runningCount"], len(stage.tasks(serviceName="web"))))
    return counts


@case(MOTO)
def a_task_takes_its_share_of_an_instance_and_gives_it_back(stage):
    before = stage.book(0)
    task = stage.start(0)
    stage.settle(120)
    during = stage.book(0)
    stage.stop([task])
    stage.settle(120)
    return difference(before, during), difference(before, stage.book(0))


def difference(before, after):
    return {name: after[name] - before[name] for name in before}


@case(MOTO)
def tasks_on_an_instance_are_listed(stage):
    one, other = stage.start(0), stage.start(1)
    here = stage.tasks(containerInstance=stage.instances[0])
    stage.stop([one, other])
    return one in here, other in here


@case(MOTO)
def an_instance_can_be_set_draining_and_active_again(stage):
    shown = []
    for status in ("DRAINING", "ACTIVE"):
        answer = stage.ecs.update_container_instances_state(
            cluster=stage.cluster, containerInstances=[stage.instances[1]], status=status
        )
        listed = {it: len(stage.with_status(it)) for it in ("ACTIVE", "DRAINING")}
        shown.append(([it["status"] for it in answer["containerInstances"]], answer["failures"], listed))
    return shown


@case(MOTO)
def no_task_is_placed_on_a_draining_instance(stage):
    set_state = lambda status: stage.ecs.update_container_instances_state(  # noqa: E731
        cluster=stage.cluster, containerInstances=stage.instances[1:], status=status
    )
    set_state("DRAINING")
    tasks = stage.run("placed", 2)
    described = stage.ecs.describe_tasks(cluster=stage.cluster, tasks=tasks)["tasks"]
    places = {it["containerInstanceArn"] for it in described}
    set_state("ACTIVE")
    stage.stop(tasks)
    return places == {stage.instances[0]}


@case(MOTO)
def an_instance_with_tasks_is_not_deregistered_without_force(stage):
    task = stage.start(2)
    stage.settle(60)
    result = code(
        stage.ecs.deregister_container_instance, cluster=stage.cluster, containerInstance=stage.instances[2], force=False
    )
    stage.stop([task])
    return result


# --- Auto Scaling ----------------------------------------------------------------------------------------------------


@case(MINISTACK)
def resizing_an_unknown_group(stage):
    return code(stage.autoscaling.set_desired_capacity, AutoScalingGroupName="nowhere", DesiredCapacity=1)


@case(MOTO, MINISTACK)
def an_unknown_group_is_just_absent(stage):
    return stage.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["nowhere"])["AutoScalingGroups"]


@case(MOTO, MINISTACK)
def a_group_follows_its_desired_capacity(stage):
    sizes = []
    for desired in (7, 6):
        stage.autoscaling.set_desired_capacity(AutoScalingGroupName=stage.group, DesiredCapacity=desired)
        at_once = stage.described()["DesiredCapacity"]
        stage.settle(1200)
        sizes.append((at_once, len(stage.members())))
    return sizes


@case(MOTO)
def groups_are_found_by_their_tags(stage):
    found = lambda name, *values: [  # noqa: E731
        it["AutoScalingGroupName"]
        for it in stage.autoscaling.describe_auto_scaling_groups(Filters=[{"Name": name, "Values": values}])["AutoScalingGroups"]
    ]
    return found("tag:team", "web"), found("tag:team", "x", "web"), found("tag:team", "x"), found("tag-key", "team")


@case(MOTO)
def tags_of_a_group_come_and_go(stage):
    tag = {"ResourceId": stage.group, "ResourceType": "auto-scaling-group", "Key": "x", "Value": "1", "PropagateAtLaunch": False}
    find = lambda: stage.autoscaling.describe_tags(Filters=[{"Name": "key", "Values": ["x"]}])["Tags"]  # noqa: E731
    stage.autoscaling.create_or_update_tags(Tags=[tag])
    stage.autoscaling.create_or_update_tags(Tags=[{**tag, "Value": "2"}])
    first = find()
    stage.autoscaling.delete_tags(Tags=[tag])
    return first, find()


@case(MOTO)
def instances_of_groups_are_listed_in_pages(stage):
    pages = stage.autoscaling.get_paginator("describe_auto_scaling_instances").paginate(PaginationConfig={"PageSize": 4})
    return [len(it["AutoScalingInstances"]) for it in pages]


@case(MOTO)
def processes_are_suspended_and_resumed(stage):
    names = lambda: sorted(it["ProcessName"] for it in stage.described()["SuspendedProcesses"])  # noqa: E731
    stage.autoscaling.suspend_processes(AutoScalingGroupName=stage.group, ScalingProcesses=["AZRebalance", "ScheduledActions"])
    first = names()
    stage.autoscaling.resume_processes(AutoScalingGroupName=stage.group, ScalingProcesses=["ScheduledActions"])
    second = names()
    stage.autoscaling.resume_processes(AutoScalingGroupName=stage.group)
    return first, second, names()


@case(MOTO, MINISTACK)
def a_hook_is_kept_as_it_was_put(stage):
    hook = {
        "LifecycleHookName": "kept",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "HeartbeatTimeout": 120,
        "DefaultResult": "CONTINUE",
    }
    stage.autoscaling.put_lifecycle_hook(AutoScalingGroupName=stage.group, **hook)
    named = {"AutoScalingGroupName": stage.group, "LifecycleHookNames": ["kept"]}
    kept = stage.autoscaling.describe_lifecycle_hooks(**named)["LifecycleHooks"]
    stage.autoscaling.delete_lifecycle_hook(AutoScalingGroupName=stage.group, LifecycleHookName="kept")
    gone = stage.autoscaling.describe_lifecycle_hooks(**named)["LifecycleHooks"]
    return [{key: it[key] for key in hook} for it in kept] == [hook], gone


@case(MOTO)
def an_instance_goes_on_standby_and_comes_back(stage):
    one = stage.members()[0]
    shown = []
    stage.autoscaling.enter_standby(AutoScalingGroupName=stage.group, InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
    stage.settle(120)
    shown.append((stage.state_of(one), stage.described()["DesiredCapacity"]))
    stage.autoscaling.exit_standby(AutoScalingGroupName=stage.group, InstanceIds=[one])
    stage.settle(120)
    shown.append((stage.state_of(one), stage.described()["DesiredCapacity"]))
    return shown


@case(MOTO)
def a_substitute_comes_for_an_instance_on_standby(stage):
    one = stage.members()[0]
    stage.autoscaling.enter_standby(AutoScalingGroupName=stage.group, InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    stage.settle(600)
    described = stage.described()
    result = described["DesiredCapacity"], len(described["Instances"]), stage.state_of(one)
    stage.autoscaling.exit_standby(AutoScalingGroupName=stage.group, InstanceIds=[one])
    stage.autoscaling.set_desired_capacity(AutoScalingGroupName=stage.group, DesiredCapacity=6)
    stage.settle(1200)
    return result


@case(MOTO)
def an_instance_is_detached_and_attached(stage):
    one = stage.members()[0]
    shown = []
    stage.autoscaling.detach_instances(AutoScalingGroupName=stage.group, InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
    stage.settle(120)
    shown.append((one in stage.members(), stage.described()["DesiredCapacity"], stage.machine(one)))
    stage.autoscaling.attach_instances(AutoScalingGroupName=stage.group, InstanceIds=[one])
    stage.settle(120)
    shown.append((one in stage.members(), stage.described()["DesiredCapacity"], stage.machine(one)))
    return shown


@case(MOTO)
def a_substitute_comes_for_a_detached_instance(stage):
    one = stage.members()[0]
    stage.autoscaling.detach_instances(AutoScalingGroupName=stage.group, InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    stage.settle(600)
    return stage.described()["DesiredCapacity"], len(stage.members()), one in stage.members(), stage.machine(one)


@case(MOTO)
def scale_in_spares_protected_instances(stage):
    members = stage.members()
    protect = lambda ids, is_on: stage.autoscaling.set_instance_protection(  # noqa: E731
        AutoScalingGroupName=stage.group, InstanceIds=ids, ProtectedFromScaleIn=is_on
    )
    protect(members[1:], True)
    stage.autoscaling.set_desired_capacity(AutoScalingGroupName=stage.group, DesiredCapacity=5)
    stage.settle(1200)
    left = stage.members()
    protect(left, False)
    stage.autoscaling.set_desired_capacity(AutoScalingGroupName=stage.group, DesiredCapacity=6)
    stage.settle(600)
    return members[0] in left, len(left)


@case(MOTO)
def an_instance_is_terminated_with_and_without_decrement(stage):
    shown = []
    for decrement in (True, False):
        one = stage.members()[0]
        activity = stage.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=one, ShouldDecrementDesiredCapacity=decrement
        )["Activity"]
        stage.settle(1200)
        desired = stage.described()["DesiredCapacity"]
        shown.append((activity["StatusCode"], desired, len(stage.members()), one in stage.members(), stage.machine(one)))
    stage.autoscaling.set_desired_capacity(AutoScalingGroupName=stage.group, DesiredCapacity=6)
    stage.settle(600)
    return shown


# --- EC2 -------------------------------------------------------------------------------------------------------------


@case(MOTO, MINISTACK)
def an_unknown_machine(stage):
    return code(stage.ec2.describe_instances, InstanceIds=[MISSING_INSTANCE])


@case(MINISTACK)
def an_id_that_is_none(stage):
    return code(stage.ec2.describe_instances, InstanceIds=["i-nonsense!"])


@case(MOTO)
def machines_of_a_group_are_found_by_filter(stage):
    filters = [
        {"Name": "tag:aws:autoscaling:groupName", "Values": [stage.group]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    reservations = stage.ec2.describe_instances(Filters=filters)["Reservations"]
    found = [it for reservation in reservations for it in reservation["Instances"]]
    tags = [{tag["Key"]: tag["Value"] for tag in it["Tags"]} for it in found]
    ids = sorted(it["InstanceId"] for it in found)
    return ids == sorted(stage.members()), {str(it.get("team")) for it in tags}, {it["State"]["Name"] for it in found}


@case(MOTO)
def a_dry_run_terminates_nothing(stage):
    one = stage.members()[0]
    result = code(stage.ec2.terminate_instances, InstanceIds=[one], DryRun=True)
    stage.settle(60)
    return result, stage.machine(one)


@case(MOTO)
def a_terminated_machine_is_replaced(stage):
    one = stage.members()[-1]
    change = stage.ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
    stage.settle(1800)
    return (
        change["PreviousState"],
        change["CurrentState"],
        stage.machine(one),
        one in stage.members(),
        len(stage.members()),
        stage.described()["DesiredCapacity"],
    )
