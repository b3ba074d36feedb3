"""Secret sync against GitHub's own OpenAPI description, by a mock server that validates every request by it.

Skipped where the two npm packages are not installed. The description's example of a public key has 33 bytes, one more
than such a key has; here it has 32.
"""

import base64
import json
import socket
import subprocess
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from access_key_rotation.adapters.https_json import HttpsJson
from access_key_rotation.adapters.sync_targets import AwsAndCiTargets
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.sync import GitHub, Target

MODULES = Path(__file__).parents[3] / ".local" / "node_modules"
PRISM = MODULES / ".bin" / "prism"
DESCRIPTION = MODULES / "@octokit" / "openapi" / "generated" / "api.github.com.json"
PLACES = (
    "/repos/{owner}/{repo}/actions/secrets",
    "/repos/{owner}/{repo}/environments/{environment_name}/secrets",
    "/orgs/{org}/actions/secrets",
)
KEY = Credential(UserName("ecr-push"), "AKIAEXAMPLE000000002", "wJalr/EXAMPLE+KEY", datetime(2026, 5, 4, tzinfo=UTC))
TOKEN_SECRET = "steward/sync-tokens/ci"

pytestmark = pytest.mark.skipif(
    not (PRISM.exists() and DESCRIPTION.exists()),
    reason="npm install --prefix .local --ignore-scripts @octokit/openapi @stoplight/prism-cli",
)


class Tokens:
    """Secrets Manager with one token."""

    def get_secret_value(self, **_):
        return {"SecretString": "a-token-of-the-tests"}


def part_of_the_description():
    """The paths of secrets with everything that they refer to."""
    whole, kept = json.loads(DESCRIPTION.read_text()), {}
    paths = {
        path: item
        for path, item in whole["paths"].items()
        if path in {f"{place}/{last}" for place in PLACES for last in ("public-key", "{secret_name}")}
    }

    def keep(node):
        if isinstance(node, dict):
            if str(node.get("$ref", "")).startswith("#/components/"):
                kind, name = node["$ref"].split("/")[2:4]
                if name not in kept.setdefault(kind, {}):
                    kept[kind][name] = whole["components"][kind][name]
                    keep(kept[kind][name])
            node = list(node.values())
        for child in node if isinstance(node, list) else ():
            keep(child)

    keep(paths)
    text = json.dumps({"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": kept})
    return text.replace("2Sg8iYjAxxmI2LvUXpJjkYrMxURPc8r+dB7TJyvv1234", base64.b64encode(bytes(range(32))).decode())


@pytest.fixture(scope="module")
def prism(tmp_path_factory):
    """The address of the mock server."""
    folder = tmp_path_factory.mktemp("prism")
    (folder / "github.json").write_text(part_of_the_description())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("w") as log:
        command = [str(PRISM), "mock", "-h", "127.0.0.1", "-p", str(port), str(folder / "github.json")]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    for _ in range(120):
        if "is listening" in (folder / "log").read_text():
            break
        time.sleep(0.5)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(timeout=10)


@pytest.mark.parametrize(
    "where",
    [
        {"repository": "octo/app"},
        {"repository": "octo/app", "environment": "production"},
        {"organization": "octo"},
        {"organization": "octo", "visibility": "selected", "repository_ids": (1, 2)},
    ],
)
def test_every_request_is_as_github_describes_it(prism, where):
    targets = AwsAndCiTargets(lambda *_: None, Tokens(), lambda url, headers: HttpsJson(url, headers, seconds=20))

    targets.write(Target(github=GitHub(token_secret=TOKEN_SECRET, api=prism, **where)), KEY)


def test_a_request_that_is_not_as_described_is_refused_by_the_server(prism):
    connection = HTTPConnection("127.0.0.1", int(prism.rpartition(":")[2]), timeout=20)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
    connection.request("PUT", "/orgs/octo/actions/secrets/X", '{"encrypted_value": "bm90", "key_id": "1"}', headers)

    assert connection.getresponse().status == 422
    connection.close()
