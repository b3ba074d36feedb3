"""``steward ensure NAME`` as a pipeline calls it, before each push, in a new process: without the others' imports.

Most of the time of that call was Python's imports: Typer, Rich and botocore, then ``http.client``, ``typing`` and the
certificates of every authority. One name, credentials and region in the environment, and no terminal need none of them;
``re`` and ``json`` are imported while the API works. All other calls take the ordinary way, and get the same
answer.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # typing, which has it, takes time to import
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence
    from typing import Any

_KEY, _SECRET, _TOKEN, _URL = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "STEWARD_API_URL"
_SIGNING = (_KEY, _SECRET, _TOKEN, "AWS_REGION", "AWS_DEFAULT_REGION")
_ELSEWHERE = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "ALL_PROXY"}
"""Settings that botocore knows better than we do. A local API has no proxy, and no certificate."""
_LOCAL = {"127.0.0.1", "localhost"}
_SLASHES = str.maketrans("._-", "///")
_OUTPUTS = {"table", "json", "tsv"}
_SECONDS = 30
"""The gateway answers within 29."""
_LONGEST = 65536
"""Of a line of an answer's head, in bytes."""
_DONE, _REFUSED, _REPEATABLE = {200, 201}, 400, {429, 503, 504}
"""Statuses as numbers: http.HTTPStatus takes time to import."""
_ENCODINGS = {b"transfer-encoding", b"content-encoding"}


def ensure(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int | None:
    """Ensure the one repository that the arguments name; the exit code, or None for what takes the ordinary way.

    None also says that a repetition may help, or that the API was not understood: nothing was printed then.
    """
    asked = _asked(arguments)
    address = _address(environment.get(_URL, ""))
    if asked is None or address is None:
        return None
    form, name = asked
    scheme, host, port, base = address
    region = _region_of(host) or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region or not _is_plain(environment, is_local=host in _LOCAL) or (scheme == "http" and host not in _LOCAL):
        return None
    path = f"{base}/repositories/{name}"
    headers = signed(f"{host}:{port}" if port else host, path, region, environment, time.time())
    try:
        with _connection(host, port, is_encrypted=scheme == "https") as connection:
            connection.sendall(_put(path, headers))
            from ecr_steward.ensured import COLUMNS, exit_code, failure_of, result_of  # while the API works
            from ecr_steward.output import write

            status, body = _answer(connection)
    except (OSError, ValueError):
        return None
    if status in _DONE:
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
    import hashlib
    import hmac

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
        import io

        text = sys.stdin.read()
        sys.stdin = io.StringIO(text)  # for the ordinary way
        image = lines[0] if len(lines := list(dict.fromkeys(in_lines(text)))) == 1 else ""
    name = repository_of(image)
    is_name = name.isascii() and name == name.lower() and all(map(str.isalnum, name.translate(_SLASHES).split("/")))
    return (form, name) if is_name else None


def _address(url: str) -> tuple[str, str, str, str] | None:
    """Scheme, host, port and path of a URL; None where it has more than that, or characters that need a parser."""
    scheme, _, rest = url.removesuffix("/").partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.partition(":")
    is_plain = (
        scheme in {"http", "https"}
        and url.isascii()
        and host.replace(".", "").replace("-", "").isalnum()
        and (port.isdecimal() or not colon)
        and all(part.replace("_", "").replace("-", "").isalnum() for part in path.split("/") if slash)
    )
    return (scheme, host, port, slash + path) if is_plain else None


def _is_plain(environment: Mapping[str, str], *, is_local: bool) -> bool:
    """Whether the environment alone says who calls, and by which way."""
    elsewhere = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} if is_local else _ELSEWHERE
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - pathlib takes time
    return (
        bool(environment.get(_KEY) and environment.get(_SECRET))
        and all(environment.get(name, "").isascii() and environment.get(name, "").isprintable() for name in _SIGNING)
        and not elsewhere & {name.upper() for name, value in environment.items() if value}
        and not os.path.exists(f"{home}/steward/config.toml")  # noqa: PTH110
    )


def _region_of(host: str) -> str | None:
    labels = host.split(".")
    return labels[2] if labels[1:2] == ["execute-api"] and labels[3:] else None


def _connection(host: str, port: str, *, is_encrypted: bool) -> socket.socket:
    """A connection to the API; the certificate and its host are verified as by the standard library's own clients."""
    import socket

    name: Any = host.encode()  # of a text, Python would import the rules for names that are not ASCII
    connection = socket.create_connection((name, int(port or (443 if is_encrypted else 80))), _SECONDS)
    if not is_encrypted:
        return connection
    import ssl

    try:
        context = ssl.create_default_context(capath=_authorities())
        return context.wrap_socket(connection, server_hostname=name)
    except BaseException:
        connection.close()
        raise


def _authorities() -> str | None:
    """The folder in which OpenSSL finds an authority by its hash; None where there is none: all are read, in 30 ms."""
    import ssl

    folder = ssl.get_default_verify_paths().capath
    if os.environ.get("SSL_CERT_FILE") or not folder:
        return None
    return folder if any(name.endswith(".0") for name in os.listdir(folder)) else None  # noqa: PTH208


def _put(path: str, headers: Mapping[str, str]) -> bytes:
    """A PUT without a body."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"PUT {path} HTTP/1.1\r\n{lines}content-length: 0\r\nconnection: close\r\n\r\n".encode()


def _answer(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """The API's answer: status and JSON object.

    Raises
    ------
    ValueError
        It is none, it needs more of HTTP than a length, or a repetition may change it.
    OSError
        The connection broke.
    """
    import json

    with connection.makefile("rb") as answer:
        protocol, status = answer.readline(_LONGEST).split()[:2]
        fields = {}
        while line := answer.readline(_LONGEST).strip():
            name, _, value = line.partition(b":")
            fields[name.lower()] = value
        is_final = int(status) in _DONE or (int(status) >= _REFUSED and int(status) not in _REPEATABLE)
        if not protocol.startswith(b"HTTP/1.") or not is_final or fields.keys() & _ENCODINGS:
            raise ValueError(status)
        length = int(fields.get(b"content-length", b"none"))
        text = answer.read(length)
    body = json.loads(text)
    if len(text) != length or not isinstance(body, dict):
        raise ValueError(text)
    return int(status), body
