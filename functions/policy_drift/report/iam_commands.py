"""AWS CLI commands of IAM, one line each, safe to paste into a POSIX shell even with hostile names."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator

from policy_drift.domain.account import Account, Document, Entity, EntityId, Group, ManagedPolicy, Role, User

_LOADED_BY_THE_CLI = re.compile(r"(file|fileb|http|https)://")


class UnsafeTextError(ValueError):
    """A text that must not stand in a command: a terminal or the AWS CLI would act on it."""


def command(operation: str, **options: str | Document | bool) -> str:
    """One command.

    Parameters
    ----------
    operation : str
        Of ``aws iam``, such as ``attach-role-policy``.
    **options
        By name, with underscores: a text, a policy document, or True for an option without a value.

    Raises
    ------
    UnsafeTextError
        A text has characters that a terminal acts on, or a beginning that makes the AWS CLI read a file.
    """
    words = ["aws iam", operation]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
            continue
        text = value if isinstance(value, str) else _document(value)
        if not text.isprintable() or _LOADED_BY_THE_CLI.match(text):
            raise UnsafeTextError(f"{text!r} must not stand in a command")
        # A value that begins with "-" would be read as an option, one that begins with "=" as a command by zsh.
        words.append(shlex.quote(f"{option}={text}") if text[:1] in {"-", "=", ""} else f"{option} {shlex.quote(text)}")
    return " ".join(words)


def on(principal: Entity, operation: str, **options: str | Document | bool) -> str:
    """A command on a user, group or role, with ``{}`` in the operation for what it is."""
    kind = principal.kind
    return command(operation.format(kind), **{f"{kind}_name": principal.name}, **options)


def policies(before: Entity, after: Entity) -> Iterator[str]:
    """From the inline and attached policies of one state of a principal to those of another; what goes, goes first."""
    for arn in sorted(set(before.attached) - set(after.attached)):
        yield on(before, "detach-{}-policy", policy_arn=arn)
    for name in sorted(before.inline.keys() - after.inline.keys()):
        yield on(before, "delete-{}-policy", policy_name=name)
    for name, document in sorted(after.inline.items()):
        if before.inline.get(name) != document:
            yield on(before, "put-{}-policy", policy_name=name, policy_document=document)
    for arn in sorted(set(after.attached) - set(before.attached)):
        yield on(before, "attach-{}-policy", policy_arn=arn)


def detachment(holder: EntityId, policy_arn: str) -> str:
    """Take a managed policy from a user, group or role."""
    return command(f"detach-{holder.kind}-policy", **{f"{holder.kind}_name": holder.name}, policy_arn=policy_arn)


def names(before: Entity, after: Entity) -> Iterator[str]:
    """From the name and path of one state of a user or group to those of another; IAM renames no roles."""
    options: dict[str, str | Document | bool] = {}
    if before.name != after.name:
        options[f"new_{before.kind}_name"] = after.name
    if before.path != after.path:
        options["new_path"] = after.path
    if options and not isinstance(before, Role):
        yield on(before, "update-{}", **options)


def boundary(before: User | Role, after: User | Role) -> Iterator[str]:
    """From one permissions boundary to another, or to none."""
    if after.boundary is None and before.boundary is not None:
        yield on(before, "delete-{}-permissions-boundary")
    elif after.boundary is not None and after.boundary != before.boundary:
        yield on(before, "put-{}-permissions-boundary", permissions_boundary=after.boundary)


def memberships(before: User, after: User) -> Iterator[str]:
    """From the groups of one state of a user to those of another."""
    for group in sorted(set(before.groups) - set(after.groups)):
        yield command("remove-user-from-group", user_name=before.name, group_name=group)
    for group in sorted(set(after.groups) - set(before.groups)):
        yield command("add-user-to-group", user_name=before.name, group_name=group)


def trust(role: Role) -> str:
    """Make the trust policy of a role what it is here."""
    return command("update-assume-role-policy", role_name=role.name, policy_document=role.trust)


def version(before: ManagedPolicy, after: ManagedPolicy, *, is_there: bool) -> str:
    """From the default version of a managed policy to another.

    A version never changes, so that another one of the same policy only needs to become the default, if it ``is_there``
    yet. If not, or if the approved document is not the one that its version had (written by hand, or the policy was
    recreated), it becomes a new version.
    """
    if is_there and before.unique_id == after.unique_id and before.version != after.version:
        return command("set-default-policy-version", policy_arn=before.arn, version_id=after.version)
    return command("create-policy-version", policy_arn=before.arn, policy_document=after.document, set_as_default=True)


def creation(principal: Entity, users: Iterable[User]) -> Iterator[str]:
    """All of a user, group or role that is not there; a group's members are those of the users who are to be in it."""
    options: dict[str, str | Document | bool] = {"path": principal.path} if principal.path != "/" else {}
    if isinstance(principal, Role):
        options["assume_role_policy_document"] = principal.trust
    if isinstance(principal, User | Role) and principal.boundary:
        options["permissions_boundary"] = principal.boundary
    yield on(principal, "create-{}", **options)
    bare = type(principal)(principal.name, principal.path, "")
    yield from policies(bare, principal)
    if isinstance(principal, User):
        yield from memberships(User(principal.name, principal.path, ""), principal)
    if isinstance(principal, Group):
        for user in users:
            if principal.name in user.groups:
                yield command("add-user-to-group", user_name=user.name, group_name=principal.name)


def policy_creation(policy: ManagedPolicy) -> str:
    """A managed policy that is not there; its ARN is the same again."""
    path, name = path_and_name(policy.arn)
    options: dict[str, str | Document | bool] = {"path": path} if path != "/" else {}
    return command("create-policy", policy_name=name, **options, policy_document=policy.document)


def deletion(principal: Entity, live: Account) -> Iterator[str]:
    """All parts of a user, group or role that are read, in the order in which IAM lets them go, and then itself."""
    bare = type(principal)(principal.name, principal.path, "")
    yield from policies(principal, bare)
    if isinstance(principal, Group):
        for user in live.users.values():
            if principal.name in user.groups:
                yield command("remove-user-from-group", user_name=user.name, group_name=principal.name)
    if isinstance(principal, User):
        yield from memberships(principal, User(principal.name, principal.path, ""))
    yield on(principal, "delete-{}")


def path_and_name(arn: str) -> tuple[str, str]:
    """The path and the name in the ARN of a managed policy."""
    path, _, name = arn.split(":", 5)[5].removeprefix("policy").rpartition("/")
    return f"{path}/", name


def _document(document: object) -> str:
    """On one line in printable ASCII, so that a shell and a terminal see nothing but text."""
    return json.dumps(document, separators=(",", ":")).replace("\x7f", "\\u007f")
