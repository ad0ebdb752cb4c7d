"""Installs the example `spot-cluster`, Evenkeel with it, in an emulator, lets the real functions answer there, and removes it.

    python3 infra/tests/emulator/run.py WORK     WORK has a copy of infra/; the binaries are those of `cargo build`

The emulator (ministack) runs a function's `bootstrap` as a process of this machine, so that the packages hold the binaries
built for it. It places no task and registers no instance: what is proved is the installation, not the work. What it lacks is
said in override.tf beside this, and the rest, among which application auto scaling, is left out there.
"""

import json
import os
import pathlib
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile

import boto3

WORK = pathlib.Path(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLE = WORK / "infra/examples/spot-cluster"
FUNCTIONS = ("rebalance", "drain", "rollout")
NAME = "spot-example"
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
SCHEDULED_EVENT = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-02T03:04:06Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:000000000000:rule/evenkeel"],
    "detail": {},
}
INTERRUPTION = {
    **SCHEDULED_EVENT,
    "detail-type": "EC2 Spot Instance Interruption Warning",
    "source": "aws.ec2",
    "detail": {"instance-id": "i-0123456789abcdef0", "instance-action": "terminate"},
}


def packages():
    """The binaries of the development build, each as a package."""
    directory = WORK / "packages"
    directory.mkdir(exist_ok=True)
    for function in FUNCTIONS:
        with zipfile.ZipFile(directory / f"{function}-{ARCHITECTURE}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
            package.write(ROOT / "target/debug" / function, "bootstrap")
    return directory


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def start(port):
    """The emulator; functions call back to it, since they inherit its environment."""
    endpoint = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": endpoint}
    with open(WORK / "emulator.txt", "w") as log:
        emulator = subprocess.Popen([WORK / "emulator/bin/ministack"], env=environment, stdout=log, stderr=log)
    for _ in range(60):
        try:
            urllib.request.urlopen(endpoint, timeout=1)
            return emulator, endpoint
        except urllib.error.HTTPError:
            return emulator, endpoint
        except OSError:
            time.sleep(1)
    emulator.kill()
    sys.exit("the emulator does not answer")


def terraform(*arguments, **options):
    return subprocess.run(["terraform", *arguments], cwd=EXAMPLE, check=True, **options)


def apply(directory, port):
    override = (pathlib.Path(__file__).parent / "override.tf").read_text()
    (EXAMPLE / "emulator_override.tf").write_text(override.replace("PORT", str(port)))
    settings = {
        "evenkeel_package_directory": directory,
        "evenkeel_architecture": ARCHITECTURE,
        "volumes_per_zone": 1,
        "addresses": 1,
        "ami_id": "ami-0123456789abcdef0",
    }
    variables = "".join(f"{key} = {json.dumps(str(value))}\n" for key, value in settings.items())
    (EXAMPLE / "emulator.auto.tfvars").write_text(variables)
    terraform("init", "-input=false", "-no-color", stdout=subprocess.DEVNULL)
    with open(WORK / "apply.txt", "w") as log:
        terraform("apply", "-auto-approve", "-input=false", "-no-color", stdout=log)


def check_policies():
    """Once applied, the policies hold whole ARNs."""
    shown = terraform("show", "-json", stdout=subprocess.PIPE).stdout
    linter = [WORK / "analysis/bin/python3", WORK / "infra/tests/policies.py"]
    subprocess.run(linter, input=shown, check=True)


def answer(client, function, event):
    """What a function answers; an error ends the test."""
    response = client.invoke(FunctionName=f"{NAME}-evenkeel-{function}", Payload=json.dumps(event))
    body = json.loads(response["Payload"].read())
    assert "FunctionError" not in response, f"{function}: {body}"
    return body


def check_functions(endpoint):
    options = {"endpoint_url": endpoint, "region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("lambda", **options)
    for function in FUNCTIONS:
        report = answer(client, function, SCHEDULED_EVENT)
        assert (report["job"], report["status"]) == (function, "nothingToDo"), report
        assert report["apiCalls"], "the function has asked nobody"
        print(f"{function}: {report['status']} after {sum(report['apiCalls'].values())} calls")
    report = answer(client, "drain", INTERRUPTION)
    assert report["job"] == "drain" and not report["actions"], report
    start = {"action": "start", "autoScalingGroup": NAME, "cluster": NAME, "dryRun": True}
    report = answer(client, "rollout", start)
    reasons = {line["code"] for line in report["blocked"]}
    assert report["status"] == "blocked" and "notRegistered" in reasons, report
    print(f"rollout, dry run: {report['status']}, {sorted(reasons)}")
    lines = boto3.client("logs", **options).filter_log_events(logGroupName=f"/aws/lambda/{NAME}-evenkeel-rebalance")["events"]
    metrics = [line["message"] for line in lines if '"_aws"' in line["message"]]
    assert any('"Skew"' in line for line in metrics), "no metric in the log"
    print(f"metrics: {len(metrics)} lines in the log of rebalance")


def main():
    directory = packages()
    port = free_port()
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_EC2_METADATA_DISABLED="true")
    emulator, endpoint = start(port)
    try:
        apply(directory, port)
        check_policies()
        check_functions(endpoint)
        with open(WORK / "destroy.txt", "w") as log:
            terraform("destroy", "-auto-approve", "-input=false", "-no-color", stdout=log)
        left = terraform("state", "list", stdout=subprocess.PIPE, text=True).stdout
        assert not left.strip(), f"left after destroy: {left}"
        print((WORK / "destroy.txt").read_text().strip().splitlines()[-1])
    finally:
        emulator.terminate()
        emulator.wait()


main()
