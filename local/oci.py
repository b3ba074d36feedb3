"""A tiny OCI image, pushed and pulled with the OCI client ``oras``.

Source: OCI Image Format Specification, https://github.com/opencontainers/image-spec
"""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import oras.container
import oras.provider

if TYPE_CHECKING:
    import requests

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class PushRefusedError(Exception):
    """The registry refused a push.

    Attributes
    ----------
    code
        The registry's error code, such as ``NAME_UNKNOWN``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Image:
    """An image with one layer; the same content has the same digest, always."""

    config: bytes
    layer: bytes

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest that names the two parts."""
        return {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, self.config),
            "layers": [_descriptor(_LAYER, self.layer)],
        }


def image_of(text: str) -> Image:
    """An image that holds one file, ``/hello``, with this text."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        file = tarfile.TarInfo("hello")
        file.size = len(text.encode())
        tar.addfile(file, io.BytesIO(text.encode()))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [_digest(archive.getvalue())]},
    }
    return Image(json.dumps(config).encode(), gzip.compress(archive.getvalue(), mtime=0))


class Registry:
    """A registry on this machine, reached over plain HTTP.

    Parameters
    ----------
    address
        Host and port, such as ``127.0.0.1:4570``.
    user, password
        What ``docker login`` would be given.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        self._address = address
        self._client = oras.provider.Registry(address, insecure=True, auth_backend="basic")
        self._client.auth.set_basic_auth(user, password)

    def push(self, image: Image, name: str, tag: str) -> str:
        """Push an image and return its digest.

        Raises
        ------
        PushRefusedError
            When the registry takes no upload for this name.
        """
        container = self._container(name, tag)
        self._start_upload(container)
        with tempfile.TemporaryDirectory() as folder:
            for content, descriptor in (
                (image.config, image.manifest["config"]),
                (image.layer, image.manifest["layers"][0]),
            ):
                blob = Path(folder) / "blob"
                blob.write_bytes(content)
                self._client.upload_blob(str(blob), container, descriptor).raise_for_status()
        reply = self._client.upload_manifest(image.manifest, container)
        reply.raise_for_status()
        return str(reply.headers["Docker-Content-Digest"])

    def pull(self, name: str, tag: str) -> tuple[str, bytes]:
        """The digest of an image, computed from what arrived, and its only layer."""
        container = self._container(name, tag)
        manifest = self._get(f"http://{container.manifest_url()}", accept=_MANIFEST)
        layer = json.loads(manifest)["layers"][0]["digest"]
        return _digest(manifest), self._get(f"http://{container.get_blob_url(layer)}", accept="*/*")

    def _container(self, name: str, tag: str) -> oras.container.Container:
        return self._client.get_container(f"{self._address}/{name}:{tag}")

    def _start_upload(self, container: oras.container.Container) -> None:
        """Begin and give up an upload: the first thing that a push asks for, and where a registry says no."""
        reply = self._client.do_request(f"http://{container.upload_blob_url()}", "POST")
        if reply.status_code != HTTPStatus.ACCEPTED:
            refusal = reply.json()["errors"][0]
            raise PushRefusedError(refusal["code"], refusal["message"])
        self._client.do_request(f"http://{self._address}{reply.headers['Location']}", "DELETE")

    def _get(self, url: str, accept: str) -> bytes:
        reply: requests.Response = self._client.do_request(url, "GET", headers={"Accept": accept})
        reply.raise_for_status()
        return reply.content


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
