"""IAM in memory that the changes of the benchmark are played on: users, groups, roles, policies and who has them."""

import json
from dataclasses import replace
from itertools import count
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from benchmarks.drift_changes.calls import trust
from benchmarks.drift_changes.change import ACCOUNT, NOT_TEXTS, PLACEHOLDER, Acknowledged, Call
from policy_drift.domain.account import Account, Group, ManagedPolicy, Role, User

_OF_AWS = json.loads(aws_managed_policies_data)
_PREFIX = {"user": "AIDA", "group": "AGPA", "role": "AROA"}
_MADE = {"user": User, "group": Group, "role": Role}


class PlayedIam:
    """An account that calls change; calls about what a baseline does not have change nothing."""

    def __init__(self) -> None:
        self._entities: dict[str, dict[str, Any]] = {"user": {}, "group": {}, "role": {}}
        self._versions: dict[str, list[Any]] = {}
        self._default: dict[str, int] = {}
        self._ids = count(1)

    def play(self, calls: "tuple[Call | Acknowledged, ...]") -> None:
        """Make these calls, but for those of the outsider, which IAM refuses."""
        for call in calls:
            if isinstance(call, Call) and call.by != "outsider":
                self._play(call.method, {name: self._value(name, text) for name, text in call.parameters.items()})

    def account(self) -> Account:
        """The account as it is now."""
        attached = {arn for kind in self._entities.values() for one in kind.values() for arn in one.attached}
        boundaries = {one.boundary for kind in ("user", "role") for one in self._entities[kind].values()} - {None}
        policies = {
            arn: ManagedPolicy(arn, f"ANPA{arn[-12:]}", f"v{self._default[arn]}", versions[self._default[arn] - 1])
            for arn, versions in self._versions.items()
        }
        for arn in (attached | boundaries) - policies.keys():
            of_aws = _OF_AWS[arn.rpartition("/")[2]]
            policies[arn] = ManagedPolicy(arn, f"ANPA{arn[-12:]}", of_aws["DefaultVersionId"], of_aws["Document"])
        users, groups, roles = (dict(self._entities[kind]) for kind in ("user", "group", "role"))
        return Account(ACCOUNT, users, groups, roles, policies)

    def _play(self, method: str, asked: dict[str, Any]) -> None:  # noqa: C901, PLR0912, PLR0915 - a table
        words = method.split("_")
        kind = next((word for word in words if word in self._entities), "")
        name = asked.get(f"{kind.title()}Name", "")
        document = json.loads(asked["PolicyDocument"]) if "PolicyDocument" in asked else None
        match words:
            case ["create", "user" | "group" | "role"]:
                fields = {"path": asked.get("Path", "/"), "unique_id": f"{_PREFIX[kind]}{next(self._ids):017}"}
                if kind == "role":
                    fields["trust"] = json.loads(asked["AssumeRolePolicyDocument"])
                self._entities[kind][name] = _MADE[kind](name, **fields)
            case ["create", "service", "linked", "role"]:
                service = asked["AWSServiceName"]
                name = f"AWSServiceRoleFor{service.partition('.')[0].capitalize()}"
                path, unique_id = f"/aws-service-role/{service}/", f"AROA{next(self._ids):017}"
                self._entities["role"][name] = Role(name, path, unique_id, trust=trust({"Service": service}))
            case ["delete", "user" | "group" | "role"]:
                del self._entities[kind][name]
            case ["update", "user"] if "NewUserName" in asked:
                one = self._entities["user"].pop(name)
                self._entities["user"][asked["NewUserName"]] = replace(one, name=asked["NewUserName"])
            case ["put", _, "policy"]:
                inline = self._entities[kind][name].inline
                self._change(kind, name, inline={**inline, asked["PolicyName"]: document})
            case ["delete", "user" | "group" | "role", "policy"]:
                inline = self._entities[kind][name].inline
                left = {other: one for other, one in inline.items() if other != asked["PolicyName"]}
                self._change(kind, name, inline=left)
            case ["attach", *_]:
                attached = self._entities[kind][name].attached
                self._change(kind, name, attached=tuple(sorted({*attached, asked["PolicyArn"]})))
            case ["detach", *_]:
                attached = self._entities[kind][name].attached
                self._change(kind, name, attached=tuple(sorted({*attached} - {asked["PolicyArn"]})))
            case ["add" | "remove", "user", *_]:
                member, group = asked["UserName"], asked["GroupName"]
                groups = {*self._entities["user"][member].groups} - {group}
                joined = groups | {group} if words[0] == "add" else groups
                self._change("user", member, groups=tuple(sorted(joined)))
            case ["put", _, "permissions", "boundary"]:
                self._change(kind, name, boundary=asked["PermissionsBoundary"])
            case ["delete", _, "permissions", "boundary"]:
                self._change(kind, name, boundary=None)
            case ["update", "assume", *_]:
                self._change("role", asked["RoleName"], trust=document)
            case ["create", "policy"]:
                arn = f"arn:aws:iam::{ACCOUNT}:policy/{asked['PolicyName']}"
                self._versions[arn], self._default[arn] = [document], 1
            case ["delete", "policy"]:
                del self._versions[asked["PolicyArn"]]
            case ["create", "policy", "version"]:
                self._versions[asked["PolicyArn"]].append(document)
                if asked.get("SetAsDefault"):
                    self._default[asked["PolicyArn"]] = len(self._versions[asked["PolicyArn"]])
            case ["set", "default", *_]:
                self._default[asked["PolicyArn"]] = int(asked["VersionId"].removeprefix("v"))

    def _change(self, kind: str, name: str, **fields: Any) -> None:
        self._entities[kind][name] = replace(self._entities[kind][name], **fields)

    def _value(self, name: str, text: str) -> Any:
        if name in NOT_TEXTS:
            return json.loads(text)
        return PLACEHOLDER.sub(lambda named: self._made_up(*named.groups()), text)

    def _made_up(self, kind: str, name: str) -> str:
        return "AKIAEXAMPLE" if kind == "key" else str(self._entities[kind][name].unique_id)
