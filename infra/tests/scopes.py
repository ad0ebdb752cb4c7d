"""Holds permissions.json against AWS: does what an action is scoped to limit it at all? `python3 tests/scopes.py`

The Service Authorization Reference says for each action which resources it may be limited to, and by which condition keys; a
statement that names others grants nothing, and the call is refused on the first day. parliament brings the reference with it.
What a word becomes in a policy is said in iam.tf; here is what AWS has to know of an action for the word to be right.

One exception is meant. ListTasks has a container instance as its resource only if it is asked about one; asked about a whole
cluster, as Evenkeel does, it is authorized against `*`, and the condition key ecs:cluster limits it.
"""

import json
import pathlib
import sys

import parliament

MODULE = pathlib.Path(__file__).resolve().parents[1]

# Service (None: any), types of resource that its statement names, condition keys that it relies on.
SCOPES = {
    "any": (None, set(), set()),
    "anyIfAllClusters": ("ecs", set(), set()),
    "cluster": ("ecs", {"cluster"}, set()),
    "service": ("ecs", {"service"}, set()),
    "task": ("ecs", {"task"}, set()),
    "containerInstance": ("ecs", {"container-instance"}, set()),
    "inCluster": ("ecs", set(), {"ecs:cluster"}),
    "capacityProvider": ("ecs", {"capacity-provider"}, set()),
    "imageParameter": ("ssm", {"parameter"}, set()),
    "group": ("autoscaling", {"autoScalingGroup"}, set()),
    "tagOfGroup": ("autoscaling", {"autoScalingGroup"}, {"aws:TagKeys"}),
    "tagOfServiceOrCluster": ("ecs", {"service", "cluster"}, {"aws:TagKeys"}),
}

# Action, scope and type of resource that is left unnamed all the same.
MEANT = {("ecs:ListTasks", "inCluster", "container-instance")}

# A condition key that an action of scope `any` has, and that says no more than the Region, which its statement names.
OF_THE_REGION = {"ec2:Region"}


def reference():
    """By action: its types of resource, those that it always has, and its condition keys."""
    found = {}
    for service in parliament.iam_definition:
        for privilege in service["privileges"]:
            types, required, keys = set(), set(), set()
            for entry in privilege["resource_types"]:
                name = entry["resource_type"]
                types |= {name.rstrip("*")} - {""}
                required |= {name.rstrip("*")} if name.endswith("*") else set()
                keys |= set(entry["condition_keys"])
            found[f"{service['prefix']}:{privilege['privilege']}"] = types, required, keys
    return found


def faults_of(action, scope, known):
    """What speaks against this scope of this action, as sentences."""
    if action not in known:
        yield "AWS knows no such action"
        return
    if scope not in SCOPES:
        yield "the word is not known here"
        return
    types, required, keys = known[action]
    service, named, relied_on = SCOPES[scope]
    if service and not action.startswith(f"{service}:"):
        yield f"the word is for actions of {service}"
    for resource in sorted(named - types):
        yield f"AWS does not limit it to a {resource}, so that it would be refused"
    for resource in sorted(required - named):
        if (action, scope, resource) not in MEANT:
            yield f"it is of a {resource}, which its statement does not name"
    for key in sorted(relied_on - keys):
        yield f"AWS does not know its condition key {key}, so that it would be refused"
    if not named and not relied_on:
        for limit in sorted(types | (keys - OF_THE_REGION)):
            yield f"it could be limited by {limit}"


def main():
    known = reference()
    permissions = json.loads((MODULE / "permissions.json").read_text())
    pairs = sorted({(action, scope) for actions in permissions.values() for action, scope in actions.items()})
    faults = [f"{action}, {scope}: {fault}" for action, scope in pairs for fault in faults_of(action, scope, known)]
    print(*faults, f"{len(pairs)} actions with their scopes, {len(faults)} faults", sep="\n")
    sys.exit(1 if faults or not pairs else 0)


main()
