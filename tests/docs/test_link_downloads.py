"""The documented downloads fail, and save nothing that could be taken for a baseline, where S3 refuses a link."""

import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.docs.test_pages import DOCS

ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'
REFUSALS = {
    "expired": (403, ERROR.format("AccessDenied", "Request has expired")),
    "expired-session": (403, ERROR.format("ExpiredToken", "The provided token has expired.")),
    "another-signature": (400, ERROR.format("InvalidArgument", "Only one auth mechanism allowed")),
    "another-region": (301, ERROR.format("PermanentRedirect", "Please send all future requests to this endpoint.")),
    "another-region-signed": (400, ERROR.format("AuthorizationHeaderMalformed", "the region is wrong")),
    "cut-off": (200, '{"reviewed": false, "entities": ['),
}
"""Path of a link -> what S3 answers: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""
WHOLE = '{"reviewed": false}'
DOWNLOAD = re.compile(r"^curl --fail .*--output (\S+) .*\n.*jq -e [^#\n]*", re.MULTILINE)
PAGES = ("policy-drift.md", "runbooks/adopt-after-a-planned-change.md")

pytestmark = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the pages need curl and jq")


class S3(BaseHTTPRequestHandler):
    """Answers each link as its path says."""

    def do_GET(self):
        status, body = REFUSALS.get(self.path.strip("/"), (200, WHOLE))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """Nothing to log."""


@pytest.fixture(scope="module")
def s3():
    server = HTTPServer(("127.0.0.1", 0), S3)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def downloads():
    """Every documented download that saves a baseline: its page and its command."""
    return [(page, found[0]) for page in PAGES for found in DOWNLOAD.finditer((DOCS / page).read_text())]


def download(command, link, folder):
    """Run a command of a page, whose `call` answers this link."""
    call = f"""call() {{ echo '{{"document": "{link}"}}'; }}"""
    done = subprocess.run(
        ["/bin/bash", "-c", f"{call}\n{command}"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode


def test_both_pages_have_a_download():
    assert {page for page, _ in downloads()} == set(PAGES)


@pytest.mark.parametrize(("page", "command"), downloads())
def test_a_whole_baseline_is_saved(s3, tmp_path, page, command):
    assert download(command, f"{s3}/whole", tmp_path) == 0
    assert (tmp_path / "iam-baseline.json").read_text() == WHOLE


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize(("page", "command"), downloads())
def test_a_link_that_expired_or_is_opened_otherwise_than_it_was_made_is_a_failure(s3, tmp_path, page, command, refusal):
    assert download(command, f"{s3}/{refusal}", tmp_path) != 0
    if REFUSALS[refusal][0] >= 400:
        assert list(tmp_path.iterdir()) == []
