"""The AWS CLI as far as IAM's policies go: a line that a shell would split, run on an account in memory.

Operations and options are held to botocore's model of IAM, so that a misspelled one fails; what they do is IAM's.
"""

import json
import shlex
from dataclasses import replace

from botocore import xform_name
from botocore.session import get_session

from policy_drift.domain.account import Group, ManagedPolicy, Role, User

_MODEL = get_session().get_service_model("iam")
_OPERATIONS = {xform_name(name, "-"): name for name in _MODEL.operation_names}


def parsed(line):
    """The operation of a command and its arguments, as the CLI reads them."""
    program, service, operation, *words = shlex.split(line)
    assert (program, service) == ("aws", "iam")
    shape = _MODEL.operation_model(_OPERATIONS[operation]).input_shape
    members = {f"--{xform_name(member, '-')}": member for member in shape.members}
    arguments = {}
    while words:
        option, equals, value = words.pop(0).partition("=")
        member = members[option]
        if shape.members[member].type_name == "boolean":
            arguments[member] = True
        else:
            arguments[member] = value if equals else words.pop(0)  # type: ignore[assignment]
            assert equals or not arguments[member].startswith("-"), "the CLI would read this value as an option"  # type: ignore[attr-defined]
    assert set(shape.required_members) <= arguments.keys()
    return _OPERATIONS[operation], arguments


class InMemoryIam:
    """One account; ``versions`` are the documents of policies by version, the default one of `Account` included."""

    def __init__(self, account, versions=None):
        self.users, self.groups, self.roles = dict(account.users), dict(account.groups), dict(account.roles)
        self.policies = dict(account.policies)
        self._account = account.id
        self._versions = versions or {}

    def run(self, line):
        operation, arguments = parsed(line)
        for kind in ("User", "Group", "Role"):
            if kind in operation and f"{kind}Name" in arguments and operation not in _OF_MEMBERS:
                self._on_principal(operation.replace(kind, ""), kind, arguments)
                return
        getattr(self, f"_{xform_name(operation)}")(**arguments)

    def _on_principal(self, operation, kind, arguments):
        section = getattr(self, f"{kind.lower()}s")
        name = arguments[f"{kind}Name"]
        if operation == "Create":
            assert name not in section
            trust = {"trust": json.loads(arguments["AssumeRolePolicyDocument"])} if kind == "Role" else {}
            bounded = {} if kind == "Group" else {"boundary": arguments.get("PermissionsBoundary")}
            section[name] = _TYPES[kind](name, arguments.get("Path", "/"), "NEW", **trust, **bounded)
            return
        one = section[name]
        change = {
            "PutPolicy": lambda: {
                "inline": {**one.inline, arguments["PolicyName"]: json.loads(arguments["PolicyDocument"])}
            },
            "DeletePolicy": lambda: {"inline": _without(one.inline, arguments["PolicyName"])},
            "AttachPolicy": lambda: {"attached": tuple(sorted({*one.attached, arguments["PolicyArn"]}))},
            "DetachPolicy": lambda: {"attached": tuple(sorted({*one.attached} - {arguments["PolicyArn"]}))},
            "PutPermissionsBoundary": lambda: {"boundary": arguments["PermissionsBoundary"]},
            "DeletePermissionsBoundary": lambda: {"boundary": None},
            "UpdateAssumePolicy": lambda: {"trust": json.loads(arguments["PolicyDocument"])},
        }
        if operation == "Delete":
            assert not one.inline
            assert not one.attached
            del section[name]
        elif operation == "Update":
            del section[name]
            now = {"name": arguments.get(f"New{kind}Name", name), "path": arguments.get("NewPath", one.path)}
            section[now["name"]] = replace(one, **now)
        else:
            section[name] = replace(one, **change[operation]())

    def _add_user_to_group(self, *, UserName, GroupName):  # noqa: N803 - IAM's own names
        user = self.users[UserName]
        self.users[UserName] = replace(user, groups=tuple(sorted({*user.groups, GroupName})))

    def _remove_user_from_group(self, *, UserName, GroupName):  # noqa: N803
        user = self.users[UserName]
        self.users[UserName] = replace(user, groups=tuple(sorted({*user.groups} - {GroupName})))

    def _create_policy(self, *, PolicyName, PolicyDocument, Path="/"):  # noqa: N803
        arn = f"arn:aws:iam::{self._account}:policy{Path}{PolicyName}"
        assert arn not in self.policies
        self.policies[arn] = ManagedPolicy(arn, "NEW", "v1", json.loads(PolicyDocument))

    def _delete_policy(self, *, PolicyArn):  # noqa: N803
        del self.policies[PolicyArn]

    def _create_policy_version(self, *, PolicyArn, PolicyDocument, SetAsDefault):  # noqa: N803
        assert SetAsDefault
        self.policies[PolicyArn] = replace(self.policies[PolicyArn], document=json.loads(PolicyDocument))

    def _set_default_policy_version(self, *, PolicyArn, VersionId):  # noqa: N803
        self.policies[PolicyArn] = replace(self.policies[PolicyArn], document=self._versions[PolicyArn, VersionId])


_TYPES = {"User": User, "Group": Group, "Role": Role}
_OF_MEMBERS = {"AddUserToGroup", "RemoveUserFromGroup"}


def _without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}
