"""Starting the simulated account as a process of its own, and clients for it.

Every arm of this directory asks here for a server, a free port and boto3 clients. One server lives at a time.
"""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
REGION = "eu-west-1"
SERVICES = ("ecs", "elbv2", "autoscaling", "ec2")
# The exit status of an arm that could not run for want of somebody's program.
SKIPPED = 3
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "test"}


def root():
    """The clone that this directory is in, unless CONFORMANCE_ROOT names another."""
    return pathlib.Path(os.environ.get("CONFORMANCE_ROOT") or HERE.parents[1])


def binaries():
    """Where the built programs are: CONFORMANCE_BINARIES, else target/debug of the clone."""
    return pathlib.Path(os.environ.get("CONFORMANCE_BINARIES") or root() / "target" / "debug")


def binary(name):
    path = binaries() / name
    if not path.exists():
        raise SystemExit(f"{path} is missing: run `make build`, or name its directory in CONFORMANCE_BINARIES")
    return path


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def wait_for(port, process, seconds=60):
    """Returns once something listens on the port."""
    for _ in range(seconds * 10):
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{process.args[0]} does not listen on port {port} after {seconds} s")


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def client(service, endpoint, region=REGION, validates=True):
    """A boto3 client that asks once and hides nothing behind retries."""
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=validates, read_timeout=60)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


class Simulator:
    """One of the accounts that `simulator serve` has, for the length of a `with`."""

    def __init__(self, cluster, multiple=20, seed=1):
        self.cluster = cluster
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.arguments = ["serve", "--port", self.port, "--multiple", multiple, "--seed", seed, "--cluster", cluster]

    def __enter__(self):
        command = [str(binary("simulator")), *map(str, self.arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self.port, self.process)
        return self

    def __exit__(self, *_):
        end(self.process)

    def ask(self, path, method="GET", **parameters):
        """One of the addresses under /_sim/ that people and tests have beside the APIs."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(f"{self.endpoint}/_sim/{path}{query}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def advance(self, seconds):
        """Lets the account live through this many of its own seconds at once."""
        self.ask("advance", "POST", seconds=seconds)

    def state(self):
        return json.loads(self.ask("state"))

    def calls(self):
        return json.loads(self.ask("calls"))
