"""An API as far away as a real one: by TLS, and some milliseconds later, in front of the local AWS."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.deployment import NoDeploymentError

_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Distant:
    """How a client reaches it: the address, and the authorities that it trusts, this machine's and that of the API."""

    environment: dict[str, str]


@contextmanager
def distant(url: str, seconds: float) -> Iterator[Distant]:
    """A server of TLS on this machine that answers with what ``url`` answers, ``seconds`` later.

    Raises
    ------
    NoDeploymentError
        There is no ``openssl`` to make a certificate with.
    """
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 80)
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        context, authorities = _certified(Path(folder))
        threading.Thread(target=_serve, args=(server, context, target, seconds), daemon=True).start()
        yield Distant({"STEWARD_API_URL": f"https://localhost:{server.getsockname()[1]}{parts.path}"} | authorities)


def _serve(server: socket.socket, context: ssl.SSLContext, target: tuple[str, int], seconds: float) -> None:
    with suppress(OSError):  # the benchmark has ended
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_pass_on, args=(connection, context, target, seconds), daemon=True).start()


def _pass_on(connection: socket.socket, context: ssl.SSLContext, target: tuple[str, int], seconds: float) -> None:
    """One request, which fits into one packet, and its answer."""
    with suppress(OSError), context.wrap_socket(connection, server_side=True) as client:
        request = client.recv(_BYTES)
        time.sleep(seconds)
        with socket.create_connection(target) as api:
            api.sendall(request)
            answer = api.recv(_BYTES)
            head, _, body = answer.partition(b"\r\n\r\n")
            (length,) = (
                int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if b"content-length" in line
            )
            while len(body) < length:
                body += api.recv(_BYTES)
        client.sendall(head + b"\r\n\r\n" + body)


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate of ``localhost`` and its key, the authority that signed it, and a folder with that by its hash."""

    certificate: Path
    key: Path
    authority: Path
    authorities: Path


def certificates(folder: Path) -> Certificates:
    """New ones in a folder.

    Raises
    ------
    FileNotFoundError
        There is no ``openssl``.
    """

    def run(*arguments: str) -> str:
        command = ["openssl", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout

    new = ("req", "-newkey", "rsa:2048", "-nodes")
    run(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test", "-addext", "keyUsage=keyCertSign")
    run(*new, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\n")
    signed = ("-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    run("x509", "-req", *signed, "-out", "certificate.pem")
    authorities = folder / "authorities"
    authorities.mkdir()
    name = run("x509", "-hash", "-noout", "-in", "ca.pem").strip()
    shutil.copy(folder / "ca.pem", authorities / f"{name}.0")
    return Certificates(folder / "certificate.pem", folder / "key.pem", folder / "ca.pem", authorities)


def _certified(folder: Path) -> tuple[ssl.SSLContext, dict[str, str]]:
    """A server's context for ``localhost``, and the authorities of this machine with the one that signed it.

    curl reads them from a file, as it reads those of the machine; OpenSSL finds one in a folder by its hash.
    """
    try:
        made = certificates(folder)
    except FileNotFoundError as error:
        raise NoDeploymentError("There is no openssl to make a certificate with") from error
    theirs = ssl.get_default_verify_paths()
    for one in Path(theirs.capath or folder).glob("*.0"):
        shutil.copy(one, made.authorities)
    together = folder / "authorities.pem"
    together.write_bytes(b"".join(Path(one).read_bytes() for one in (theirs.cafile, made.authority) if one))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context, {"SSL_CERT_DIR": str(made.authorities), "CURL_CA_BUNDLE": str(together)}
