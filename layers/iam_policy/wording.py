"""Requests in words, and texts that others have chosen made safe to show."""

from iam_policy.comparison import Witness


def in_words(witness: Witness) -> str:
    """A request as a sentence that a person can check."""
    who = f"{visible(witness.principal)} calls " if witness.principal else ""
    return f"{who}{asked_in_words(witness)}{ending_in_words(witness)}"


def visible(text: str) -> str:
    r"""A text on one line in which nothing is invisible.

    Line ends, control characters and those that reverse the direction of reading become ``\uXXXX``: what others have
    chosen can then neither hide, nor begin a new line or header, nor steer a terminal.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def asked_in_words(witness: Witness) -> str:
    """What a request asks for: action, resource and context."""
    words = f"{visible(witness.action)} on {visible(witness.resource)}"
    if witness.context:
        values = (f"{visible(key)} = {_value_in_words(value)}" for key, value in sorted(witness.context.items()))
        words += f", with {', '.join(values)}"
    return words


def ending_in_words(witness: Witness) -> str:
    """How the sentence ends, with a remark where the action is not known today."""
    return " (an action that is not known today)." if witness.future_only else "."


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the end of the basic plane


def _value_in_words(value: object) -> str:
    return " and ".join(map(repr, value)) if isinstance(value, tuple | list) else repr(value)
