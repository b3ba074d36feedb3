"""Generate the JSON Schemas of the settings from the dataclasses that read them: `make schemas`.

Editors complete and check a file by the comment in its first line. A schema demands nothing where an operator's file
may hold only what differs: at the top, and in the mappings that are merged.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from steward.check_settings import SettingsFile

PROJECT = Path(__file__).parents[1]
TARGET = PROJECT / "layers" / "settings"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def main() -> None:
    """Write a schema beside each file."""
    for file in settings_files():
        path = schema_path(file)
        path.write_text(text_of(schema(file.into)), encoding="utf-8")
        print(path.relative_to(PROJECT))


def settings_files() -> Iterator[SettingsFile[Any]]:
    """Every settings file, as the capabilities declare them."""
    for path in sorted(PROJECT.glob("functions/*/check_settings.py")):
        yield from importlib.import_module(f"{path.parent.name}.check_settings").FILES


def schema_path(file: SettingsFile[Any]) -> Path:
    """Where the schema of a file is."""
    return TARGET / Path(file.name).with_suffix(".schema.json")


def schema(into: type[Any]) -> dict[str, Any]:
    """The JSON Schema of what a settings file may hold."""
    (root,), parts = msgspec.json.schema_components([into], schema_hook=_text, ref_template="#/$defs/{name}")
    by_name = {kind.__name__: kind for kind in _dataclasses(into)}
    for name, part in parts.items():
        if name in by_name:
            part["additionalProperties"] = False
            part["description"] = part["description"].partition("\n\n")[0]
            for old, new in getattr(by_name[name], "RENAMED", {}).items():
                part["properties"][old] = {
                    **part["properties"][new],
                    "deprecated": True,
                    "description": f"Now called {new}.",
                }
    for name in _merged(parts, root["$ref"]):
        parts[name].pop("required", None)
    return {"$schema": DRAFT, **root, "$defs": dict(sorted(parts.items()))}


def text_of(schema: dict[str, Any]) -> str:
    """The schema as its file has it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _text(kind: type[Any]) -> dict[str, Any]:
    """The schema of a text that checks itself."""
    return {"type": "string", "description": (kind.__doc__ or "").partition("\n")[0]}


def _dataclasses(into: type[Any]) -> set[type[Any]]:
    """The dataclass and all that its fields hold."""
    found, waiting = set(), [msgspec.inspect.type_info(into)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, msgspec.inspect.DataclassType):
            if part.cls in found:
                continue
            found.add(part.cls)
            waiting += [field.type for field in part.fields]
        inner = [getattr(part, name, ()) for name in ("types", "item_types", "item_type", "key_type", "value_type")]
        for each in inner:
            waiting += each if isinstance(each, tuple) else [each]
    return found


def _merged(parts: dict[str, Any], ref: str) -> Iterator[str]:
    """The objects that are merged key by key: all that are reached without a list."""
    name = ref.rpartition("/")[2]
    yield name
    for value in parts[name].get("properties", {}).values():
        if "$ref" in value:
            yield from _merged(parts, value["$ref"])


if __name__ == "__main__":
    main()
