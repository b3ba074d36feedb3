"""Answers as they are on the wire, held to botocore's model: what a double answers, AWS could answer."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import Shape
from botocore.parsers import BaseJSONParser, BaseXMLResponseParser, ResponseParser

TYPES = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "double": (int, float),
    "float": (int, float),
    "timestamp": (dict, str, int, float),
    "blob": (str, dict),
}


def unlike(shape: Any, value: Any, place: str) -> Iterator[str]:
    """What of an answer the model does not know, or knows as something else; policies are text or decoded.

    Members have the names of the model, which are those of the wire for every service in JSON that we call.
    """
    if value is None or "Document" in place:
        return
    match shape.type_name, value:
        case "structure", dict():
            yield from (f"{place}.{name}" for name in value.keys() - shape.members.keys())
            for name in value.keys() & shape.members.keys():
                yield from unlike(shape.members[name], value[name], f"{place}.{name}")
        case "list", list():
            for each in value:
                yield from unlike(shape.member, each, f"{place}[]")
        case "map", dict():
            for each in value.values():
                yield from unlike(shape.value, each, f"{place}{{}}")
        case kind, _ if not isinstance(value, TYPES.get(kind, ())):
            yield f"{place}: {type(value).__name__} is no {kind}"


def unlike_xml(shape: Any, node: ET.Element, place: str) -> Iterator[str]:
    """The same of an answer in XML, whose values are all texts: the names of its elements."""
    match shape.type_name:
        case "structure":
            members = dict(map(_element, shape.members.items()))
            for child in node:
                tag = _tag(child)
                if tag not in members:
                    yield f"{place}.{tag}"
                elif members[tag].serialization.get("flattened") and members[tag].type_name == "list":
                    yield from unlike_xml(members[tag].member, child, f"{place}.{tag}")
                elif not members[tag].serialization.get("flattened"):
                    yield from unlike_xml(members[tag], child, f"{place}.{tag}")
        case "list":
            name = shape.member.serialization.get("name", "member")
            for child in node:
                if _tag(child) != name:
                    yield f"{place}[{_tag(child)}]"
                else:
                    yield from unlike_xml(shape.member, child, f"{place}[]")


def _element(item: tuple[str, Any]) -> tuple[str, Any]:
    name, member = item
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.serialization.get("name") or member.member.serialization.get("name", name), member
    return member.serialization.get("name", name), member


def _tag(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def unlike_the_model(parser: ResponseParser, response: Mapping[str, Any], shape: Any) -> set[str]:
    """What of an answer as it came over the wire is not in the model of its operation."""
    body = response["body"]
    if response["status_code"] >= 300 or shape is None or not body or not isinstance(body, bytes):
        return set()
    payload = shape.serialization.get("payload")
    described = shape.members[payload] if payload else shape
    if described.type_name != "structure":
        return set()
    if isinstance(parser, BaseJSONParser):
        return set(unlike(described, json.loads(body), shape.name))
    if isinstance(parser, BaseXMLResponseParser):
        root = ET.fromstring(body)  # noqa: S314 - of a double in this process
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper:
            inner = [child for child in root if _tag(child) == wrapper]
            return set(unlike_xml(described, inner[0], shape.name)) if inner else {f"{shape.name} without {wrapper}"}
        return set(unlike_xml(described, root, shape.name)) - {f"{shape.name}.ResponseMetadata"}
    return set()


@contextmanager
def answers_of_the_model(known: frozenset[str] = frozenset()) -> Iterator[set[str]]:
    """Every answer that a client reads inside is as botocore's model says, beside what is ``known`` to differ.

    The operations' output shapes that were checked are yielded.
    """
    parse, wrong, checked = ResponseParser.parse, set(), set()

    def held_to_the_model(parser: ResponseParser, response: Mapping[str, Any], shape: Shape) -> Any:
        found = unlike_the_model(parser, response, shape)
        wrong.update(found - known)
        if shape is not None:
            checked.add(shape.name)
        return parse(parser, response, shape)

    ResponseParser.parse = held_to_the_model  # type: ignore[assignment, method-assign]
    try:
        yield checked
    finally:
        ResponseParser.parse = parse  # type: ignore[method-assign]
    assert not wrong, f"botocore's model does not know this of an answer: {sorted(wrong)}"
