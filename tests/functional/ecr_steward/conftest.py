"""A server on this machine that answers as the stack's API does: by the real handler, or by the contracts' examples."""

import json
import re
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from tests.functional.contract import Contract
from tests.functional.repository_provisioning.conftest import CONTRACT, Api, registry_prefixes

__all__ = ["registry_prefixes"]

PREFIX = "/v1"
SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=testing/\d{8}/ca-central-1/execute-api/aws4_request, SignedHeaders=")


class Server:
    """Answers requests by a function of method, path, query, headers and body; keeps what it was asked."""

    def __init__(self, answer, unsigned=()):
        self.asked = []
        self.gone = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._answer()

            do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - named as http.server calls them

            def _answer(self):
                parts = urlsplit(self.path)
                if parts.path.removeprefix(PREFIX) == server.gone:
                    self.send_error(403)
                    return
                if parts.path.removeprefix(PREFIX) not in unsigned:
                    assert SIGNED.match(self.headers["Authorization"])
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = unquote(parts.path.removeprefix(PREFIX))
                sent = json.loads(body) if body else None
                server.asked.append((self.command, path, dict(parse_qsl(parts.query)), sent))
                status, headers, answered = answer(*server.asked[-1])
                content = answered if isinstance(answered, bytes) else json.dumps(answered).encode()
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(BrokenPipeError):  # the caller waited no longer
                    self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Starts a server with these answers and makes it the API of the command line."""
    servers = []
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)

    def start(answer, unsigned=()):
        servers.append(Server(answer, unsigned))
        monkeypatch.setenv("STEWARD_API_URL", servers[-1].url)
        monkeypatch.setenv("AWS_REGION", "ca-central-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def stack(cold_start, serve, registry_prefixes):
    """The routes of repositories, answered by their handler."""
    api = Api(CONTRACT, cold_start)
    return serve(lambda method, path, query, body: api.call(method, path, body, query=query or None))


@pytest.fixture
def examples(serve):
    """The operators' routes, answered by the examples of their contracts."""
    known = {}
    for capability in ("access_key_rotation", "policy_drift"):
        contract = Contract(capability)
        for (method, path), operation in contract.operations().items():
            status = min(status for status in operation["responses"] if status.startswith("2"))
            content = next(iter(contract.resolved(operation["responses"][status])["content"].values()))
            example = content.get("example") or next(iter(content["examples"].values()))["value"]
            known[method.upper(), re.sub(r"\{\w+\}", "[^/]+", path)] = (int(status), example)

    def answer(method, path, query, body):
        for (known_method, pattern), (status, example) in known.items():
            if method == known_method and re.fullmatch(pattern, path):
                return status, {"Content-Type": "application/json"}, {**example, "next": None}
        return 404, {}, {"type": "urn:ecr-steward:problem:no-such-route", "title": "No such route"}

    return serve(answer)
