"""Gives every policy of a plan or state to the linter parliament: `terraform show -json | python3 tests/policies.py`.

One finding is meant. ListTasks names a resource only when it is asked about one container instance; asked about a cluster it is
authorized against `*`, and the condition ecs:cluster, which has to be there, is what limits it.
"""

import json
import sys

from parliament import analyze_policy_string


def policies(module):
    """Address and text of each policy in a module and those below it."""
    for resource in module.get("resources", []):
        policy = resource.get("values", {}).get("policy")
        if resource["type"] in ("aws_iam_role_policy", "aws_sqs_queue_policy") and policy:
            yield resource["address"], policy
    for child in module.get("child_modules", []):
        yield from policies(child)


def is_meant(finding, policy):
    """Whether it is the finding named above, and the condition is there."""
    listing = [it for it in json.loads(policy)["Statement"] if "ecs:ListTasks" in it["Action"]]
    is_limited = all("ecs:cluster" in it.get("Condition", {}).get("ArnLike", {}) for it in listing)
    return finding.issue == "RESOURCE_STAR" and finding.detail == ["ecs:ListTasks"] and is_limited


def main():
    shown = json.load(sys.stdin)
    found = list(policies(shown.get("planned_values", shown.get("values", {})).get("root_module", {})))
    faults = 0
    for address, policy in found:
        for finding in analyze_policy_string(policy).findings:
            if not is_meant(finding, policy):
                faults += 1
                print(f"{address}: {finding.issue} {finding.detail} {finding.location}")
    print(f"{len(found)} policies, {faults} findings")
    sys.exit(1 if faults or not found else 0)


main()
