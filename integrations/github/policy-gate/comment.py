"""Puts the answer of the gate on a pull request: one comment, updated in place.

Environment: ``COMMENT`` (a Markdown file), ``PULL_REQUEST`` (its number), ``TOKEN``, and GitHub's own
``GITHUB_REPOSITORY`` and ``GITHUB_API_URL``. Without the permission to comment, as in a pull request from a fork, it
says so and ends well: the summary of the step has the same text. It needs the standard library alone.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

MARK = "<!-- ecr-steward policy-gate -->"
"""The first line of our comment."""
NOTHING = "No change of access."
_SECONDS = 20
_MOST_PAGES = 50
_FORBIDDEN = {401, 403, 404}


def main() -> int:
    """Create or update the comment; the exit code is never a reason to fail the pull request."""
    text = Path(os.environ["COMMENT"]).read_text(encoding="utf-8")
    comments = f"{_api()}/issues/{int(os.environ['PULL_REQUEST'])}/comments?per_page=100"
    try:
        if not _updated(comments, text) and NOTHING not in text:
            _call("POST", comments.partition("?")[0], {"body": f"{MARK}\n{text}"})
    except urllib.error.HTTPError as error:
        why = "this token may not comment here" if error.code in _FORBIDDEN else f"GitHub answered {error.code}"
        print(f"::notice::No comment on the pull request: {why}. The summary of the step has the same text.")
    except (OSError, ValueError) as error:
        print(f"::notice::No comment on the pull request: {error}. The summary of the step has the same text.")
    return 0


def _updated(page: str, text: str) -> bool:
    """Whether there was a comment of ours, which now has this text."""
    for _ in range(_MOST_PAGES):
        found, links = _call("GET", page)
        for one in found:
            if not str(one.get("body", "")).startswith(MARK):
                continue
            try:
                _call("PATCH", f"{_api()}/issues/comments/{one['id']}", {"body": f"{MARK}\n{text}"})
            except urllib.error.HTTPError as error:
                if error.code not in _FORBIDDEN:
                    raise
                continue  # another person's comment that begins like ours
            return True
        following = re.search(r'<([^>]+)>; rel="next"', links)
        if following is None:
            return False
        page = following[1]
    return False


def _api() -> str:
    return f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{os.environ['GITHUB_REPOSITORY']}"


def _call(method: str, url: str, body: dict[str, str] | None = None) -> tuple[list[dict[str, object]], str]:
    if not url.startswith(_api()):
        raise ValueError(f"the next page is at another host: {url}")
    request = urllib.request.Request(  # noqa: S310 - the address begins as GitHub's own variable says
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['TOKEN']}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        return json.load(answer), answer.headers.get("Link") or ""


if __name__ == "__main__":
    sys.exit(main())
