"""A Lambda Runtime API, just enough for one function: events go in, reports and errors come out, deadlines are real.

    api = RuntimeApi(); kind, answer = api.invoke({}, seconds=20)

From the AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import http.server
import json
import os
import queue
import subprocess
import threading
import time

import account

PREFIX = "/2018-06-01/runtime/"


class RuntimeApi:
    """Serves one function on a port of its own until it is closed."""

    def __init__(self):
        self.events, self.answers, self.count = queue.Queue(), queue.Queue(), 0
        handler = type("Handler", (Handler,), {"api": self})
        self.server = Server(("127.0.0.1", 0), handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, event, seconds):
        """Hands over an event; the answer is ("response" or "error", value), or ("silence", None) after the deadline."""
        self.count += 1
        identity = f"00000000-0000-4000-8000-{self.count:012x}"
        deadline = time.time() + seconds
        self.events.put((identity, json.dumps(event).encode(), int(deadline * 1000)))
        while (left := deadline - time.time()) > 0:
            try:
                answered, kind, value = self.answers.get(timeout=left)
            except queue.Empty:
                break
            if answered in (identity, "init"):
                return kind, value
        return "silence", None

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Nothing: a function that ends breaks its connections off."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        identity, body, deadline = self.api.events.get()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", identity)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:evenkeel")
        self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        *_, identity, kind = self.path.removeprefix(PREFIX).split("/")
        self.api.answers.put((identity, kind, json.loads(body)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing: the function tells its own story."""


def environment(name, endpoint, runtime, settings):
    """What Lambda would give a function, and nothing of this machine's own."""
    return {
        **account.CREDENTIALS,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_NAME": f"evenkeel-{name}",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/evenkeel-{name}",
        "AWS_LAMBDA_LOG_LEVEL": "ERROR",
        "AWS_LAMBDA_LOG_STREAM_NAME": "conformance",
        "AWS_LAMBDA_RUNTIME_API": runtime,
        "AWS_REGION": account.REGION,
        **settings,
    }


class Function:
    """One of Evenkeel's functions, the very program that is uploaded, under this Runtime API."""

    def __init__(self, name, endpoint, settings):
        self.name, self.api = name, RuntimeApi()
        self.environment = environment(name, endpoint, self.api.address, settings)

    def __enter__(self):
        self.log = open(os.devnull, "wb")
        self.start()
        return self

    def start(self):
        program = str(account.binary(self.name))
        self.process = subprocess.Popen([program], env=self.environment, stdout=self.log, stderr=self.log)

    def invoke(self, event, seconds):
        """As `RuntimeApi.invoke`; ("death", status) if the process ends over it, which is replaced then."""
        kind, value = self.api.invoke(event, seconds)
        if self.process.poll() is None:
            return kind, value
        status = self.process.returncode
        self.start()
        return "death", status

    def __exit__(self, *_):
        account.end(self.process)
        self.api.close()
        self.log.close()
