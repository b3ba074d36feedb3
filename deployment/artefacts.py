"""What is done to the artefacts after ``sam build`` and before ``sam deploy``, for AWS and for the laptop alike."""

import compileall
import shutil
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = frozenset(
    {
        "cloudformation",
        "cloudtrail",
        "cloudwatch",
        "dynamodb",
        "ecr",
        "events",
        "iam",
        "lambda",
        "s3",
        "secretsmanager",
        "securityhub",
        "sns",
        "sqs",
        "ssm",
        "sts",
    }
)
"""The services of AWS that the functions call: botocore's models of all others are left out."""


def finish(build: "Path", settings: "Path | None") -> None:
    """Make the artefacts what functions start from: small, compiled, and with an operator's settings.

    Parameters
    ----------
    build
        SAM's build folder.
    settings
        The operator's folder; None for the shipped settings alone.

    Raises
    ------
    RuntimeError
        A module does not compile.
    """
    add_settings(build / "SettingsLayer" / "python" / "settings", settings)
    leave_out_models(build / "DependenciesLayer" / "python")
    for artefact in sorted(path for path in build.iterdir() if path.is_dir()):
        compile_modules(artefact)


def add_settings(layer: "Path", settings: "Path | None") -> None:
    """Put an operator's settings into the layer that has the shipped ones, and nobody else's.

    The functions read both, as ``make check`` does. They are one layer version, so CloudFormation rolls code and
    settings back together.
    """
    own = layer / "operator"
    shutil.rmtree(own, ignore_errors=True)
    if settings is not None:
        own.mkdir()
        for path in sorted(settings.glob("*.yaml")):
            shutil.copyfile(path, own / path.name)


def leave_out_models(dependencies: "Path") -> None:
    """Delete what boto3 knows of services that no function calls, of its resources, and its examples."""
    for service in (dependencies / "botocore" / "data").glob("*/"):
        if service.name not in SERVICES:
            shutil.rmtree(service)
    for folder in ("data", "examples"):
        shutil.rmtree(dependencies / "boto3" / folder, ignore_errors=True)
    for examples in (dependencies / "botocore" / "data").rglob("examples-1.json*"):
        examples.unlink()


def compile_modules(artefact: "Path") -> None:
    """Compile every module; Lambda's folders are read-only, so each cold start would compile what it imports.

    Python must not compare times with the source: SAM's archives say 1980 for every file. With *unchecked hashes* it
    takes the bytecode as it is, which is therefore always made anew.
    """
    sound = compileall.compile_dir(
        artefact,
        quiet=2,
        force=True,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        stripdir=artefact,  # the same bytes wherever it is built
    )
    if not sound:
        raise RuntimeError(f"{artefact.name}: a module does not compile; python -m compileall {artefact} says which")
