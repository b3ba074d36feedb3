"""The curl of this machine, and a current libcurl, sign every documented call as AWS does."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pycurl
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


def calls_of_routes():
    """Route -> method, path and headers of its calls: alone, with each parameter, and with a hard name."""
    routes = {}
    for contract in map(Contract, ("repository_provisioning", "access_key_rotation", "policy_drift", "health")):
        for (method, route), operation in contract.operations().items():
            calls = routes.setdefault(f"{method.upper()} {route}", [])
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
    return routes


def documented_calls():
    """The calls of all routes."""
    return [call for calls in calls_of_routes().values() for call in calls]


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
        self.wfile.write(b'{"uri": "of the repository", "detail": "another signature"}')

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - the names that the server calls

    def log_message(self, *_):
        """Nothing to log."""


@pytest.fixture(scope="module")
def gateway():
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


CURRENT = f"""\
#!{sys.executable}
import pycurl, sys

handle, headers, arguments = pycurl.Curl(), [], sys.argv[1:]
with_value = {{"--aws-sigv4": pycurl.AWS_SIGV4, "--user": pycurl.USERPWD}}
with_value |= {{"-X": pycurl.CUSTOMREQUEST, "-d": pycurl.POSTFIELDS}}
while arguments:
    match arguments.pop(0):
        case "-H":
            headers.append(arguments.pop(0))
        case "-o" | "-w":
            arguments.pop(0)
        case option if option in with_value:
            handle.setopt(with_value[option], arguments.pop(0))
        case "--silent" | "--show-error" | "--fail-with-body":
            pass
        case url:
            handle.setopt(pycurl.URL, url)
handle.setopt(pycurl.HTTPHEADER, headers)
handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
handle.perform()
print(handle.getinfo(pycurl.RESPONSE_CODE), end="")
"""
"""The options of the page's function, handed to the libcurl of PycURL: the command itself only reads its arguments."""


def installed():
    """The version of the curl of this machine; empty where there is none."""
    program = shutil.which("curl")
    if program is None:
        return ""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def current():
    """The version of PycURL's libcurl."""
    return re.search(r"libcurl/(\S+)", pycurl.version)[1]


@pytest.fixture(scope="module", params=["of this machine", "current libcurl"])
def curl(request, tmp_path_factory):
    """The folder and the version of a curl."""
    if request.param == "current libcurl":
        command = tmp_path_factory.mktemp("curl") / "curl"
        command.write_text(CURRENT)
        command.chmod(0o755)
        return command.parent, current()
    if not installed():
        pytest.skip("there is no curl on this machine")
    return Path(shutil.which("curl")).parent, installed()


@pytest.fixture(scope="module")
def signed(request):
    """Counts the calls that were signed as AWS signs, by version, and says so at the end."""
    counts = Counter()
    yield counts
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for version, count in counts.items():
            reporter.write_line(
                f"\ncurl {version}: {count} of {len(documented_calls())} documented calls signed as AWS does"
            )


def call(gateway, curl, method, path, options=(), secret=SECRET):
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
        env={"PATH": f"{curl}:{os.environ['PATH']}", "AWS_REGION": REGION, "STEWARD_API_URL": gateway, **credentials},
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout[-3:])


@pytest.mark.parametrize(("method", "path", "options"), documented_calls())
def test_curl_signs_a_documented_call_as_aws_does(gateway, curl, signed, method, path, options):
    folder, version = curl

    assert call(gateway, folder, method, path, options) == 200
    signed[version] += 1


def test_the_page_shows_how_many_calls_of_each_route_are_tried_with_which_curl():
    page = (PAGE.parent / "signatures.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+ /\S*)` \| (\d+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    tried = {route: len(calls) for route, calls in calls_of_routes().items()}

    assert rows == [(route, str(count), str(count), str(count)) for route, count in sorted(tried.items())]
    assert f"| libcurl {current()} |" in page


def test_a_call_that_is_signed_with_another_secret_is_refused(gateway, curl):
    assert call(gateway, curl[0], "get", "/whoami", secret="c2VjcmV0") == 403


def test_no_page_has_a_call_with_two_parameters():
    pages = "".join(page.read_text() for page in PAGE.parent.rglob("*.md"))

    assert re.findall(r"call (?:GET|PUT|POST) \S*\?\S*&\S*", pages) == []


def test_no_page_calls_a_finding_by_its_id():
    pages = "".join(page.read_text() for page in PAGE.parent.rglob("*.md"))

    assert re.findall(r"call \w+ \S*/drift/findings/\S*[:@+=,]\S*", pages) == []
