"""The curl of this machine signs every documented call as AWS does."""

import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from steward.path_segments import segment_of
from tests.functional.contract import Contract

REGION = "eu-central-1"
KEY, SECRET, TOKEN = "AKIAEXAMPLE000000001", "c2VjcmV0/+c2VjcmV0", "c2Vzc2lvbg==/+token"
PAGE = Path(__file__).parents[2] / "docs" / "api.md"
NAMES = {"name": "ecr-push", "finding_id": segment_of("access:role:deployer")}
HARD = segment_of("ci+eu=west,1@example.org")
QUERIES = {"limit": "500", "dry_run": "true", "format": "json", "state": "RESOLVED"}
BODIES = {"post": '{"reason": "routine"}', "put": "{}"}


def documented_calls():
    """Method, path and headers of every route of every contract: alone, with each parameter, and with a hard name."""
    calls = []
    for contract in map(Contract, ("repository_provisioning", "access_key_rotation", "policy_drift")):
        for (method, route), operation in contract.operations().items():
            name = "team-a/web" if contract.capability == "repository_provisioning" else NAMES["name"]
            path = route.replace("{name}", name).replace("{finding_id}", NAMES["finding_id"])
            calls.append((method, path, ()))
            if route.startswith(("/service-users/{", "/drift/findings/{")):
                calls.append((method, re.sub(r"\{\w+\}", HARD, route), ()))
            for given in map(contract.resolved, operation.get("parameters", [])):
                if given["in"] == "query":
                    calls.append(
                        (method, f"{path}?{given['name']}={QUERIES.get(given['name'], given.get('example'))}", ())
                    )
                elif given["in"] == "header":
                    calls.append((method, path, ("-H", f'{given["name"]}: "v1"')))
    return calls


class Gateway(BaseHTTPRequestHandler):
    """Answers whether the signature of a request is the one that AWS computes."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signed = re.search(r"SignedHeaders=([^,]+)", self.headers["Authorization"])[1].split(";")
        url = f"http://{self.headers['Host']}{self.path}"
        request = AWSRequest(self.command, url, {name: self.headers[name] for name in signed}, body)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(KEY, SECRET), "execute-api", REGION)
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        self.send_response(200 if f"Signature={signature}" in self.headers["Authorization"] else 403)
        self.end_headers()

    do_GET = do_PUT = do_POST = answer  # noqa: N815 - the names that the server calls

    def log_message(self, *_):
        """Nothing to log."""


@pytest.fixture(scope="module")
def gateway():
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def call(gateway, method, path, options=(), secret=SECRET):
    """The status that the function `call` of the page gets, run as it is printed there."""
    function = re.search(r"^call\(\) \{.*?^\}", PAGE.read_text(), re.MULTILINE | re.DOTALL)[0]
    body = BODIES.get(method)
    arguments = [
        method.upper(),
        path,
        *(("-d", body) if body else ()),
        *options,
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
    ]
    credentials = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": TOKEN}
    done = subprocess.run(
        ["/bin/bash", "-c", f'{function}\ncall "$@"', "bash", *arguments],
        env={"PATH": os.environ["PATH"], "AWS_REGION": REGION, "STEWARD_API_URL": gateway, **credentials},
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout[-3:])


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
@pytest.mark.parametrize(("method", "path", "options"), documented_calls())
def test_curl_signs_a_documented_call_as_aws_does(gateway, method, path, options):
    assert call(gateway, method, path, options) == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_a_call_that_is_signed_with_another_secret_is_refused(gateway):
    assert call(gateway, "get", "/whoami", secret="c2VjcmV0") == 403


def test_no_page_has_a_call_with_two_parameters():
    pages = "".join(page.read_text() for page in PAGE.parent.rglob("*.md"))

    assert re.findall(r"call (?:GET|PUT|POST) \S*\?\S*&\S*", pages) == []


def test_no_page_calls_a_finding_by_its_id():
    pages = "".join(page.read_text() for page in PAGE.parent.rglob("*.md"))

    assert re.findall(r"call \w+ \S*/drift/findings/\S*[:@+=,]\S*", pages) == []
