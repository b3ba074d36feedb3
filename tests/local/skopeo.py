"""skopeo, an OCI client that is nobody's double."""

import hashlib
import json
import os
import shutil
import subprocess

import pytest

needs_skopeo = pytest.mark.skipif(
    shutil.which("skopeo") is None and not os.environ.get("CI"),
    reason="skopeo is not installed; CI installs it (test_provisioning.py does the same with oras)",
)


def layout_of(image, folder):
    """The image in an OCI layout, as a build leaves it; what skopeo calls it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifest = json.dumps(image.manifest).encode()
    for content in (image.config, image.layer, manifest):
        (blobs / hashlib.sha256(content).hexdigest()).write_bytes(content)
    descriptor = {
        "mediaType": image.manifest["mediaType"],
        "digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}",
        "size": len(manifest),
        "annotations": {"org.opencontainers.image.ref.name": "1"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}:1"


def copy(source, target, credentials):
    """Copy an image, logged in with ``user:password`` to whichever end is a registry."""
    sides = [f"--{side}-tls-verify=false" for side in ("src", "dest")]
    ends = {"src": source, "dest": target}
    logins = [f"--{side}-creds={credentials}" for side, end in ends.items() if "docker:" in end]
    command = ["skopeo", "--insecure-policy", "copy", *sides, *logins, source, target]
    return subprocess.run(command, capture_output=True, text=True, check=False)
