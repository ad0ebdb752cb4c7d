"""Drives every operation that the simulated account serves, with boto3 and the aws command, and judges each raw answer.

    python3 surface.py

Each operation gets calls that must succeed, a walk through its pages where it has any, and at least one call that must be
refused with a code that AWS names. Which operations are served is asked of the account itself, so that a new one cannot
be left out. One line for each operation; any fault makes the program fail.
"""

import collections
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import botocore.exceptions

import account
import oracle
import surface_ecs
import surface_groups

# Operations whose list is empty in every account that is served, with the reason.
EMPTY = {
    "autoscaling:DescribePolicies": "accounts have no scaling policies",
    "autoscaling:DescribeWarmPool": "groups have no warm pools",
}

# What says that an account does not know an operation.
UNKNOWN = ("UnknownOperationException", "InvalidAction")

# What says that too much was asked; one more second of the account's time helps.
THROTTLED = ("ThrottlingException", "Throttling", "RequestLimitExceeded")

IAM_NAMES = {"elbv2": "elasticloadbalancing"}


class Operation:
    """What was seen of one operation."""

    def __init__(self):
        self.good = self.bad = self.answers = self.pages = 0
        self.filled = False
        self.codes = set()
        self.faults = []


class Surface:
    """Calls operations of one account after another, and keeps the book on them."""

    def __init__(self):
        self.operations = collections.defaultdict(Operation)
        self.served = set()
        self.simulator = None

    def enter(self, simulator):
        """From now on calls go to this account."""
        self.simulator = simulator
        self.clients, self.lax = self.clients_of(True), self.clients_of(False)

    def clients_of(self, validates):
        """Clients whose answers are judged; those that do not validate send whatever they are told."""
        clients = {it: account.client(it, self.simulator.endpoint, validates=validates) for it in account.SERVICES}
        for service, client in clients.items():
            client.meta.events.register("before-parse.*.*", functools.partial(self.judge, service))
        return clients

    def judge(self, service, operation_model, response_dict, **_):
        """Sees the body of each answer before botocore reads it."""
        seen = self.operations[f"{service}:{operation_model.name}"]
        seen.answers += 1
        found = oracle.faults_of_answer(service, operation_model, response_dict["status_code"], response_dict["body"])
        seen.faults += [it for it in found if it not in seen.faults]

    def call(self, client, name, parameters):
        """One call; waits once if the account throttles."""
        for _ in range(3):
            try:
                return client._make_api_call(name, parameters)
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLED:
                    raise
            self.simulator.advance(10)
        raise SystemExit(f"{name} is throttled for ever")

    def good(self, service, name, /, **parameters):
        """A call that must succeed; its answer."""
        seen = self.operations[f"{service}:{name}"]
        seen.good += 1
        try:
            answer = self.call(self.clients[service], name, parameters)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            seen.faults.append(f"a good call fails: {error}")
            return None
        shape = self.clients[service].meta.service_model.operation_model(name).output_shape
        members = set(shape.members if shape else ()) - {"failures"}
        seen.filled |= not members or any(answer.get(it) for it in members)
        return answer

    def bad(self, service, name, code, /, **parameters):
        """A call that must be refused, with this code or one of these."""
        seen = self.operations[f"{service}:{name}"]
        seen.bad += 1
        wanted = (code,) if isinstance(code, str) else code
        try:
            self.call(self.lax[service], name, parameters)
        except botocore.exceptions.ClientError as error:
            got = error.response["Error"]["Code"]
            seen.codes.add(got)
            if got not in wanted:
                seen.faults.append(f"{brief(parameters)} gives {got}, expected {' or '.join(wanted)}")
            return
        except botocore.exceptions.BotoCoreError as error:
            seen.faults.append(f"{brief(parameters)}: {error}")
            return
        seen.faults.append(f"{brief(parameters)} succeeds, expected {' or '.join(wanted)}")

    def failures(self, service, name, reason, /, **parameters):
        """A call that succeeds as a whole and names what it could not do in `failures`."""
        answer = self.good(service, name, **parameters)
        seen = self.operations[f"{service}:{name}"]
        seen.bad += 1
        reasons = [it.get("reason") for it in (answer or {}).get("failures", [])]
        if reasons != [reason]:
            seen.faults.append(f"{brief(parameters)} has the failures {reasons}, expected [{reason}]")

    def pages(self, service, name, member, size, /, **parameters):
        """Walks the pages of a list with botocore's paginator and compares them with the list in one piece."""
        client, seen = self.clients[service], self.operations[f"{service}:{name}"]
        method = next(key for key, value in client.meta.method_to_api_mapping.items() if value == name)
        whole = (self.good(service, name, **parameters) or {}).get(member, [])
        paginator = client.get_paginator(method)
        try:
            walked = list(paginator.paginate(**parameters, PaginationConfig={"PageSize": size}))
        except botocore.exceptions.ClientError as error:
            seen.faults.append(f"pages of {size}: {error}")
            return whole
        seen.pages += len(walked)
        joined = [it for page in walked for it in page.get(member, [])]
        if [str(it) for it in joined] != [str(it) for it in whole]:
            seen.faults.append(f"{len(joined)} entries in pages of {size}, {len(whole)} in one piece, or another order")
        if len(whole) <= size or any(len(page.get(member, [])) > size for page in walked):
            seen.faults.append(f"{len(whole)} entries in {len(walked)} pages of {size}: nothing is paged")
        return whole

    def expect(self, service, name, is_so, what):
        """What an answer must say beyond its shape."""
        if not is_so:
            self.operations[f"{service}:{name}"].faults.append(what)

    def probe(self):
        """Asks for every operation there is, to learn which of them the account serves."""
        for service, client in self.clients.items():
            model = client.meta.service_model
            for name in model.operation_names:
                code = self.code_of_bare_call(service, model, name)
                if code not in UNKNOWN:
                    self.served.add(f"{service}:{name}")

    def code_of_bare_call(self, service, model, name):
        """The error code of a call without parameters, sent by hand; None if it succeeds."""
        if service == "ecs":
            headers, body = {"X-Amz-Target": f"{model.metadata['targetPrefix']}.{name}"}, "{}"
        else:
            headers, body = {}, urllib.parse.urlencode({"Action": name, "Version": model.api_version})
        for _ in range(3):
            request = urllib.request.Request(self.simulator.endpoint, body.encode(), headers)
            try:
                urllib.request.urlopen(request, timeout=60).close()
                return None
            except urllib.error.HTTPError as error:
                code, _, _ = oracle.error_of(service, error.read())
                if code not in THROTTLED:
                    return code
            self.simulator.advance(10)
        raise SystemExit(f"{name} is throttled for ever")


def brief(parameters):
    text = json.dumps(parameters, default=str)
    return text if len(text) <= 120 else f"{text[:117]}..."


def permitted():
    """The operations that Evenkeel's functions may call, in boto3's names of the services."""
    permissions = json.loads((account.root() / "infra" / "permissions.json").read_text())
    services = {iam: name for name, iam in IAM_NAMES.items()}
    actions = {tuple(action.split(":")) for of_function in permissions.values() for action in of_function}
    return {f"{services.get(service, service)}:{name}" for service, name in actions if service != "ssm"}


def faults_of_coverage(surface):
    """What was not looked at, as faults of the operation."""
    for key in sorted(surface.served | permitted()):
        seen = surface.operations[key]
        if key not in surface.served:
            seen.faults.append("Evenkeel may call it, and the account does not serve it")
            continue
        if not seen.good:
            seen.faults.append("it is served, and no good call was made")
        if not seen.bad:
            seen.faults.append("it is served, and no bad call was made")
        if seen.good and not seen.filled and key not in EMPTY:
            seen.faults.append("its answers were all empty")
        if seen.filled and key in EMPTY:
            seen.faults.append("its answers are not empty any more: strike it from EMPTY")
        service, name = key.split(":")
        if is_paged(surface, service, name) and not seen.pages and key not in EMPTY:
            seen.faults.append("its pages were not walked")


def is_paged(surface, service, name):
    client = surface.clients[service]
    method = next(key for key, value in client.meta.method_to_api_mapping.items() if value == name)
    return client.can_paginate(method)


def command_line(surface):
    """A handful of commands of the aws program, a user's other way in."""
    program = pathlib.Path(sys.executable).with_name("aws")
    program = str(program) if program.exists() else shutil.which("aws")
    if program is None:
        print("!! SKIPPED: the aws command is not installed")
        return []
    environment = {
        **os.environ,
        **account.CREDENTIALS,
        "AWS_ENDPOINT_URL": surface.simulator.endpoint,
        "AWS_DEFAULT_REGION": account.REGION,
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    faults = []
    for arguments, code, text in surface_groups.COMMANDS:
        done = subprocess.run([program, *arguments.split()], env=environment, capture_output=True, text=True)
        output = done.stdout + done.stderr
        is_fine = done.returncode == code and text in output
        print(f"{'ok  ' if is_fine else 'FAIL'} aws {arguments}")
        if not is_fine:
            faults.append(f"aws {arguments}: status {done.returncode}, expected {code} and {text!r}: {output.strip()[:300]}")
    return faults


def drive(surface):
    """All scenarios, each in an account of its own."""
    faults = []
    with account.Simulator("demo") as simulator:
        surface.enter(simulator)
        surface.probe()
    with account.Simulator("demo") as simulator:
        surface.enter(simulator)
        surface_ecs.drive(surface)
    with account.Simulator("group") as simulator:
        surface.enter(simulator)
        surface_groups.drive(surface)
        faults += command_line(surface)
    faults_of_coverage(surface)
    return faults


def report(surface, faults):
    for key, seen in sorted(surface.operations.items()):
        pages = f", {seen.pages} pages" if seen.pages else ""
        codes = f" ({', '.join(sorted(seen.codes))})" if seen.codes else ""
        mark = "FAIL" if seen.faults else "ok  "
        print(f"{mark} {key}: {seen.good} good{pages}, {seen.bad} bad{codes}")
        for fault in seen.faults:
            print(f"     {fault}")
    for fault in faults:
        print(f"FAIL {fault}")
    faults = len(faults) + sum(len(it.faults) for it in surface.operations.values())
    answers = sum(it.answers for it in surface.operations.values())
    print(f"surface: {len(surface.operations)} operations, {answers} answers, {faults} faults")
    return faults


def main():
    surface = Surface()
    faults = drive(surface)
    return 1 if report(surface, faults) else 0


if __name__ == "__main__":
    sys.exit(main())
