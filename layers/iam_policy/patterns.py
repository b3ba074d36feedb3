"""The strings of a policy: globs, literal text and policy variables.

A *glob* is a string in which ``*`` stands for any characters (colons and slashes included) and ``?`` for one.
A star or question mark that is meant as such (``${*}``, ``${?}``, any value of an exact operator) is held as a
character of Unicode's private use area, and so are the same characters of a request: see `literal`.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from string import ascii_uppercase
from typing import NoReturn

from iam_policy.errors import quoted

#: What stands for a literal star and a literal question mark inside a glob.
LITERAL = {ord("*"): "\ue000", ord("?"): "\ue001"}
_SMALL = {ord(letter): letter.lower() for letter in ascii_uppercase}
_READABLE = {0xE000: "*", 0xE001: "?"}
#: Private use characters from here on stand for an unknown variable's value in symbolic reasoning.
FIRST_SYMBOL = 0xE100

ARN_PARTS = 6

Refusal = Callable[[str, str], NoReturn]
ValueOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable ``${key}`` or ``${key, 'default'}``; the key in lower case."""

    key: str
    default: str | None = None

    def text(self, value_of: "ValueOf") -> str | None:
        """The value of the key or the default, if there is one."""
        value = value_of(self.key)
        return self.default if value is None else value


@dataclass(frozen=True, slots=True)
class Template:
    """A glob with policy variables in it: text (a glob) and variables, in order."""

    parts: tuple[str | Variable, ...]

    def resolve(self, value_of: ValueOf) -> str | None:
        """The glob for a request, or None when a variable has neither a value nor a default.

        A value is text: stars in it match stars only.
        """
        replaced = self.partly_resolved(frozenset(), value_of)
        return replaced if isinstance(replaced, str) else None

    def partly_resolved(self, kept: Container[str], value_of: ValueOf) -> "Pattern | None":
        """The pattern with variables replaced, except those of the keys that are kept."""
        parts: list[str | Variable] = []
        for part in self.parts:
            if isinstance(part, str) or part.key in kept:
                parts.append(part)
                continue
            value = part.text(value_of)
            if value is None:
                return None
            parts.append(literal(value))
        merged = _merge_text(parts)
        return merged[0] if len(merged) == 1 and isinstance(merged[0], str) else Template(tuple(merged))

    def fits_an_arn(self, kept: Container[str], value_of: ValueOf) -> bool:
        """Whether an ARN operator's pattern has six parts by itself, and no value brings a colon into the first five.

        AWS checks each part separately, so that a value never reaches into another one.
        """
        colons = 0
        for part in self.parts:
            if isinstance(part, str):
                colons += part.count(":")
            elif colons < ARN_PARTS - 1 and part.key not in kept and ":" in (part.text(value_of) or ""):
                return False
        return colons >= ARN_PARTS - 1

    @property
    def widest(self) -> str:
        """A glob that matches everything that the template matches for any values."""
        return "".join(part if isinstance(part, str) else "*" for part in self.parts)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables, in order."""
        return tuple(part for part in self.parts if isinstance(part, Variable))


Pattern = str | Template


def grounded(pattern: Pattern, kept: Container[str], value_of: ValueOf) -> Pattern | None:
    """The pattern with variables replaced, except those of the keys that are kept; None when one has no value."""
    return pattern if isinstance(pattern, str) else pattern.partly_resolved(kept, value_of)


def resolved(patterns: Iterable[object], value_of: ValueOf) -> list[str | None]:
    """The globs of these patterns for a request; None for one with a variable that has no value."""
    return [
        pattern.resolve(value_of) if isinstance(pattern, Template) else pattern
        for pattern in patterns
        if isinstance(pattern, str | Template)
    ]


def literal(text: str) -> str:
    """The glob that matches exactly this text; also how a request's strings are held for matching."""
    if "*" in text or "?" in text:
        return text.translate(LITERAL)
    return text


def has_private_use(text: str) -> bool:
    """Whether a text has a character of Unicode's private use area, such as stand for literal wildcards here."""
    return not text.isascii() and any("\ue000" <= character <= "\uf8ff" for character in text)


def readable(text: str) -> str:
    """The text that `literal` was given."""
    return text.translate(_READABLE)


def folded(text: str) -> str:
    """The text with ASCII capitals made small, the only ones that are ignored anywhere."""
    return text.lower() if text.isascii() else text.translate(_SMALL)


def is_wild(glob: str) -> bool:
    """Whether a glob has a wildcard."""
    return "*" in glob or "?" in glob


def tidied(glob: str) -> str:
    """The same glob with each run of wildcards written one way: question marks first, then one star."""
    if "**" not in glob and "*?" not in glob:
        return glob
    tidy: list[str] = []
    star = False
    for character in glob:
        if character == "*":
            star = True
            continue
        if star and character != "?":
            tidy.append("*")
            star = False
        tidy.append(character)
    return "".join(tidy) + ("*" if star else "")


def parse(text: str, *, variables: bool, wildcards: bool, refuse: Refusal) -> Pattern:
    """The pattern that a policy's string means.

    Parameters
    ----------
    text : str
        As written in the policy.
    variables : bool
        Whether ``${...}`` is a variable (only under ``"Version": "2012-10-17"``) or text.
    wildcards : bool
        Whether ``*`` and ``?`` are wildcards or text.
    refuse : callable
        Called with the problem and what is allowed; raises.

    Notes
    -----
    AWS: "IAM policy elements: Variables and tags".
    """
    if has_private_use(text):
        refuse("a character of Unicode's private use area", "characters that IAM takes")
    if not variables or "${" not in text:
        return text if wildcards else literal(text)
    parts: list[str | Variable] = []
    rest = text
    while True:
        before, opening, rest = rest.partition("${")
        parts.append(before if wildcards else literal(before))
        if not opening:
            break
        inner, closing, rest = _until_closing(rest)
        if not closing:
            refuse(f"variable {quoted(f'${{{inner}')} never closes", "${key}, ${key, 'default'}, ${*}, ${?} or ${$}")
        parts.append(_variable(inner, refuse))
    merged = _merge_text(parts)
    if len(merged) == 1 and isinstance(merged[0], str):
        return merged[0]
    return Template(tuple(merged))


def _until_closing(text: str) -> tuple[str, str, str]:
    """Split at the brace that closes a variable; one inside a quoted default does not."""
    quoted = False
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif character == "}" and not quoted:
            return text[:position], "}", text[position + 1 :]
    return text, "", ""


def _variable(inner: str, refuse: Refusal) -> str | Variable:
    if inner in {"*", "?", "$"}:
        return literal(inner)
    key, comma, default = inner.partition(",")
    key = key.strip()
    if not key or any(character in key for character in "${}*?'"):
        refuse(f"{quoted(f'${{{inner}}}')} is no variable", "${key}, ${key, 'default'}, ${*}, ${?} or ${$}")
    if not comma:
        return Variable(key.lower())
    default = default.strip()
    minimum_quoted = 2
    if len(default) < minimum_quoted or default[0] != "'" or default[-1] != "'" or "'" in default[1:-1]:
        refuse(f"the default of {quoted(f'${{{inner}}}')} is not quoted", "${key, 'default'} with single quotes")
    return Variable(key.lower(), default[1:-1])


def _merge_text(parts: list[str | Variable]) -> list[str | Variable]:
    merged: list[str | Variable] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged or [""]
