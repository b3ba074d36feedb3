"""A form of the AWS query protocol, read as the structure that the API's model declares."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def structure_of(shape: Any, form: "Mapping[str, str]", prefix: str = "") -> Any:
    """What a form such as ``Tags.member.1.Key=team`` says, as nested dictionaries and lists.

    Parameters
    ----------
    shape
        The botocore shape of the value at ``prefix``.
    form
        The fields of the form, one value each.
    prefix
        Where in the form the value begins, with its trailing dot.
    """
    if shape.type_name == "structure":
        return {
            name: structure_of(member, form, f"{prefix}{name}.")
            for name, member in shape.members.items()
            if _has(form, f"{prefix}{name}")
        }
    if shape.type_name == "list":
        base = f"{prefix}{shape.member.serialization.get('name', 'member')}."
        items: list[Any] = []
        while _has(form, f"{base}{len(items) + 1}"):
            items.append(structure_of(shape.member, form, f"{base}{len(items) + 1}."))
        return items
    value = form.get(prefix.removesuffix("."))
    if value is None:
        return None
    if shape.type_name == "boolean":
        return value == "true"
    return int(value) if shape.type_name in ("integer", "long") else value


def _has(form: "Mapping[str, str]", key: str) -> bool:
    return any(field == key or field.startswith(f"{key}.") for field in form)
