"""A repository with a pull request that adds access, and a GitHub that keeps comments."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integrations.composite_action import PROJECT, runner_environment


def document(*actions):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Repository:
    """A git repository of somebody who uses the gate."""

    def __init__(self, folder):
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.base = self.commit("s3:GetObject")

    def git(self, *arguments):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always"]
        done = subprocess.run(
            ["git", *who, *arguments],  # noqa: S607
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, *actions):
        (self.folder / "deploy.json").write_text(document(*actions))
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def event(self, *, fork=False):
        """What GitHub passes to a workflow of a pull request against the first commit."""
        return {"pull_request": {"number": 7, "base": {"sha": self.base}, "head": {"repo": {"fork": fork}}}}


class GitHub:
    """The comments of one pull request; ``refusal`` is a status that every change gets."""

    def __init__(self):
        self.comments = []
        self.refusal = 0
        self.foreign = set()
        github = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                page = int(self.path.partition("&page=")[2] or 1)
                shown = github.comments[(page - 1) * 2 : page * 2]
                more = len(github.comments) > page * 2
                following = f'<{github.url}{self.path.partition("&")[0]}&page={page + 1}>; rel="next"' if more else ""
                self._answer(200, shown, following)

            def do_POST(self):
                self._change(lambda body: github.comments.append({"id": len(github.comments) + 1, **body}), 201)

            def do_PATCH(self):
                number = int(self.path.rpartition("/")[2])
                if number in github.foreign:
                    self._answer(403, {})
                    return
                self._change(github.comments[number - 1].update, 200)

            def _change(self, change, status):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if github.refusal:
                    self._answer(github.refusal, {})
                    return
                assert self.headers["Authorization"] == "Bearer job-token"
                change(body)
                self._answer(status, {})

            def _answer(self, status, body, link=""):
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if link:
                    self.send_header("Link", link)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def github():
    github = GitHub()
    yield github
    github.server.shutdown()
    github.server.server_close()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return Repository(folder)


@pytest.fixture
def runner(github):
    return runner_environment(sys.executable, GITHUB_API_URL=github.url, GITHUB_REPOSITORY="team/app")


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """The address of a repository with this project under a version's tag, as a pipeline clones it."""
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "cli", "layers", "functions", "integrations"],  # noqa: S607
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    copy = tmp_path_factory.mktemp("source")
    for name in files:
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((PROJECT / name).read_bytes())
            (copy / name).chmod((PROJECT / name).stat().st_mode)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"], ["tag", "v0.1.0"]):
        subprocess.run(["git", *who, *arguments], cwd=copy, check=True)  # noqa: S607
    return f"file://{copy}"
