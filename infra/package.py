"""`make package`: the three functions as packages for Lambda's `provided.al2023`, in target/package.

    python3 infra/package.py [arm64|x86_64]

The same commit gives the same bytes wherever it is built: paths of the machine are kept out of the binaries, and the time out
of the packages. Each binary is checked to ask for no symbol above glibc 2.34, which is what Amazon Linux 2023 has (AWS Lambda
Developer Guide, "OS-only runtimes"), and told with its size and, where this machine can run it, the time it takes to start.
"""

import hashlib
import http.server
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FUNCTIONS = ("rebalance", "drain", "rollout")
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
GLIBC_MAX = (2, 34)
STARTS = 20
HOW_TO_INSTALL = """make package needs cargo-lambda, which brings the cross compiler along:
    python3 -m pip install cargo-lambda     (or: brew install cargo-lambda)
    rustup target add aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu"""


def build(architecture):
    """The binaries, by function."""
    if not shutil.which("cargo-lambda"):
        sys.exit(HOW_TO_INSTALL)
    cargo_home = os.environ.get("CARGO_HOME", str(pathlib.Path.home() / ".cargo"))
    remapped = {cargo_home: "/cargo", str(ROOT): "/evenkeel"}
    flags = [f"--remap-path-prefix={there}={here}" for there, here in remapped.items()]
    # The profile in Cargo.toml says everything; what cargo-lambda would add depends on its version.
    command = ["cargo", "lambda", "build", "--release", "--locked", "--disable-optimizations", "--target", TARGETS[architecture]]
    command += [word for function in FUNCTIONS for word in ("--package", function)]
    # Separated so that a path may hold a space.
    environment = {**os.environ, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)}
    environment.pop("RUSTFLAGS", None)
    if subprocess.run(command, cwd=ROOT, env=environment).returncode:
        sys.exit(f"the build for {architecture} failed, see above\n\n{HOW_TO_INSTALL}")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return {function: target / "lambda" / function / "bootstrap" for function in FUNCTIONS}


def glibc(binary):
    """The latest version of glibc that a symbol is asked of."""
    found = re.findall(rb"GLIBC_(\d+)\.(\d+)", binary.read_bytes())
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def write_package(binary, package):
    """A zip with the binary as `bootstrap`, executable, of no particular time."""
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100755 << 16, zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(package, "w") as it:
        it.writestr(entry, binary.read_bytes(), compresslevel=9)


class RuntimeApi(http.server.BaseHTTPRequestHandler):
    """Hands out one event, which is none of ours, and takes the answer: that needs no AWS."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.is_asked:
            self.server.is_over.wait(10)
            return
        self.server.is_asked = True
        self.answer(200, b'"start-up"')

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(202, b"{}")
        self.server.answered.set()

    def answer(self, status, body):
        self.send_response(status)
        deadline = str(int(time.time() * 1000) + 60_000)
        headers = {"Aws-Request-Id": "1", "Deadline-Ms": deadline, "Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:1:function:f"}
        for name, value in headers.items():
            self.send_header(f"Lambda-Runtime-{name}", value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def start_up(binary):
    """Milliseconds from the start of the process to its first answer."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads, server.is_asked = True, False
    server.answered, server.is_over = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": binary.parent.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "EVENKEEL_CLUSTERS": "web",
    }
    begin = time.perf_counter()
    process = subprocess.Popen([binary], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    is_answered = server.answered.wait(30)
    taken = (time.perf_counter() - begin) * 1000
    process.kill()
    process.wait()
    server.is_over.set()
    server.shutdown()
    if not is_answered:
        sys.exit(f"{binary} did not answer within 30 s")
    return taken


def main():
    architecture = sys.argv[1] if len(sys.argv) > 1 else "arm64"
    if architecture not in TARGETS:
        sys.exit(f"'{architecture}' is no architecture of Lambda: arm64 or x86_64")
    directory = ROOT / "target" / "package"
    directory.mkdir(parents=True, exist_ok=True)
    runs_here = platform.system() == "Linux" and platform.machine() in TARGETS[architecture]
    for function, binary in build(architecture).items():
        version = glibc(binary)
        if version > GLIBC_MAX:
            sys.exit(f"{function} asks for glibc {version[0]}.{version[1]}, and Lambda has {GLIBC_MAX[0]}.{GLIBC_MAX[1]}")
        package = directory / f"{function}-{architecture}.zip"
        write_package(binary, package)
        digest = hashlib.sha256(package.read_bytes()).hexdigest()[:16]
        sizes = f"{binary.stat().st_size / 1e6:.1f} MB, zipped {package.stat().st_size / 1e6:.1f} MB"
        start = "start-up not measured: another processor"
        if runs_here:
            start = f"first answer {statistics.median(start_up(binary) for _ in range(STARTS)):.1f} ms after the start"
        print(f"{package.relative_to(ROOT)}: {sizes}, glibc {version[0]}.{version[1]}, {start}, sha256 {digest}")


main()
