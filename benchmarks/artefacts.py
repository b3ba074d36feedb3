"""What ``sam build`` made: where it lies, and how large each artefact is as a zip file."""

import io
import zipfile
from pathlib import Path

from benchmarks.deployment import BUILD, Deployment
from benchmarks.figures import Figure

LAYERS = ("DependenciesLayer", "StewardLayer", "IamPolicyLayer", "SettingsLayer")


def module_path(function: str = "RepositoryApi", build: Path = BUILD) -> list[Path]:
    """Where Lambda looks for modules of a function: its own artefact, then the layers."""
    return [build / function, *(build / layer / "python" for layer in LAYERS)]


def measure(_: Deployment) -> list[Figure]:
    """The size of each artefact, deflated as it is uploaded, and unpacked."""
    figures = []
    for artefact in sorted(path for path in BUILD.iterdir() if path.is_dir()):
        files = [path for path in artefact.rglob("*") if path.is_file()]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(artefact))
        unpacked = sum(path.stat().st_size for path in files) / 1e6
        size = packed.getbuffer().nbytes / 1e6
        figures.append(Figure(artefact.name, size, "MB", detail=f"{len(files)} files, {unpacked:.2f} MB unpacked"))
    return figures
