"""AWS's own host names on this machine, for clients that know of no other endpoint.

A client runs in namespaces of its own: a private hosts file names 127.0.0.1, whose port 443 is a TLS proxy with a
certificate of a private authority. The proxy leads through a socket in a folder to the local AWS outside. The machine's
own files, ports and authorities stay as they are.
"""

import json
import shutil
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

INSIDE = """
import json, os, socket, ssl, subprocess, sys, threading
given = json.loads(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(given["certificate"])
server = socket.create_server(("127.0.0.1", 443))
def pump(source, target):
    try:
        while part := source.recv(65536):
            target.sendall(part)
    except OSError:
        pass
    finally:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
def serve(plain):
    try:
        client = context.wrap_socket(plain, server_side=True)
    except OSError:
        return
    door = socket.socket(socket.AF_UNIX)
    door.connect(given["door"])
    threading.Thread(target=pump, args=(client, door), daemon=True).start()
    pump(door, client)
def accept():
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
sys.exit(subprocess.run(given["command"], check=False).returncode)
"""
_ENTER = 'ip link set lo up && mount --bind "$1" /etc/hosts && shift && exec "$@"'


def can_enter() -> bool:
    """Whether this machine lets a test have namespaces of its own."""
    unshare = shutil.which("unshare")
    if not unshare or not shutil.which("ip"):
        return False
    return subprocess.run([unshare, "--mount", "--net", "true"], check=False, capture_output=True).returncode == 0


class UnmodifiedHosts:
    """Runs clients that reach the local AWS at ``port`` by AWS's own names."""

    def __init__(self, folder: Path, port: int, hosts: list[str]) -> None:
        self._folder = folder
        self._port = port
        (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {host}\n" for host in hosts))
        self.authority = self._certify(hosts)
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / "door"))
        self._door.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def run(self, *command: str, environment: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        given = {
            "certificate": str(self._folder / "server.pem"),
            "door": str(self._folder / "door"),
            "command": list(command),
        }
        enter = ["unshare", "--mount", "--net", "sh", "-c", _ENTER, "sh", str(self._folder / "hosts")]
        return subprocess.run(
            [*enter, sys.executable, "-c", INSIDE, json.dumps(given)],
            env=environment | {"SSL_CERT_FILE": str(self.authority), "AWS_CA_BUNDLE": str(self.authority)},
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def close(self) -> None:
        """Let no client in any more."""
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                inside, _ = self._door.accept()
            except OSError:
                return
            outside = socket.create_connection(("127.0.0.1", self._port))
            threading.Thread(target=_pass_on, args=(inside, outside), daemon=True).start()

    def _certify(self, hosts: list[str]) -> Path:
        """A certificate for the names; what clients must trust."""
        now = datetime.now(UTC)
        key, name = (
            ec.generate_private_key(ec.SECP256R1()),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]),
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        public = certificate.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self._folder / "server.pem").write_bytes(private + public)
        (self._folder / "authority.pem").write_bytes(public)
        return self._folder / "authority.pem"


def _pass_on(inside: socket.socket, outside: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended, and close them."""
    with inside, outside:
        answers = threading.Thread(target=_pump, args=(outside, inside), daemon=True)
        answers.start()
        _pump(inside, outside)
        answers.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
    except OSError:
        pass
    finally:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
