"""Texts that others chose, made harmless where people read them.

Names, actors, documents and reasons come from IAM, CloudTrail and callers of the API: whoever makes them may want to
write a mail header, a link, a mention of everybody, or text that runs backwards. So a sentence keeps our words and
theirs apart until it is written out, and each medium writes theirs in its own way.
"""

import re
import shlex
import unicodedata
from dataclasses import dataclass
from typing import Self

MAX_FOREIGN = 500
"""Characters that are shown of one foreign text."""
MAX_SUBJECT = 99
"""SNS takes subjects of less than 100 characters."""

_WWW = re.compile(r"(www)\.", re.IGNORECASE)
_LOADED_BY_THE_CLI = re.compile(r"^(--[^=]*=)?(file|fileb|http|https)://")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_CHAT_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("`"): "'"}


def clean(text: str, limit: int = MAX_FOREIGN) -> str:
    r"""The text on one line, with every control, format and bidirectional character made visible, as ``\u202e``."""
    shown = "".join(_visible(character) for character in text[: limit + 1])
    return shown if len(text) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"


def is_clean(text: str) -> bool:
    """Whether every character of the text can be seen, so that what is read is what would be pasted."""
    return not any(unicodedata.category(character) in _INVISIBLE for character in text)


def is_iam_command(text: str) -> bool:
    """Whether a shell that gets the text runs one command of ``aws iam``, with literal arguments, and nothing else.

    The text is its own words, each quoted: then no character outside of quotes means anything to a shell. The AWS CLI
    reads values that begin with ``file://`` or a web address from there.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    as_quoted = " ".join(map(shlex.quote, words)) == text
    return as_quoted and words[:2] == ["aws", "iam"] and not any(_LOADED_BY_THE_CLI.search(word) for word in words)


def without_links(text: str) -> str:
    """The text, so that no mail program makes a link of it."""
    return _WWW.sub(r"\1[.]", text.replace("://", "[:]//"))


def code_span(text: str, limit: int = MAX_FOREIGN) -> str:
    """The text as code for chat: no markup, mention or link in it is read as such.

    Slack reads control sequences in angle brackets even in code, so these are written as entities.
    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return f"`{clean(text, limit).translate(_CHAT_ENTITIES) or ' '}`"


def subject(text: str) -> str:
    """The text as a mail's subject: printable ASCII on one line, of a length that SNS takes.

    Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    ascii_only = clean(text, MAX_SUBJECT).encode("ascii", "replace").decode().strip()
    return ascii_only or "ECR Steward"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return f"\\u{ord(character):04x}"
    return " " if category == "Zs" else character


@dataclass(frozen=True, slots=True)
class Sentence:
    """Our words, with ``{}`` where texts of others stand."""

    ours: str
    foreign: tuple[str, ...] = ()

    @classmethod
    def of(cls, ours: str, *foreign: str) -> Self:
        """The sentence with these texts in the places of ``{}``, in their order."""
        return cls(ours, foreign)

    def plain(self) -> str:
        """For mail and other plain text."""
        return self.ours.format(*(without_links(clean(text)) for text in self.foreign))

    def chat(self) -> str:
        """For chat: foreign texts are code."""
        return self.ours.format(*(code_span(text) for text in self.foreign))
