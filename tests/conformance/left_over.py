"""What Evenkeel promises to put back, read through the public API before and after.

Desired counts, sizes of groups, suspended processes, hooks, protections, standby and draining instances, and everything
whose name begins with evenkeel. Excepted is the one documented memory, the service tag `evenkeel:rest`.
"""

import account

MEMORY = "evenkeel:rest"


def look(simulator):
    """The traces in the account, as a dictionary from what to its value."""
    clients = {it: account.client(it, simulator.endpoint) for it in ("ecs", "autoscaling")}
    traces = {}
    for cluster in clients["ecs"].list_clusters()["clusterArns"]:
        look_at_cluster(clients["ecs"], cluster, traces)
    for group in clients["autoscaling"].describe_auto_scaling_groups()["AutoScalingGroups"]:
        look_at_group(clients["autoscaling"], group, traces)
    return traces


def look_at_cluster(ecs, cluster, traces):
    note_tags(traces, cluster, ecs.list_tags_for_resource(resourceArn=cluster)["tags"])
    services = ecs.list_services(cluster=cluster)["serviceArns"]
    for service in ecs.describe_services(cluster=cluster, services=services, include=["TAGS"])["services"]:
        name = f"service {service['serviceName']}"
        traces[f"{name}: desired count"] = service["desiredCount"]
        traces[f"{name}: deployment configuration"] = service["deploymentConfiguration"]
        traces[f"{name}: placement"] = service["placementConstraints"], service["placementStrategy"]
        note_tags(traces, name, service["tags"])
        look_at_tasks(ecs, cluster, service["serviceName"], traces)
    present = set(ecs.list_container_instances(cluster=cluster)["containerInstanceArns"])
    attributes = ecs.get_paginator("list_attributes").paginate(cluster=cluster, targetType="container-instance")
    for attribute in (it for page in attributes for it in page["attributes"]):
        if attribute["name"].startswith("evenkeel") and attribute["targetId"] in present:
            traces[f"{attribute['targetId']}: attribute {attribute['name']}"] = attribute.get("value")
    draining = ecs.list_container_instances(cluster=cluster, status="DRAINING")["containerInstanceArns"]
    traces.update({f"{it}: status": "DRAINING" for it in draining})


def look_at_tasks(ecs, cluster, service, traces):
    tasks = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    if tasks:
        shown = ecs.get_task_protection(cluster=cluster, tasks=tasks)["protectedTasks"]
        traces.update({f"{it['taskArn']}: protected": True for it in shown if it["protectionEnabled"]})


def look_at_group(autoscaling, group, traces):
    name = f"group {group['AutoScalingGroupName']}"
    for member in ("MinSize", "MaxSize", "DesiredCapacity"):
        traces[f"{name}: {member}"] = group[member]
    traces[f"{name}: suspended"] = sorted(it["ProcessName"] for it in group["SuspendedProcesses"])
    tags = [{"key": it["Key"], "value": it["Value"]} for it in group["Tags"]]
    note_tags(traces, name, tags)
    hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=group["AutoScalingGroupName"])["LifecycleHooks"]
    traces[f"{name}: hooks"] = sorted(it["LifecycleHookName"] for it in hooks)
    for instance in group["Instances"]:
        if instance["LifecycleState"] != "InService":
            traces[f"{instance['InstanceId']}: state"] = instance["LifecycleState"]
        if instance["ProtectedFromScaleIn"]:
            traces[f"{instance['InstanceId']}: protected"] = True


def note_tags(traces, name, tags):
    ours = (it for it in tags if it["key"].startswith("evenkeel:") and it["key"] != MEMORY)
    traces.update({f"{name}: tag {it['key']}": it["value"] for it in ours})


def differences(before, after):
    """One sentence for each trace that is there, gone or different."""
    return [
        f"{key} is {after.get(key)}, was {before.get(key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]
