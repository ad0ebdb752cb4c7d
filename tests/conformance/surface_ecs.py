"""ECS and Elastic Load Balancing, driven in the account `demo`: one cluster, six instances, three services."""

ECS = "ecs"
CLUSTER = "demo"

# What does not exist, spelt as it would have to be.
ACCOUNT = "111122223333"
NO_CLUSTER = {"cluster": "nowhere"}
TOKEN = "not-a-token"
NO_CLUSTER_CODE = "ClusterNotFoundException"
INVALID = "InvalidParameterException"


def drive(surface):
    found = Found(surface)
    clusters(surface, found)
    instances(surface, found)
    services(surface, found)
    tasks(surface, found)
    definitions(surface, found)
    attributes(surface, found)
    tags(surface, found)
    protection(surface, found)
    target_groups(surface, found)
    starts_and_stops(surface, found)
    service_changes(surface, found)
    draining(surface, found)
    deregistration(surface, found)


class Found:
    """What there is in the account to begin with."""

    def __init__(self, surface):
        self.cluster_arn = surface.good(ECS, "ListClusters")["clusterArns"][0]
        self.instances = surface.good(ECS, "ListContainerInstances", cluster=CLUSTER)["containerInstanceArns"]
        self.services = surface.good(ECS, "ListServices", cluster=CLUSTER)["serviceArns"]
        self.tasks = surface.good(ECS, "ListTasks", cluster=CLUSTER)["taskArns"]
        of_web = surface.good(ECS, "ListTasks", cluster=CLUSTER, serviceName="web")["taskArns"]
        self.web_tasks = of_web
        self.standalone = self.alone(surface)

    def alone(self, surface):
        described = surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=self.tasks)["tasks"]
        return next(it["taskArn"] for it in described if not it["group"].startswith("service:"))

    def arn(self, kind, name):
        """An ARN of the cluster's, of something that does not exist."""
        return self.cluster_arn.replace(":cluster/", f":{kind}/") + f"/{name}"


def clusters(surface, found):
    arns = surface.good(ECS, "ListClusters", maxResults=1)["clusterArns"]
    surface.expect(ECS, "ListClusters", arns == [found.cluster_arn], f"{arns} with maxResults=1")
    surface.clients[ECS].get_paginator("list_clusters").paginate().build_full_result()
    surface.operations["ecs:ListClusters"].pages += 1
    surface.bad(ECS, "ListClusters", INVALID, maxResults=101)
    surface.bad(ECS, "ListClusters", INVALID, nextToken=TOKEN)
    include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
    surface.good(ECS, "DescribeClusters", clusters=[CLUSTER], include=include)
    surface.failures(ECS, "DescribeClusters", "MISSING", clusters=["nowhere"])
    surface.bad(ECS, "DescribeClusters", INVALID, clusters=[f"c{it}" for it in range(101)])
    surface.bad(ECS, "DescribeCapacityProviders", INVALID, capacityProviders=[f"p{it}" for it in range(101)])
    surface.failures(ECS, "DescribeCapacityProviders", "MISSING", capacityProviders=["nothing"])


def instances(surface, found):
    surface.pages(ECS, "ListContainerInstances", "containerInstanceArns", 2, cluster=CLUSTER)
    zone = surface.good(ECS, "ListContainerInstances", cluster=CLUSTER, filter="attribute:ecs.availability-zone == eu-west-1a")
    surface.expect(ECS, "ListContainerInstances", len(zone["containerInstanceArns"]) == 2, "the filter is not obeyed")
    none = surface.good(ECS, "ListContainerInstances", cluster=CLUSTER, status="DRAINING")["containerInstanceArns"]
    surface.expect(ECS, "ListContainerInstances", none == [], "there are DRAINING instances")
    surface.bad(ECS, "ListContainerInstances", NO_CLUSTER_CODE, **NO_CLUSTER)
    surface.bad(ECS, "ListContainerInstances", INVALID, cluster=CLUSTER, nextToken=TOKEN)
    surface.bad(ECS, "ListContainerInstances", INVALID, cluster=CLUSTER, maxResults=101)
    surface.bad(ECS, "ListContainerInstances", INVALID, cluster=CLUSTER, status="INACTIVE")
    surface.bad(ECS, "ListContainerInstances", INVALID, cluster=CLUSTER, filter="attribute:x ==")
    include = ["TAGS", "CONTAINER_INSTANCE_HEALTH"]
    surface.good(ECS, "DescribeContainerInstances", cluster=CLUSTER, containerInstances=found.instances, include=include)
    surface.failures(ECS, "DescribeContainerInstances", "MISSING", cluster=CLUSTER, containerInstances=[found.arn("container-instance", "0" * 32)])
    surface.bad(ECS, "DescribeContainerInstances", NO_CLUSTER_CODE, containerInstances=found.instances, **NO_CLUSTER)
    surface.bad(ECS, "DescribeContainerInstances", INVALID, cluster=CLUSTER, containerInstances=[])
    too_many = [f"{it:032x}" for it in range(101)]
    surface.bad(ECS, "DescribeContainerInstances", INVALID, cluster=CLUSTER, containerInstances=too_many)


def services(surface, found):
    surface.pages(ECS, "ListServices", "serviceArns", 2, cluster=CLUSTER)
    surface.bad(ECS, "ListServices", NO_CLUSTER_CODE, **NO_CLUSTER)
    surface.bad(ECS, "ListServices", INVALID, cluster=CLUSTER, nextToken=TOKEN)
    surface.bad(ECS, "ListServices", INVALID, cluster=CLUSTER, maxResults=101)
    surface.good(ECS, "DescribeServices", cluster=CLUSTER, services=found.services, include=["TAGS"])
    surface.failures(ECS, "DescribeServices", "MISSING", cluster=CLUSTER, services=["nothing"])
    surface.bad(ECS, "DescribeServices", NO_CLUSTER_CODE, services=["web"], **NO_CLUSTER)
    surface.bad(ECS, "DescribeServices", INVALID, cluster=CLUSTER, services=[])
    surface.bad(ECS, "DescribeServices", INVALID, cluster=CLUSTER, services=[f"s{it}" for it in range(11)])
    surface.good(ECS, "ListServiceDeployments", cluster=CLUSTER, service="web")
    surface.good(ECS, "ListServiceDeployments", cluster=CLUSTER, service="web", status=["SUCCESSFUL"], maxResults=1)
    surface.bad(ECS, "ListServiceDeployments", "ServiceNotFoundException", cluster=CLUSTER, service="nothing")
    surface.bad(ECS, "ListServiceDeployments", INVALID, cluster=CLUSTER, service="web", nextToken=TOKEN)


def tasks(surface, found):
    surface.pages(ECS, "ListTasks", "taskArns", 3, cluster=CLUSTER)
    surface.good(ECS, "ListTasks", cluster=CLUSTER, family="web")
    surface.good(ECS, "ListTasks", cluster=CLUSTER, containerInstance=found.instances[0])
    surface.good(ECS, "ListTasks", cluster=CLUSTER, desiredStatus="STOPPED")
    surface.good(ECS, "ListTasks", cluster=CLUSTER, launchType="EC2")
    surface.bad(ECS, "ListTasks", NO_CLUSTER_CODE, **NO_CLUSTER)
    surface.bad(ECS, "ListTasks", "ServiceNotFoundException", cluster=CLUSTER, serviceName="nothing")
    surface.bad(ECS, "ListTasks", INVALID, cluster=CLUSTER, nextToken=TOKEN)
    surface.bad(ECS, "ListTasks", INVALID, cluster=CLUSTER, maxResults=101)
    surface.bad(ECS, "ListTasks", INVALID, cluster=CLUSTER, containerInstance="0" * 32)
    surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=found.tasks, include=["TAGS"])
    surface.failures(ECS, "DescribeTasks", "MISSING", cluster=CLUSTER, tasks=[found.arn("task", "0" * 32)])
    surface.bad(ECS, "DescribeTasks", NO_CLUSTER_CODE, tasks=found.tasks, **NO_CLUSTER)
    surface.bad(ECS, "DescribeTasks", INVALID, cluster=CLUSTER, tasks=[])
    surface.bad(ECS, "DescribeTasks", INVALID, cluster=CLUSTER, tasks=[f"{it:032x}" for it in range(101)])
    foreign = found.arn("task", "0" * 32).replace("/demo/", "/other/")
    surface.bad(ECS, "DescribeTasks", INVALID, cluster=CLUSTER, tasks=[foreign])


def definitions(surface, found):
    for name in ("web", "api", "log"):
        surface.good(ECS, "DescribeTaskDefinition", taskDefinition=name, include=["TAGS"])
    surface.bad(ECS, "DescribeTaskDefinition", "ClientException", taskDefinition="nothing")
    surface.bad(ECS, "DescribeTaskDefinition", ("ClientException", INVALID))


def attributes(surface, found):
    of = lambda name, value, target: {"name": name, "value": value, "targetType": "container-instance", "targetId": target}  # noqa: E731
    one, missing = found.instances[0], found.arn("container-instance", "0" * 32)
    surface.good(ECS, "PutAttributes", cluster=CLUSTER, attributes=[of("stage", "x", one), of("stage", "y", found.instances[1])])
    surface.bad(ECS, "PutAttributes", "TargetNotFoundException", cluster=CLUSTER, attributes=[of("stage", "x", missing)])
    surface.bad(ECS, "PutAttributes", INVALID, cluster=CLUSTER, attributes=[of("stage", "a=b", one)])
    surface.bad(ECS, "PutAttributes", INVALID, cluster=CLUSTER, attributes=[])
    ten = [of(f"a{it}", "x", one) for it in range(10)]
    surface.bad(ECS, "PutAttributes", "AttributeLimitExceededException", cluster=CLUSTER, attributes=ten)
    surface.bad(ECS, "PutAttributes", NO_CLUSTER_CODE, attributes=[of("stage", "x", one)], **NO_CLUSTER)
    listing = {"cluster": CLUSTER, "targetType": "container-instance"}
    named = surface.pages(ECS, "ListAttributes", "attributes", 1, attributeName="stage", **listing)
    surface.expect(ECS, "ListAttributes", len(named) == 2, f"{named} after two were put")
    surface.good(ECS, "ListAttributes", **listing)
    surface.good(ECS, "ListAttributes", attributeName="stage", attributeValue="x", **listing)
    surface.bad(ECS, "ListAttributes", INVALID, attributeValue="x", **listing)
    surface.bad(ECS, "ListAttributes", INVALID, nextToken=TOKEN, **listing)
    surface.bad(ECS, "ListAttributes", NO_CLUSTER_CODE, targetType="container-instance", **NO_CLUSTER)
    nameless = {key: value for key, value in of("stage", "", one).items() if key != "value"}
    surface.good(ECS, "DeleteAttributes", cluster=CLUSTER, attributes=[nameless])
    surface.bad(ECS, "DeleteAttributes", "TargetNotFoundException", cluster=CLUSTER, attributes=[{**nameless, "targetId": missing}])
    surface.bad(ECS, "DeleteAttributes", NO_CLUSTER_CODE, attributes=[nameless], **NO_CLUSTER)


def tags(surface, found):
    service = found.services[0]
    for arn in (found.cluster_arn, service, found.tasks[0], found.instances[0]):
        surface.good(ECS, "TagResource", resourceArn=arn, tags=[{"key": "evenkeel:x", "value": "1 2"}, {"key": "empty", "value": ""}])
        surface.good(ECS, "ListTagsForResource", resourceArn=arn)
    surface.good(ECS, "DescribeServices", cluster=CLUSTER, services=[service], include=["TAGS"])
    surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=[found.tasks[0]], include=["TAGS"])
    surface.good(ECS, "DescribeContainerInstances", cluster=CLUSTER, containerInstances=[found.instances[0]], include=["TAGS"])
    surface.good(ECS, "DescribeClusters", clusters=[CLUSTER], include=["TAGS"])
    surface.good(ECS, "UntagResource", resourceArn=service, tagKeys=["empty", "never-there"])
    missing, one = found.arn("service", "nothing"), [{"key": "a", "value": "b"}]
    surface.bad(ECS, "TagResource", "ResourceNotFoundException", resourceArn=missing, tags=one)
    surface.bad(ECS, "TagResource", INVALID, resourceArn=service, tags=[{"key": "aws:x", "value": "y"}])
    surface.bad(ECS, "TagResource", INVALID, resourceArn="nothing", tags=one)
    many = [{"key": f"k{it}", "value": "v"} for it in range(50)]
    surface.bad(ECS, "TagResource", (INVALID, "ClientException", "LimitExceededException"), resourceArn=service, tags=many)
    surface.bad(ECS, "UntagResource", "ResourceNotFoundException", resourceArn=missing, tagKeys=["a"])
    surface.bad(ECS, "UntagResource", NO_CLUSTER_CODE, resourceArn=service.replace("/demo/", "/nowhere/"), tagKeys=["a"])
    surface.bad(ECS, "ListTagsForResource", (INVALID, "ClientException"), resourceArn=missing)
    surface.bad(ECS, "ListTagsForResource", INVALID, resourceArn="nothing")


def protection(surface, found):
    task, missing = found.web_tasks[0], found.arn("task", "0" * 32)
    surface.good(ECS, "UpdateTaskProtection", cluster=CLUSTER, tasks=[task], protectionEnabled=True, expiresInMinutes=5)
    shown = surface.good(ECS, "GetTaskProtection", cluster=CLUSTER, tasks=[task])["protectedTasks"]
    surface.expect(ECS, "GetTaskProtection", shown[0]["protectionEnabled"], "the protection does not show")
    surface.good(ECS, "UpdateTaskProtection", cluster=CLUSTER, tasks=[task], protectionEnabled=False)
    for name in ("GetTaskProtection", "UpdateTaskProtection"):
        rest = {"protectionEnabled": True} if name == "UpdateTaskProtection" else {}
        limit = 10 if name == "UpdateTaskProtection" else 100
        surface.failures(ECS, name, "MISSING", cluster=CLUSTER, tasks=[missing], **rest)
        surface.failures(ECS, name, "TASK_NOT_VALID", cluster=CLUSTER, tasks=[found.standalone], **rest)
        surface.bad(ECS, name, NO_CLUSTER_CODE, tasks=[task], **rest, **NO_CLUSTER)
        too_many = [f"{it:032x}" for it in range(limit + 1)]
        surface.bad(ECS, name, INVALID, cluster=CLUSTER, tasks=too_many, **rest)
    surface.bad(ECS, "UpdateTaskProtection", INVALID, cluster=CLUSTER, tasks=[task], protectionEnabled=True, expiresInMinutes=2881)
    surface.bad(ECS, "UpdateTaskProtection", INVALID, cluster=CLUSTER, tasks=[], protectionEnabled=True)


def target_groups(surface, found):
    groups = surface.good("elbv2", "DescribeTargetGroups")["TargetGroups"]
    arn, missing = groups[0]["TargetGroupArn"], groups[0]["TargetGroupArn"].replace("/web/", "/nothing/")
    surface.good("elbv2", "DescribeTargetGroups", Names=["web"])
    walked = surface.clients["elbv2"].get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1})
    surface.operations["elbv2:DescribeTargetGroups"].pages += len(list(walked))
    surface.bad("elbv2", "DescribeTargetGroups", "TargetGroupNotFound", Names=["nothing"])
    surface.bad("elbv2", "DescribeTargetGroups", "ValidationError", PageSize=401)
    health = surface.good("elbv2", "DescribeTargetHealth", TargetGroupArn=arn)["TargetHealthDescriptions"]
    surface.good("elbv2", "DescribeTargetHealth", TargetGroupArn=arn, Targets=[health[0]["Target"]])
    surface.good("elbv2", "DescribeTargetHealth", TargetGroupArn=arn, Targets=[{"Id": "i-0123456789abcdef0", "Port": 1}])
    surface.bad("elbv2", "DescribeTargetHealth", "TargetGroupNotFound", TargetGroupArn=missing)
    surface.bad("elbv2", "DescribeTargetHealth", "ValidationError")
    surface.good("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=arn)
    surface.bad("elbv2", "DescribeTargetGroupAttributes", "TargetGroupNotFound", TargetGroupArn=missing)


def starts_and_stops(surface, found):
    run = surface.good(ECS, "RunTask", cluster=CLUSTER, taskDefinition="api", count=2, startedBy="conformance", tags=[{"key": "a", "value": "b"}])
    place = found.instances[0]
    surface.good(ECS, "StartTask", cluster=CLUSTER, taskDefinition="log", containerInstances=[place])
    mine = surface.good(ECS, "ListTasks", cluster=CLUSTER, startedBy="conformance")["taskArns"]
    surface.expect(ECS, "ListTasks", sorted(mine) == sorted(it["taskArn"] for it in run["tasks"]), "startedBy does not find them")
    surface.bad(ECS, "ListTasks", INVALID, cluster=CLUSTER, startedBy="conformance", family="api")
    surface.simulator.advance(60)
    surface.good(ECS, "StopTask", cluster=CLUSTER, task=mine[0], reason="conformance")
    surface.simulator.advance(5)
    surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=mine)
    surface.simulator.advance(120)
    surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=mine)
    surface.bad(ECS, "RunTask", "ClientException", cluster=CLUSTER, taskDefinition="nothing")
    surface.bad(ECS, "RunTask", INVALID, cluster=CLUSTER, taskDefinition="api", count=11)
    surface.bad(ECS, "RunTask", NO_CLUSTER_CODE, taskDefinition="api", **NO_CLUSTER)
    surface.bad(ECS, "StartTask", INVALID, cluster=CLUSTER, taskDefinition="api", containerInstances=[])
    surface.bad(ECS, "StartTask", INVALID, cluster=CLUSTER, taskDefinition="api", containerInstances=[f"{it:032x}" for it in range(11)])
    surface.failures(ECS, "StartTask", "MISSING", cluster=CLUSTER, taskDefinition="api", containerInstances=[found.arn("container-instance", "0" * 32)])
    surface.bad(ECS, "StopTask", INVALID, cluster=CLUSTER, task=found.arn("task", "0" * 32))
    surface.bad(ECS, "StopTask", NO_CLUSTER_CODE, task=mine[1], **NO_CLUSTER)
    surface.bad(ECS, "StopTask", (INVALID, "ClientException"), cluster=CLUSTER)


def service_changes(surface, found):
    name = {"cluster": CLUSTER, "service": "web"}
    surface.good(ECS, "UpdateService", desiredCount=10, **name)
    surface.good(ECS, "UpdateService", availabilityZoneRebalancing="DISABLED", deploymentConfiguration={"maximumPercent": 150, "minimumHealthyPercent": 50}, **name)
    surface.good(ECS, "UpdateService", forceNewDeployment=True, placementStrategy=[{"type": "binpack", "field": "memory"}], placementConstraints=[{"type": "distinctInstance"}], **name)
    for seconds in (5, 60, 600):
        surface.simulator.advance(seconds)
        surface.good(ECS, "DescribeServices", cluster=CLUSTER, services=["web"])
        surface.good(ECS, "ListServiceDeployments", **name)
        surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=surface.good(ECS, "ListTasks", cluster=CLUSTER)["taskArns"])
    surface.bad(ECS, "UpdateService", "ServiceNotFoundException", cluster=CLUSTER, service="nothing", desiredCount=1)
    surface.bad(ECS, "UpdateService", NO_CLUSTER_CODE, service="web", desiredCount=1, **NO_CLUSTER)
    surface.bad(ECS, "UpdateService", INVALID, cluster=CLUSTER, service="log", desiredCount=1)
    surface.bad(ECS, "UpdateService", "ClientException", taskDefinition="nothing", **name)
    surface.bad(ECS, "UpdateService", INVALID, placementStrategy=[{"type": "spread", "field": "colour"}], **name)
    create(surface, found)
    delete(surface, found)


def create(surface, found):
    rest = {"cluster": CLUSTER, "taskDefinition": "api", "desiredCount": 1}
    strategy = [{"capacityProvider": "provider", "weight": 1, "base": 0}]
    surface.good(ECS, "CreateService", serviceName="one", tags=[{"key": "a", "value": "b"}], **rest)
    surface.good(ECS, "CreateService", serviceName="two", cluster=CLUSTER, taskDefinition="api", desiredCount=0, capacityProviderStrategy=strategy, placementStrategy=[{"type": "spread", "field": "instanceId"}])
    surface.good(ECS, "DescribeCapacityProviders", include=["TAGS"])
    surface.good(ECS, "DescribeServices", cluster=CLUSTER, services=["one", "two"])
    surface.bad(ECS, "CreateService", INVALID, serviceName="one", cluster=CLUSTER, taskDefinition="log", desiredCount=3)
    surface.bad(ECS, "CreateService", "ClientException", serviceName="three", cluster=CLUSTER, taskDefinition="nothing", desiredCount=1)
    surface.bad(ECS, "CreateService", NO_CLUSTER_CODE, serviceName="three", taskDefinition="api", desiredCount=1, **NO_CLUSTER)


def delete(surface, found):
    surface.bad(ECS, "DeleteService", INVALID, cluster=CLUSTER, service="one")
    surface.good(ECS, "DeleteService", cluster=CLUSTER, service="one", force=True)
    surface.good(ECS, "DescribeServices", cluster=CLUSTER, services=["one"])
    surface.bad(ECS, "DeleteService", "ServiceNotFoundException", cluster=CLUSTER, service="nothing")
    surface.bad(ECS, "DeleteService", NO_CLUSTER_CODE, service="one", **NO_CLUSTER)
    surface.simulator.advance(300)
    surface.bad(ECS, "UpdateService", "ServiceNotActiveException", cluster=CLUSTER, service="one", desiredCount=1)
    surface.good(ECS, "DescribeServices", cluster=CLUSTER, services=["one"])


def draining(surface, found):
    name, one = "UpdateContainerInstancesState", [found.instances[0]]
    for status in ("DRAINING", "DRAINING", "ACTIVE"):
        surface.good(ECS, name, cluster=CLUSTER, containerInstances=one, status=status)
        surface.simulator.advance(20)
        surface.good(ECS, "ListContainerInstances", cluster=CLUSTER, status=status)
    surface.failures(ECS, name, "MISSING", cluster=CLUSTER, containerInstances=[found.arn("container-instance", "0" * 32)], status="DRAINING")
    surface.bad(ECS, name, NO_CLUSTER_CODE, containerInstances=one, status="DRAINING", **NO_CLUSTER)
    surface.bad(ECS, name, INVALID, cluster=CLUSTER, containerInstances=one, status="INACTIVE")
    surface.bad(ECS, name, INVALID, cluster=CLUSTER, containerInstances=[], status="ACTIVE")
    surface.bad(ECS, name, INVALID, cluster=CLUSTER, containerInstances=[f"{it:032x}" for it in range(11)], status="ACTIVE")


def deregistration(surface, found):
    name, one = "DeregisterContainerInstance", found.instances[1]
    surface.bad(ECS, name, INVALID, cluster=CLUSTER, containerInstance=one)
    surface.bad(ECS, name, INVALID, cluster=CLUSTER, containerInstance="0" * 32)
    surface.bad(ECS, name, NO_CLUSTER_CODE, containerInstance=one, **NO_CLUSTER)
    surface.good(ECS, name, cluster=CLUSTER, containerInstance=one, force=True)
    surface.good(ECS, "DescribeContainerInstances", cluster=CLUSTER, containerInstances=[one])
    surface.failures(ECS, "UpdateContainerInstancesState", "INACTIVE", cluster=CLUSTER, containerInstances=[one], status="ACTIVE")
    surface.simulator.advance(60)
    surface.good(ECS, "DescribeTasks", cluster=CLUSTER, tasks=found.tasks)
