"""``steward ensure NAME`` as a pipeline calls it, before each push, in a new process: without the others' imports.

Most of the time of that call was Python's imports (Typer, Rich, botocore). One name, credentials and region in the
environment, and no terminal need none of them. Whatever is different takes the ordinary way, which answers the same.
"""

import hashlib
import hmac
import io
import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_steward.ensured import COLUMNS, exit_code, failure_of, result_of
from ecr_steward.output import write

_KEY, _SECRET, _TOKEN, _URL = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "STEWARD_API_URL"
_ELSEWHERE = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "ALL_PROXY"}
"""Settings that botocore knows better than we do. A local API has no proxy, and no certificate."""
_LOCAL = {"127.0.0.1", "localhost"}
_ADDRESS = re.compile(r"(https?)://([A-Za-z0-9.-]+)(?::(\d+))?((?:/[A-Za-z0-9_-]+)*)/?")
_NAME = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*")
_OUTPUTS = {"table", "json", "tsv"}
_SECONDS = 30
"""The gateway answers within 29."""


def ensure(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int | None:
    """Ensure the one repository that the arguments name; the exit code, or None for what takes the ordinary way.

    None also says that a repetition may help, or that the API was not understood: nothing was printed then.
    """
    asked = _asked(arguments)
    address = _ADDRESS.fullmatch(environment.get(_URL, ""))
    if asked is None or address is None:
        return None
    form, name = asked
    scheme, host, port, base = address.groups()
    region = _region_of(host) or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region or not _is_plain(environment, is_local=host in _LOCAL) or (scheme == "http" and host not in _LOCAL):
        return None
    path = f"{base}/repositories/{name}"
    headers = signed(f"{host}:{port}" if port else host, path, region, environment, time.time())
    answered = _put(scheme, host, port, path, headers)
    if answered is None:
        return None
    status, body = answered
    if status < 400:  # noqa: PLR2004 - http.HTTPStatus takes time to import
        result = result_of({"name": name, "repository": body})
    else:
        from ecr_steward.api import ApiError

        result = failure_of(name, str(ApiError(status, body)))
    write(form, [result], COLUMNS)
    return exit_code([result])


def signed(host: str, path: str, region: str, environment: Mapping[str, str], now: float) -> dict[str, str]:
    """The headers of a PUT without a body, with AWS's signature of version 4.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. The path holds
    only characters that it leaves as they are.
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    token = environment.get(_TOKEN)
    headers = {"host": host, "x-amz-date": moment, **({"x-amz-security-token": token} if token else {})}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"PUT\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(b'').hexdigest()}"
    scope = (moment[:8], region, "execute-api", "aws4_request")
    text = f"AWS4-HMAC-SHA256\n{moment}\n{'/'.join(scope)}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environment[_SECRET]}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={environment[_KEY]}/{'/'.join(scope)}"
    return headers | {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={key.hex()}"}


def _asked(arguments: Sequence[str]) -> tuple[str, str] | None:
    """The form of the output and the name of ``[--output FORM] ensure NAME``, where NAME may be an image, or ``-``."""
    match list(arguments):
        case ["--output", form, "ensure", image] if form in _OUTPUTS:
            pass
        case ["ensure", image]:
            form = "table"
        case _:
            return None
    if form == "table" and sys.stdout.isatty():
        return None
    from ecr_steward.images import in_lines, repository_of

    if image == "-":
        text = sys.stdin.read()
        sys.stdin = io.StringIO(text)  # for the ordinary way
        image = lines[0] if len(lines := list(dict.fromkeys(in_lines(text)))) == 1 else ""
    name = repository_of(image)
    return (form, name) if _NAME.fullmatch(name) else None


def _is_plain(environment: Mapping[str, str], *, is_local: bool) -> bool:
    """Whether the environment alone says who calls, and by which way."""
    elsewhere = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} if is_local else _ELSEWHERE
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - pathlib takes time
    return (
        bool(environment.get(_KEY) and environment.get(_SECRET))
        and not elsewhere & {name.upper() for name, value in environment.items() if value}
        and not os.path.exists(f"{home}/steward/config.toml")  # noqa: PTH110
    )


def _region_of(host: str) -> str | None:
    labels = host.split(".")
    return labels[2] if labels[1:2] == ["execute-api"] and labels[3:] else None


def _put(
    scheme: str, host: str, port: str | None, path: str, headers: Mapping[str, str]
) -> tuple[int, dict[str, Any]] | None:
    """The API's answer; None where it is none, or one that a repetition may change."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    kind = HTTPSConnection if scheme == "https" else HTTPConnection
    connection = kind(host, int(port) if port else None, timeout=_SECONDS)
    try:
        connection.request("PUT", path, headers=dict(headers))
        response = connection.getresponse()
        status, body = response.status, json.loads(response.read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return (status, body) if isinstance(body, dict) and status not in {429, 503, 504} else None
