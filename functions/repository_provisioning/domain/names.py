"""Names of repositories, and patterns of names."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from glob import translate
from itertools import product
from typing import Self

from steward.errors import RuleViolationError

MIN_LENGTH, MAX_LENGTH = 2, 256

PLACEHOLDER = re.compile(r"\{(?:name|namespace)\}")
"""What stands for a part of a repository's name in a text of the house rules; ``RepositoryName.filled_into``."""

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_ECR_HOST = re.compile(
    r"(\w*\.)?dkr[.-]ecr[.-][\w.-]+\.(com|cn|aws)|\d{12}\.dkr[.-]ecr[.-][\w.-]+|public\.ecr\.aws", re.IGNORECASE
)
"""Also without an account, or with half of one, as a script leaves it that lacks the variable."""
_ARN = re.compile(r"arn:[\w-]+:ecr:[\w-]*:\d*:repository/")
_OTHER_HOST = re.compile(
    r"localhost|((index|registry-1)\.)?docker\.io|registry\.hub\.docker\.com|ghcr\.io|quay\.io|mcr\.microsoft\.com"
    r"|registry\.k8s\.io|registry\.gitlab\.com|([\w-]+\.)?gcr\.io|[\w-]+\.azurecr\.io|[\w-]+-docker\.pkg\.dev",
    re.IGNORECASE,
)
_UNLIKE_ANY = "\N{WHITE SQUARE}"
_WILDCARD = re.compile(r"[*?]")


class RepositoryName(str):
    """A name that ECR takes: 2 to 256 characters, lower case, components separated by ``/``.

    botocore does not check it.
    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html

    Raises
    ------
    RuleViolationError
        The text is no such name; the message says which part of the rule it breaks.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
            shown = text if len(text) <= MAX_LENGTH else f"{text[:32]}…"
            raise RuleViolationError(
                f"the repository name {shown!r} has {len(text)} characters; ECR accepts {MIN_LENGTH} to {MAX_LENGTH}"
            )
        if not _NAME.fullmatch(text):
            raise RuleViolationError(
                f"{text!r} is not a repository name: ECR accepts lower-case letters and digits, joined by single '.', "
                "'_', '__' or any number of '-', in components separated by single '/', such as team-a/web-app"
                f"{_advice(text)}"
            )
        return super().__new__(cls, text)

    @property
    def registry(self) -> str | None:
        """The host of a registry that stands before the name, as in an image's URI; None where there is none.

        ECR takes it for a namespace: a push of that URI goes to another repository, whose name has no host.
        """
        host = self.namespace
        return host if _ECR_HOST.fullmatch(host) or _OTHER_HOST.fullmatch(host) else None

    def refuse_registry(self, *, meant: Collection[str] = ()) -> None:
        """Refuse a name that begins with a registry's host.

        Parameters
        ----------
        meant
            Patterns that somebody chose for the name: one that spells out another registry's host, such as
            ``docker.io/**``, is for mirrors. ECR's own hosts never are meant.

        Raises
        ------
        RuleViolationError
            It begins with one.
        """
        host = self.registry
        if host is None or (not _ECR_HOST.fullmatch(host) and any(p.startswith(f"{host}/") for p in meant)):
            return
        raise RuleViolationError(f"{self!r} begins with a registry's host{_advice(self)}")

    @property
    def namespace(self) -> str:
        """What stands before the first ``/``; the whole name where there is none."""
        return self.partition("/")[0]

    def filled_into(self, text: str) -> str:
        """The text with this name in the place of ``{name}``, and its namespace in that of ``{namespace}``."""
        return PLACEHOLDER.sub(lambda found: self if found[0] == "{name}" else self.namespace, text)


def _advice(text: str) -> str:
    """What to leave out of an image's URI or reference to get a name; an empty text where it is none."""
    parts, rest = list[str](), text
    if arn := _ARN.match(text):
        return f"; leave out {arn[0]}{_instead(text, text[arn.end() :], ', and ')}"
    scheme, separator, after = rest.partition("://")
    if separator:
        parts, rest = [f"{scheme}://"], after
    host, slash, path = rest.partition("/")
    if _ECR_HOST.fullmatch(host) or _OTHER_HOST.fullmatch(host) or (slash and ":" in host):
        parts, rest = [*parts, f"the registry {host}"], path
    rest, at, digest = rest.partition("@")
    name, colon, tag = rest.partition(":")
    parts += [f"the tag {colon}{tag}"] if colon else []
    parts += [f"the digest {at}{digest}"] if at else []
    if not parts:
        return _instead(text, name, "; ")
    return f"; leave out {' and '.join(parts)}{_instead(text, name, ', and ')}"


def _instead(text: str, name: str, before: str) -> str:
    """What to write instead: the name without spaces and slashes around it, in lower case, if that is one."""
    cleaned = name.strip().strip("/").lower()
    return f"{before}write {cleaned}" if _NAME.fullmatch(cleaned) and cleaned != text else ""


class NamePattern(str):
    """A pattern of names: ``*`` and ``?`` stay within a component, ``**`` spans any number of components.

    Raises
    ------
    ValueError
        No repository name could ever match the text.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        host, _, rest = text.partition("/")
        if _ECR_HOST.fullmatch(host):
            raise ValueError(f"{text!r} begins with the registry {host}: leave it out, and write {rest or '**'}")
        stars_joined = any("**" in component and component != "**" for component in text.split("/"))
        if stars_joined or (len(text) < MIN_LENGTH and text != "*") or not _NAME.fullmatch(_WILDCARD.sub("x", text)):
            raise ValueError(
                f"{text!r} matches no repository name: write lower-case components separated by '/', with * or ? "
                "inside a component and ** for any number of components, such as team-a/** or **/cache"
            )
        return super().__new__(cls, text)

    def matches(self, name: str) -> bool:
        """Whether ``name`` is one of those meant."""
        return _compiled(self).match(name) is not None

    def covers(self, other: Self) -> bool:
        """Whether every name of ``other`` is a name of this pattern, as far as examples of ``other`` show."""
        return all(self.matches(example) for example in other._examples())

    def _examples(self) -> Iterator[str]:
        """Short and long texts that this pattern means, in which wildcards stand for what no other letter matches."""
        *leading, last = self.split("/")
        for filling, depth in product(("", _UNLIKE_ANY, _UNLIKE_ANY * 9), range(3)):
            components = [c for component in leading for c in _filled(component, filling, depth)]
            yield "/".join([*components, *_filled(last, filling, max(depth, 1))])


def _filled(component: str, filling: str, depth: int) -> list[str]:
    """The components that one of a pattern stands for; a wildcard alone never stands for an empty one."""
    some = filling or _UNLIKE_ANY
    if component == "**":
        return [some] * depth
    return [some if component == "*" else component.replace("?", _UNLIKE_ANY).replace("*", filling)]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern, recursive=True, include_hidden=True, seps="/"))
