"""Whether settings are sound, and what they are: what ``python -m CAPABILITY.check_settings`` does for a capability."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from steward import settings
from steward.errors import Place, SettingsError

_COMMENT_COLUMN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile[T]:
    """A settings file: what it is called, what it is read into, and how people hear of it.

    Attributes
    ----------
    name : str
        Of the shipped file, and of the operator's that is merged over it.
    what : str
        What it holds, in words.
    into : type
        The dataclass that it is read into.
    summary : callable
        The whole of it in a few words.
    warnings : callable
        What is allowed and surely not meant, each with its place in the file; an empty place is the whole file.
    """

    name: str
    what: str
    into: type[T]
    summary: Callable[[T], str]
    warnings: Callable[[T], Iterable[tuple[Place, str]]] = lambda _: ()


def check(arguments: list[str] | None, *files: SettingsFile[Any]) -> int:
    """Print what is wrong with settings, as ``file:line: what``, or what they say in one line for each file.

    Parameters
    ----------
    arguments
        The command's: an operator's folder, or nothing for the settings that are shipped; ``--show`` prints the
        settings that are in force, and where each value comes from. None for those of the process.

    Returns
    -------
    int
        The exit code: 1 if the settings cannot be used, else 0.
    """
    parser = argparse.ArgumentParser(prog="check_settings", description=f"Check {_listed(f.what for f in files)}.")
    parser.add_argument("folder", type=Path, nargs="?", help="an operator's; it holds only what differs")
    parser.add_argument("--show", action="store_true", help="print the settings, and where each value comes from")
    options = parser.parse_args(arguments)
    try:
        _refuse_unknown_files(options.folder)
        for file in files:
            _check(file, options.folder, show=options.show)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _check(file: SettingsFile[Any], folder: Path | None, *, show: bool) -> None:
    paths = settings.locate(file.name, folder)
    document = settings.read(paths, file.into)
    label = str(paths[-1]) if len(paths) > 1 else file.name
    for place, warning in [*document.renamed, *file.warnings(document.value)]:
        where = document.position(place) if place else label
        print(f"{where}: warning: {warning}", file=sys.stderr)
    if show:
        print(f"# {file.name}", *_shown(document), "", sep="\n")
    else:
        print(f"{label}: {file.summary(document.value)}")


def _refuse_unknown_files(folder: Path | None) -> None:
    """A file under a name that nothing reads would be a setting that does not hold."""
    if folder is None:
        return
    if not folder.is_dir():
        raise SettingsError(f"{folder}: is no folder; SETTINGS is the folder of your own settings files")
    known = sorted(path.name for path in settings.shipped().glob("*.yaml"))
    for path in sorted(folder.iterdir()):
        if path.suffix in {".yaml", ".yml"} and path.name not in known:
            raise SettingsError(f"{path}: is no settings file; they are {_listed(known)}")


def _shown(document: settings.Document[Any]) -> Iterator[str]:
    """The settings as YAML, each value with a comment that says where it comes from."""
    yield from _lines(document, msgspec.to_builtins(document.value, enc_hook=str), document.raw, ())


def _lines(document: settings.Document[Any], read: dict[str, Any], raw: dict[str, Any], place: Place) -> Iterator[str]:
    indent = "  " * len(place)
    for key, value in (raw | {key: value for key, value in read.items() if key not in raw}).items():
        origin = document.position((*place, key)) if key in raw else "default"
        name = _flow(key)
        if isinstance(value, dict) and value and isinstance(read[key], dict):
            yield f"{indent}{name}:"
            yield from _lines(document, read[key], raw.get(key, {}), (*place, key))
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield f"{f'{indent}{name}:':{_COMMENT_COLUMN}} # {origin}"
            yield from (f"{indent}  - {_flow(item)}" for item in value)
        else:
            yield f"{f'{indent}{name}: {_flow(value)}':{_COMMENT_COLUMN}} # {origin}"


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=sys.maxsize, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
