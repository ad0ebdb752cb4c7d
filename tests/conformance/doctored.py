"""Shows that the judge can say no: answers with one thing wrong each, and the words that it must find for it.

    python3 doctored.py
"""

import sys

import botocore.session

import oracle

QUERY = '<{0}Response xmlns="x"><{0}Result>{1}</{0}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{0}Response>'
TASKS = ("ecs", "DescribeTasks", 200)
GROUPS = ("autoscaling", "DescribeAutoScalingGroups", 200)
INSTANCES = ("ec2", "DescribeInstances", 200)


def groups(inner):
    return QUERY.format("DescribeAutoScalingGroups", f"<AutoScalingGroups><member>{inner}</member></AutoScalingGroups>")


def instances(inner):
    item = f"<reservationSet><item><instancesSet><item>{inner}</item></instancesSet></item></reservationSet>"
    return f'<DescribeInstancesResponse xmlns="x"><requestId>1</requestId>{item}</DescribeInstancesResponse>'


WHOLE = (
    "<AutoScalingGroupName>a</AutoScalingGroupName><MinSize>1</MinSize><MaxSize>1</MaxSize><DesiredCapacity>1</DesiredCapacity>"
    "<DefaultCooldown>1</DefaultCooldown><AvailabilityZones><member>z</member></AvailabilityZones><HealthCheckType>EC2</HealthCheckType>"
)
CASES = (
    (*TASKS, '{"tasks": [{"taskArn": "a", "colour": "blue"}]}', "answer.tasks[0].colour is not in the model"),
    (*TASKS, '{"tasks": [{"taskArn": 1}]}', "is 1, expected string"),
    (*TASKS, '{"tasks": [{"version": true}]}', "is True, expected long"),
    (*TASKS, '{"tasks": [{"taskArn": null}]}', "answer.tasks[0].taskArn is null"),
    (*TASKS, '{"tasks": [{"stopCode": ""}]}', "is '', expected one of"),
    (*TASKS, '{"tasks": [{"createdAt": "2026-01-02T03:04:05Z"}]}', "expected a number of seconds"),
    (*TASKS, '{"tasks": {}}', "is {}, expected list"),
    (*TASKS, "<html>", "the body cannot be read"),
    ("ecs", "ListAttributes", 200, '{"attributes": [{"value": "x"}]}', "attributes[0].name is required and missing"),
    ("ecs", "DescribeTasks", 400, '{"__type": "TaskGoneException", "message": "x"}', "is neither in the model"),
    ("ecs", "DescribeTasks", 400, '{"__type": "ClusterNotFoundException"}', "has no message"),
    (*GROUPS, groups(WHOLE + "<CreatedTime>2026-01-02T03:04:05Z</CreatedTime><Colour/>"), "Colour is not in the model"),
    (*GROUPS, groups(WHOLE), "CreatedTime is required and missing"),
    (*GROUPS, groups(WHOLE + "<CreatedTime>1767322445</CreatedTime>"), "expected a time such as"),
    (*GROUPS, groups(WHOLE.replace("<MinSize>1", "<MinSize>one")), "is 'one', expected integer"),
    (*GROUPS, groups("<NewInstancesProtectedFromScaleIn>yes</NewInstancesProtectedFromScaleIn>"), "expected a boolean"),
    (*GROUPS, groups("<Instances><member><LifecycleState>Idle</LifecycleState></member></Instances>"), "is 'Idle', expected one of"),
    (*GROUPS, groups("<Instances><item/></Instances>"), "has an element item, expected member"),
    (*GROUPS, "<DescribeAutoScalingGroupsResponse/>", "ResponseMetadata.RequestId is missing"),
    ("autoscaling", "SetDesiredCapacity", 500, "<ErrorResponse><Error><Code>ScalingActivityInProgress</Code><Message>x</Message></Error><RequestId>1</RequestId></ErrorResponse>", "has status 500, the model says 400"),
    (*INSTANCES, instances("<instanceId>i-1</instanceId><colour>x</colour>"), "colour is not in the model"),
    (*INSTANCES, instances("<instanceType>m5.enormous</instanceType>"), "is 'm5.enormous', expected one of"),
    (*INSTANCES, instances("<ebsOptimized>1</ebsOptimized>"), "expected a boolean"),
    (*INSTANCES, "<DescribeInstancesResponse/>", "requestId is missing"),
    ("ec2", "DescribeInstances", 400, "<Response><Errors><Error><Code>NoSuchInstance</Code><Message>x</Message></Error></Errors><RequestID>1</RequestID></Response>", "is neither in the model"),
)


def main():
    session, missed = botocore.session.get_session(), 0
    for service, name, status, body, words in CASES:
        operation = session.get_service_model(service).operation_model(name)
        found = oracle.faults_of_answer(service, operation, status, body.encode())
        if not any(words in it for it in found):
            missed += 1
            print(f"FAIL {service}:{name} {body[:120]}: expected {words!r}, found {found}")
    print(f"doctored: {len(CASES)} answers, {missed} not found out")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
