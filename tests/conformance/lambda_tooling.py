"""Evenkeel's functions under the Lambda emulation of their own language's tooling, `cargo lambda watch` and `invoke`.

    python3 lambda_tooling.py

It gives every invocation a deadline of 600000 ms after 1970, which is long past. Each function must all the same answer
with a report after one look, and do nothing unsafe. What it has begun, one with a real deadline must be able to end.
Nothing is built: the programs are started by hand, beside an empty package that stands in for a workspace.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import account
import lambda_runtime
import left_over
import weather

INVOCATIONS = 10
SECONDS = 30


def program():
    beside = pathlib.Path(sys.executable).with_name("cargo-lambda")
    return str(beside) if beside.exists() else shutil.which("cargo-lambda")


def stand_in(directory):
    """A package with three programs in it that are never built; the tooling wants to see one."""
    (directory / "Cargo.toml").write_text('[package]\nname = "stand-in"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n')
    (directory / "src" / "bin").mkdir(parents=True)
    for name in ("rebalance", "drain", "rollout"):
        (directory / "src" / "bin" / f"{name}.rs").write_text("fn main() {}\n")


class Watch:
    """`cargo lambda watch`, for the length of a `with`."""

    def __init__(self, directory):
        self.directory, self.port = directory, account.free_port()

    def __enter__(self):
        options = ["--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port", str(self.port)]
        command = [program(), "lambda", "watch", *options]
        self.log = open(self.directory / "watch.txt", "wb")
        self.process = subprocess.Popen(command, cwd=self.directory, stdout=self.log, stderr=self.log)
        account.wait_for(self.port, self.process)
        return self

    def __exit__(self, *_):
        account.end(self.process)
        self.log.close()

    def runtime(self, name):
        """Where the function of this name finds its events."""
        return f"http://127.0.0.1:{self.port}/.rt/{name}"

    def invoke(self, name, event):
        """The function's answer through `cargo lambda invoke`; a text if it is not JSON."""
        address = ["--invoke-address", "127.0.0.1", "--invoke-port", str(self.port)]
        command = [program(), "lambda", "invoke", name, *address, "--data-ascii", json.dumps(event)]
        try:
            done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"no answer in {SECONDS} s"
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return f"status {done.returncode}: {done.stdout}{done.stderr}".strip()


def can_run(directory):
    """Whether the tooling is there and starts; why not, if not."""
    if program() is None:
        return "cargo-lambda is not installed"
    if shutil.which("cargo") is None:
        return "cargo-lambda needs cargo, if only to read a package's name"
    try:
        with Watch(directory):
            return None
    except SystemExit as reason:
        return f"{reason}: {(directory / 'watch.txt').read_text().strip()}"


def try_out(watch, voyage):
    """One function in one account: first under the tooling, then with time to end what it began."""
    with account.Simulator(voyage.cluster, multiple=weather.MULTIPLE) as simulator:
        before, event = left_over.look(simulator), voyage.begin(simulator)
        said = hurried(watch, voyage, simulator, event)
        with lambda_runtime.Function(voyage.name, simulator.endpoint, voyage.settings) as function:
            said += voyage.through_calm(function, simulator, event)
        simulator.advance(1800)
        voyage.close(simulator, before)
    print(f"{'FAIL' if voyage.faults else 'ok  '} {voyage.name}: {', '.join(briefly(said))}")
    for fault in voyage.faults:
        print(f"     {fault}")
    return voyage.faults


def hurried(watch, voyage, simulator, event):
    """What the invocations under the tooling come to."""
    environment = lambda_runtime.environment(voyage.name, simulator.endpoint, watch.runtime(voyage.name), voyage.settings)
    environment["AWS_LAMBDA_FUNCTION_NAME"] = voyage.name
    command, nowhere = [str(account.binary(voyage.name))], subprocess.DEVNULL
    function, said = subprocess.Popen(command, env=environment, stdout=nowhere, stderr=nowhere), []
    for asked in [event] + [{}] * (INVOCATIONS - 1):
        answer = watch.invoke(voyage.name, asked)
        is_report = isinstance(answer, dict) and answer.get("job") == voyage.name and "status" in answer
        if not is_report or answer["status"] == "failed":
            voyage.faults.append(f"{json.dumps(asked)} is answered with {json.dumps(answer)}")
            break
        said.append(answer["status"])
        simulator.advance(10)
    account.end(function)
    return said


def briefly(said):
    """Neighbours that are alike, as one with a number."""
    runs = []
    for word in said:
        if runs and runs[-1][0] == word:
            runs[-1][1] += 1
        else:
            runs.append([word, 1])
    return [word if times == 1 else f"{times} x {word}" for word, times in runs]


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        stand_in(directory)
        if reason := can_run(directory):
            print(f"!! SKIPPED: {reason}")
            return account.SKIPPED
        with Watch(directory) as watch:
            faults = [fault for voyage in weather.VOYAGES for fault in try_out(watch, voyage)]
    print(f"lambda_tooling: {len(weather.VOYAGES)} functions, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
