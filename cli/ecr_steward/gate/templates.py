"""CloudFormation and SAM templates: read, and expanded as AWS expands them before a deployment."""

import copy
import json
import logging
import os
import re
from collections.abc import Collection, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import yaml

from ecr_steward.gate.errors import UnusableInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAM = "AWS::Serverless-2016-10-31"
_EXTENSIONS = "AWS::LanguageExtensions"
_HARMLESS_TRANSFORMS = {_SAM, _EXTENSIONS, "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16"}
"""Those of Secrets Manager add rotation functions; they are named as not judged."""
_LOOP = "Fn::ForEach::"
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
_LOCAL_PATHS = ("CodeUri", "ContentUri", "DefinitionUri")
_SOMEWHERE = "s3://bucket/key"
_NOT_EXPANDED = {"AWS::Serverless::Application": "the nested application"}
_OTHERS = {
    "AWS::CloudFormation::StackSet": ("the stack set", "its template is deployed elsewhere: check that one as well"),
    "AWS::ServiceCatalog::CloudFormationProvisionedProduct": (
        "the product",
        "its template is in Service Catalog: check that one as well",
    ),
    **{
        f"AWS::SSO::{kind}": ("the permissions of Identity Center in", "they are not judged: look at it yourself")
        for kind in ("PermissionSet", "Assignment")
    },
}
"""Resources that give access, or hide what does, and that the gate does not look into."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A part of an input that the gate does not look into, and why."""

    file: str
    line: int
    what: str
    why: str
    content: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Template:
    """A template as CloudFormation gets it: long names of functions, SAM's resources expanded."""

    file: str
    body: Mapping[str, Any]
    text: str = ""
    unjudged: tuple[Unjudged, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, Any]:
        """The resources by logical id."""
        found = self.body.get("Resources")
        return found if isinstance(found, Mapping) else {}

    def line_of(self, logical_id: str) -> int:
        """Where a resource begins; that of the SAM resource for what was expanded from one; 1 if it is not found."""
        return line_of(self.text, logical_id)


def line_of(text: str, name: str) -> int:
    """The line of a key, or of the longest beginning of it that is a key: SAM names what it makes after its source."""
    best, line = 0, 1
    for found in re.finditer(r"^[ \t{]*\"?([A-Za-z0-9]+)\"?[ \t]*:", text, re.MULTILINE):
        if len(found[1]) > best and name.startswith(found[1]):
            best, line = len(found[1]), text.count("\n", 0, found.start(1)) + 1
    return line


def parsed(text: str, file: str) -> Any:
    """The value of a JSON or YAML text, with CloudFormation's short names of functions made long.

    Raises
    ------
    UnusableInputError
        The text is neither, with the line.
    """
    from samtranslator.yaml_helper import yaml_parse

    try:
        return _plain(yaml_parse(text.replace("\t", "  ") if text.lstrip()[:1] in "{[" else text))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UnusableInputError(f"{file}{line}", f"it is neither JSON nor YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        raise UnusableInputError(file, f"it is neither JSON nor YAML: {error}") from error
    except RecursionError as error:
        raise UnusableInputError(file, "it nests too deep") from error


def _plain(value: Any) -> Any:
    """The value with dates as the texts that they were: a policy's Version is one."""
    if isinstance(value, Mapping):
        return {_key(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(key).lower() if isinstance(key, bool) else str(_plain(key))


def read_template(body: Mapping[str, Any], text: str, file: str) -> Template:
    """A template, expanded.

    Raises
    ------
    UnusableInputError
        It cannot be expanded without AWS (a macro, an include), or SAM refuses it.
    """
    transforms = _transforms(body)
    if _EXTENSIONS in transforms:
        body = unrolled(body)
    resources = body.get("Resources")
    if not isinstance(resources, Mapping):
        raise UnusableInputError(file, "Resources is no object", "a template has resources by logical id")
    for transform in transforms:
        if transform not in _HARMLESS_TRANSFORMS:
            raise UnusableInputError(
                f"{file}:{line_of(text, 'Transform')}",
                f"the macro {transform} is expanded by AWS alone",
                "check the expanded template (aws cloudformation get-template --template-stage Processed)",
            )
    unjudged = [one for name, value in resources.items() if (one := _unjudged(name, value, text, file))]
    for section in (body, *(body.get(name) for name in _SECTIONS if name != "Resources")):
        named = section.items() if isinstance(section, Mapping) else ()
        unjudged += [
            one for name, value in named if name.startswith("Fn::") and (one := _unjudged(name, value, text, file))
        ]
    left_out = {one.what.rpartition(" ")[2] for one in unjudged if not one.what.startswith("a nested stack")}
    body = {**body, "Resources": {name: value for name, value in resources.items() if name not in left_out}}
    if _SAM in transforms or any(_kind(one).startswith("AWS::Serverless::") for one in resources.values()):
        body = _expanded(body, text, file)
    return Template(file, body, text, tuple(unjudged))


def unrolled(value: Any) -> Any:
    """A value with the loops that say all that they go over; a loop over a parameter stays."""
    if isinstance(value, list):
        return [unrolled(member) for member in value]
    if not isinstance(value, Mapping):
        return value
    made: dict[str, Any] = {}
    for key, member in value.items():
        rounds = _rounds(member) if key.startswith(_LOOP) else None
        for name, one in ((key, member),) if rounds is None else rounds:
            made[name] = unrolled(one)
    return made


def _rounds(loop: Any) -> list[tuple[str, Any]] | None:
    """What a loop makes, by name; None where its parts are not known."""
    match loop:
        case [str(name), [*collection], dict(body)] if all(isinstance(one, str) for one in collection):
            return [pair for one in collection for pair in _with_value(body, name, one).items()]
    return None


def _with_value(value: Any, name: str, text: str) -> Any:
    """A loop's body in one round: ``&{Name}`` stands for the letters and digits of ``${Name}``."""
    if isinstance(value, Mapping):
        if value == {"Ref": name}:
            return text
        return {_with_value(key, name, text): _with_value(member, name, text) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_value(member, name, text) for member in value]
    if isinstance(value, str):
        value = value.replace(f"${{{name}}}", text)
        return value.replace(f"&{{{name}}}", "".join(filter(str.isalnum, text)))
    return value


def _kind(resource: Any) -> str:
    """The type of a resource; empty for what is none."""
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _transforms(body: Mapping[str, Any]) -> list[str]:
    listed = body.get("Transform", [])
    transforms = listed if isinstance(listed, list) else [listed]
    if transforms and not all(isinstance(one, str) for one in transforms):
        return [str(one.get("Name", one)) if isinstance(one, Mapping) else str(one) for one in transforms]
    return transforms


def _unjudged(name: str, resource: Any, text: str, file: str) -> Unjudged | None:
    """What a resource is when it has to be left out, or hides others."""
    nested = {"AWS::CloudFormation::Stack": "a nested stack,", **_NOT_EXPANDED}
    kind = _kind(resource)
    if name.startswith("Fn::"):
        what, why = "the function", "AWS alone expands it: check the processed template"
    elif _is_expanded_by_others(resource, kind):
        what, why = "the macro or module in", "AWS or another tool expands it: check the processed template"
    elif kind in _OTHERS:
        what, why = _OTHERS[kind]
    elif kind in nested:
        what, why = nested[kind], "its template is another file: check that one as well"
    else:
        return None
    content = json.dumps(resource, sort_keys=True, default=str)
    return Unjudged(file, line_of(text, name.split(":", maxsplit=1)[0] or name), f"{what} {name}", why, content)


def _is_expanded_by_others(resource: Any, kind: str) -> bool:
    """Whether a macro, a module or a loop makes a resource, or the properties of one that may give access."""
    if not isinstance(resource, Mapping):
        return False
    properties = resource.get("Properties")
    gives_access = kind.startswith(("AWS::IAM::", "AWS::Serverless::")) or kind.endswith("Policy")
    made = isinstance(properties, Mapping) and any(str(key).startswith("Fn::") for key in properties)
    is_odd = "Fn::Transform" in resource or (bool(resource.get("Type")) and not kind) or kind.endswith("::MODULE")
    return is_odd or (gives_access and made)


class _ManagedPolicies:
    """AWS's managed policies by name; SAM has a list of its own, which it asks first."""

    def load(self) -> dict[str, str]:
        return {}


def _expanded(body: Mapping[str, Any], text: str, file: str) -> Mapping[str, Any]:
    """What SAM makes of it, parameters left as they are unless SAM needs their defaults."""
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform

    for with_defaults in (False, True):
        prepared = _prepared(body, with_defaults=with_defaults)
        try:
            with _quiet():
                expanded: dict[str, Any] = transform(prepared, {}, _ManagedPolicies())
        except InvalidDocumentException as error:
            if with_defaults:
                causes = [cause.message for cause in error.causes] or [str(error)]
                named = re.search(r"id \[(\w+)\]", causes[0])
                where = f"{file}:{line_of(text, named[1])}" if named else file
                raise UnusableInputError(where, f"SAM refuses it: {causes[0]}") from error
        except Exception as error:  # SAM has no error of its own for templates that it does not expect
            if with_defaults:
                raise UnusableInputError(file, f"SAM cannot expand it: {type(error).__name__}: {error}") from error
        else:
            parameters = body.get("Parameters", {})
            return {**expanded, **({"Parameters": parameters} if parameters else {})}
    return body


def _prepared(body: Mapping[str, Any], *, with_defaults: bool) -> dict[str, Any]:
    """The template as `sam package` leaves it: code is somewhere in S3."""
    prepared: dict[str, Any] = copy.deepcopy(dict(body))
    resources = {name: one for name, one in prepared["Resources"].items() if _kind(one) not in _NOT_EXPANDED}
    prepared["Resources"] = resources
    defaults = _mappings(prepared.get("Globals"))
    own = [one["Properties"] for one in resources.values() if isinstance(one, dict) and "Properties" in one]
    for properties in (*defaults, *own):
        if isinstance(properties, dict):
            _put_code_somewhere(properties)
    if any(isinstance(one, Mapping) and "InlineCode" in one for one in own):
        for properties in defaults:
            properties.pop("CodeUri", None)
    if not with_defaults:
        for parameter in _mappings(prepared.get("Parameters")):
            parameter.pop("Default", None)
    return prepared


def _put_code_somewhere(properties: dict[str, Any]) -> None:
    for path in _LOCAL_PATHS:
        if path in properties and "InlineCode" in properties:
            del properties[path]
        elif isinstance(properties.get(path), str) or "Fn::Transform" in str(properties.get(path)):
            properties[path] = _SOMEWHERE


def _mappings(section: Any) -> "Collection[Any]":
    return [one for one in section.values() if isinstance(one, dict)] if isinstance(section, Mapping) else []


@contextmanager
def _quiet() -> "Iterator[None]":
    """Without SAM's log, with a region, which SAM takes from the environment though nothing here depends on it."""
    before, level = os.environ.get("AWS_DEFAULT_REGION"), logging.root.manager.disable
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
        if before is None:
            del os.environ["AWS_DEFAULT_REGION"]
        else:
            os.environ["AWS_DEFAULT_REGION"] = before
