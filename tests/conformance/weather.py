"""Evenkeel's functions in bad weather: a fault-injecting proxy of other people's between the real programs and the account.

    python3 weather.py

microburst throttles, delays, resets connections, cuts answers short, and loses answers to calls that took effect. Each
invocation must end with a report or a typed error within its deadline. Then the weather turns fair, and what is left to do
must get done, every checker of the account be silent, and nothing of Evenkeel's be left over.
"""

import importlib.util
import json
import subprocess
import sys
import urllib.request

import account
import lambda_runtime
import left_over

# How much faster than wall time the account lives: the pause between turns is scaled to it, and no other setting is, since
# the functions measure every other duration on the clock that the answers tell.
MULTIPLE = 30
POLL = "170ms"

# In wall time. A quarter of it, up to fifteen seconds, the function keeps in reserve.
STORMY_SECONDS, FAIR_SECONDS = 24, 40
STORMY_INVOCATIONS, FAIR_INVOCATIONS = 3, 12

OVER = ("done", "nothingToDo")

WRITES = {
    "ecs": (
        "DeleteAttributes",
        "DeregisterContainerInstance",
        "PutAttributes",
        "StopTask",
        "TagResource",
        "UntagResource",
        "UpdateContainerInstancesState",
        "UpdateService",
        "UpdateTaskProtection",
    ),
    "autoscaling": (
        "CompleteLifecycleAction",
        "CreateOrUpdateTags",
        "DeleteTags",
        "DetachInstances",
        "EnterStandby",
        "ExitStandby",
        "ResumeProcesses",
        "SetDesiredCapacity",
        "SuspendProcesses",
        "TerminateInstanceInAutoScalingGroup",
        "UpdateAutoScalingGroup",
    ),
}


def weather():
    """The rules; the first that matches a call and comes up is applied.

    An answer that is cut short, yet says that it is whole, comes of ECS only: half a JSON text cannot be read, whereas the
    AWS SDK for Rust takes half an XML text for an answer with less in it. At AWS neither happens.
    """
    lost = [
        {"service": service, "operation": name, "probability": 0.25, "response": {"abort_frac": 0.0}}
        for service, names in WRITES.items()
        for name in names
    ]
    return [
        *lost,
        {"service": "ecs", "probability": 0.12, "error": {"code": "ThrottlingException"}},
        {"service": "autoscaling", "probability": 0.12, "error": {"code": "Throttling"}},
        {"service": "ec2", "probability": 0.12, "error": {"code": "RequestLimitExceeded"}},
        {"service": "ecs", "probability": 0.05, "error": {"code": "ServerException", "status": 500}},
        {"service": "*", "probability": 0.04, "reset": True},
        {"service": "*", "probability": 0.03, "response": {"abort_frac": 0.5}},
        {"service": "ecs", "probability": 0.03, "response": {"truncate_frac": 0.5}},
        {"service": "*", "probability": 0.1, "latency": {"min": 20, "max": 400}},
    ]


# What the proxy's log calls each kind of fault.
KINDS = {
    "lost": ("response:abort",),
    "throttled": ("error:Throttling", "error:ThrottlingException", "error:RequestLimitExceeded"),
    "busy": ("error:ServerException",),
    "reset": ("reset",),
    "cut": ("response:truncate",),
    "slow": ("latency:",),
}


class Proxy:
    """microburst in front of an account, for the length of a `with`."""

    def __init__(self, simulator):
        self.port = account.free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        proxy = [sys.executable, str(account.HERE / "proxy.py"), str(MULTIPLE)]
        self.command = [*proxy, "--upstream", simulator.endpoint, "--port", str(self.port)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        account.wait_for(self.port, self.process)
        return self

    def __exit__(self, *_):
        account.end(self.process)

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_microburst/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def blow(self, rules):
        self.ask("rules", rules)

    def fired(self):
        return self.ask("fired?limit=100000")


def kind_of(action):
    return next((kind for kind, words in KINDS.items() if action.startswith(words)), action)


class Voyage:
    """One function in one account, through storm and calm."""

    def __init__(self, name, cluster, settings, begin, unmet):
        self.name, self.cluster, self.begin, self.unmet = name, cluster, begin, unmet
        self.settings = {"EVENKEEL_CLUSTERS": cluster, "EVENKEEL_POLL_INTERVAL": POLL, **settings}
        self.faults = []

    def sail(self):
        """The whole of it; what fired, by the kind of fault."""
        with account.Simulator(self.cluster, multiple=MULTIPLE) as simulator, Proxy(simulator) as proxy:
            before = left_over.look(simulator)
            with lambda_runtime.Function(self.name, proxy.endpoint, self.settings) as function:
                proxy.blow(weather())
                event = self.begin(simulator)
                said = self.through_storm(function, event)
                proxy.blow([])
                said += self.through_calm(function, simulator, event)
            # What leaves is given the time to leave before the books are closed.
            simulator.advance(1800)
            self.close(simulator, before)
            fired = [kind_of(it["action"]) for it in proxy.fired()]
            calls = sum(simulator.calls().values())
        mark = "FAIL" if self.faults else "ok  "
        print(f"{mark} {self.name}: {', '.join(said)}; {len(fired)} faults in {calls} calls")
        for fault in self.faults:
            print(f"     {fault}")
        return fired

    def through_storm(self, function, event):
        """Every invocation ends as it should, whatever comes of it."""
        return [self.judged(*function.invoke(event, STORMY_SECONDS)) for _ in range(STORMY_INVOCATIONS)]

    def judged(self, kind, answer):
        """What an invocation came to in a word; anything but a report or a typed error is a fault."""
        if kind == "response" and answer.get("job", self.name) == self.name and "status" in answer:
            return answer["status"]
        if kind == "error" and answer.get("errorType") and answer.get("errorMessage"):
            return answer["errorType"]
        self.faults.append(f"an invocation ended with {kind}: {json.dumps(answer)}")
        return kind

    def through_calm(self, function, simulator, event):
        """The schedule goes on until nothing is left to do; work that the storm did not let begin is asked for again."""
        said, answer, asked = ["calm"], {}, {}
        for _ in range(FAIR_INVOCATIONS):
            kind, answer = function.invoke(asked, FAIR_SECONDS)
            said.append(self.judged(kind, answer))
            if kind != "response":
                self.faults.append(f"in fair weather: {json.dumps(answer)}")
            # What leaves is given the time to leave: hooks may hold an instance for minutes.
            simulator.advance(600 if said[-1] in OVER else 120)
            if said[-1] in OVER and not self.unmet(simulator):
                return said
            asked = event if said[-1] in OVER else {}
        self.faults.append(f"{FAIR_INVOCATIONS} invocations in fair weather do not end it: {json.dumps(answer)}")
        return said

    def close(self, simulator, before):
        self.faults += left_over.differences(before, left_over.look(simulator))
        self.faults += self.unmet(simulator)
        state = simulator.state()
        if state["violations"]:
            self.faults.append(f"the account's checkers found {state['violations']} violations")
            self.faults += simulator.ask("timeline").splitlines()[-60:]


def nothing(_):
    return {}


def interruption(simulator):
    """EC2 takes a machine away; the account tells it as EventBridge would."""
    return json.loads(simulator.ask("interrupt", "POST", instance="i-a1", action="terminate", seconds=600))


def start(_):
    return {"action": "start", "autoScalingGroup": "web", "cluster": "group"}


def not_even(simulator):
    """The instances that were new and empty have a share of the tasks, which are spread over six instances."""
    instances = simulator.state()["clusters"]["demo"]["instances"]
    running = {it["ec2InstanceId"]: it["running"] for it in instances}
    return [] if min(running["i-b2"], running["i-c2"]) >= 3 else [f"the tasks are not spread: {running}"]


def not_emptied(simulator):
    """The interrupted instance is gone from the cluster, and the group has its size with a substitute."""
    ids = [it["ec2InstanceId"] for it in simulator.state()["clusters"]["group"]["instances"] if it["status"] != "INACTIVE"]
    return [] if len(ids) == 6 and "i-a1" not in ids else [f"i-a1 is not replaced: {ids}"]


def not_rolled_out(simulator):
    """Not one of the instances that the group had is left, and as many others are in their place."""
    groups = account.client("autoscaling", simulator.endpoint).describe_auto_scaling_groups()["AutoScalingGroups"]
    ids = [it["InstanceId"] for it in groups[0]["Instances"]]
    return [] if len(ids) == 6 and not OLD & set(ids) else [f"not every instance is replaced: {ids}"]


OLD = {"i-a1", "i-a2", "i-b1", "i-b2", "i-c1", "i-c2"}
HOOK = {"EVENKEEL_LIFECYCLE_HOOK": "drain"}
VOYAGES = (
    Voyage("rebalance", "demo", {}, nothing, not_even),
    Voyage("drain", "group", {**HOOK, "EVENKEEL_SPOT_NOTICE": "10m"}, interruption, not_emptied),
    Voyage("rollout", "group", HOOK, start, not_rolled_out),
)


def main():
    if importlib.util.find_spec("microburst") is None:
        print("!! SKIPPED: microburst is not installed")
        return account.SKIPPED
    fired = [kind for voyage in VOYAGES for kind in voyage.sail()]
    faults = sum(len(it.faults) for it in VOYAGES)
    for kind in KINDS:
        if kind not in fired:
            faults += 1
            print(f"FAIL nothing was ever {kind}: the weather proves less than it says")
    counts = ", ".join(f"{fired.count(kind)} {kind}" for kind in KINDS)
    print(f"weather: {len(VOYAGES)} functions, {counts}, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
