"""The same cases against the simulated account and against other people's emulators.

    python3 arms.py

moto and ministack are asked only where they were found to be right (see the cases), and each case's outcomes are compared.
A difference that `known_differences.json` does not explain makes the program fail, and so does an explanation of a
difference that is not there any more.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

import account
import arms_cases

KNOWN = account.HERE / "known_differences.json"
CLUSTER = GROUP = "group"
SIZE = 6


class Stage:
    """An account to try the cases on: one cluster, one service, one group of six machines."""

    cluster, group = "group", "web"

    def __init__(self, endpoint, settle=lambda seconds: None):
        for service in ("ecs", "autoscaling", "ec2"):
            setattr(self, service, account.client(service, endpoint))
        self.settle = settle
        self.instances = []

    def look_around(self):
        self.instances = self.ecs.list_container_instances(cluster=self.cluster)["containerInstanceArns"]
        return self

    def run(self, started_by, count):
        answer = self.ecs.run_task(cluster=self.cluster, taskDefinition="web", count=count, startedBy=started_by)
        return [it["taskArn"] for it in answer["tasks"]]

    def start(self, number):
        """A task on the instance of this number; its ARN."""
        place = [self.instances[number]]
        answer = self.ecs.start_task(cluster=self.cluster, taskDefinition="web", containerInstances=place)
        return answer["tasks"][0]["taskArn"]

    def stop(self, tasks):
        for task in tasks:
            self.ecs.stop_task(cluster=self.cluster, task=task)
        self.settle(120)

    def tasks(self, **filters):
        return self.ecs.list_tasks(cluster=self.cluster, **filters)["taskArns"]

    def with_status(self, status):
        return self.ecs.list_container_instances(cluster=self.cluster, status=status)["containerInstanceArns"]

    def book(self, number):
        """What is left on the instance of this number."""
        answer = self.ecs.describe_container_instances(
            cluster=self.cluster, containerInstances=[self.instances[number]]
        )
        left = {it["name"]: it["integerValue"] for it in answer["containerInstances"][0]["remainingResources"]}
        return {"CPU": left["CPU"], "MEMORY": left["MEMORY"]}

    def described(self):
        groups = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        return groups["AutoScalingGroups"][0]

    def members(self):
        return [it["InstanceId"] for it in self.described()["Instances"]]

    def state_of(self, instance):
        states = {it["InstanceId"]: it["LifecycleState"] for it in self.described()["Instances"]}
        return states.get(instance)

    def machine(self, instance):
        """What EC2 says of it."""
        reservations = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        return reservations[0]["Instances"][0]["State"]["Name"]


def furnish(stage, definition):
    """What the simulated account has from the start, made by calls."""
    template = {"ImageId": stage.ec2.describe_images()["Images"][0]["ImageId"], "InstanceType": "m5.large"}
    stage.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=template)
    stage.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=stage.group,
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"},
        MinSize=2,
        MaxSize=12,
        DesiredCapacity=SIZE,
        AvailabilityZones=[f"{account.REGION}a"],
        Tags=[{"Key": "team", "Value": "web", "PropagateAtLaunch": True}],
    )
    stage.ecs.create_cluster(clusterName=stage.cluster)
    stage.ecs.register_task_definition(family="web", containerDefinitions=definition)


def furnish_moto(stage, definition):
    furnish(stage, definition)
    for instance in stage.members():
        document = json.dumps({"instanceId": instance})
        stage.ecs.register_container_instance(cluster=stage.cluster, instanceIdentityDocument=document)


def furnish_ministack(stage, definition):
    furnish(stage, definition)
    stage.ecs.create_service(
        cluster=stage.cluster, serviceName="web", taskDefinition="web", desiredCount=SIZE, launchType="EC2"
    )


class Emulator:
    """Another project's emulator as a process, furnished, for the length of a `with`."""

    def __init__(self, name, definition):
        self.name, self.definition = name, definition

    def __enter__(self):
        program = find(self.name)
        port = account.free_port()
        endpoint = f"http://127.0.0.1:{port}"
        start = {arms_cases.MOTO: start_moto, arms_cases.MINISTACK: start_ministack}[self.name]
        self.process = start(program, port)
        account.wait_for(port, self.process)
        if self.name == arms_cases.MOTO:
            keep_tasks_alive(endpoint)
        stage = Stage(endpoint)
        {arms_cases.MOTO: furnish_moto, arms_cases.MINISTACK: furnish_ministack}[self.name](stage, self.definition)
        return stage.look_around()

    def __exit__(self, *_):
        account.end(self.process)


PROGRAMS = {arms_cases.MOTO: "moto_server", arms_cases.MINISTACK: "ministack"}


def find(name):
    """The emulator's program: beside this Python, else in the path; None if it is not installed."""
    beside = pathlib.Path(sys.executable).with_name(PROGRAMS[name])
    return str(beside) if beside.exists() else shutil.which(PROGRAMS[name])


def start_moto(program, port):
    return subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_ministack(program, port):
    loopback = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "IOT_MTLS_ENABLED": "0"}
    environment = {**os.environ, **loopback}
    return subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def keep_tasks_alive(endpoint):
    """moto's tasks would move on towards STOPPED each time they are looked at."""
    body = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1000000}}
    url = f"{endpoint}/moto-api/state-manager/set-transition"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()


def outcomes(stage, arms):
    """What each case comes to, as JSON would have it; a case that breaks off says so."""
    found = {}
    for name, of, function in arms_cases.CASES:
        if not set(of) & set(arms):
            continue
        try:
            result = function(stage)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            result = f"{type(error).__name__}: {error}"
        found[name] = json.loads(json.dumps(result, default=sorted, sort_keys=True))
    return found


def definition_of(stage):
    """The container definitions of the task definition `web`, to register the same elsewhere."""
    return stage.ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["containerDefinitions"]


def ours(arms):
    with account.Simulator(CLUSTER) as simulator:
        stage = Stage(simulator.endpoint, simulator.advance).look_around()
        definition = definition_of(stage)
        return definition, outcomes(stage, arms)


def compare(arm, here, there, known):
    """Prints each case of an arm; returns how many differences are explained, and how many are not."""
    explained = unexplained = 0
    for name, outcome in there.items():
        reason = known.pop((arm, name), None)
        if outcome == here[name]:
            print(f"same {arm}: {name}")
            if reason:
                unexplained += 1
                print("     known_differences.json explains a difference, and there is none")
        elif reason and (reason["simulator"], reason["emulator"]) == (here[name], outcome):
            explained += 1
            print(f"know {arm}: {name}: {reason['right']} is right, {reason['page']}")
        else:
            unexplained += 1
            print(f"FAIL {arm}: {name}\n     simulator: {json.dumps(here[name])}\n     {arm}: {json.dumps(outcome)}")
    return explained, unexplained


def main():
    arms = [it for it in PROGRAMS if find(it)]
    for name in PROGRAMS.keys() - arms:
        print(f"!! SKIPPED: {name} is not installed")
    known = {(it["arm"], it["case"]): it for it in json.loads(KNOWN.read_text())}
    definition, here = ours(arms)
    counts = []
    for arm in arms:
        began = time.monotonic()
        with Emulator(arm, definition) as stage:
            there = outcomes(stage, [arm])
        counts.append((len(there), *compare(arm, here, there, known)))
        print(f"     {arm}: {time.monotonic() - began:.0f} s")
    stale = [key for key in known if key[0] in arms]
    for arm, name in stale:
        print(f"FAIL known_differences.json names {arm}: {name}, which is no case")
    cases, explained, unexplained = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    unexplained += len(stale)
    print(f"arms: {cases} comparisons with {', '.join(arms) or 'nobody'}, {explained} known differences, {unexplained} unexplained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
