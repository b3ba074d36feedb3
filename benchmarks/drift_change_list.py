"""The changes of `drift_changes`: each with what should be told of it, written down before it was run."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ACCOUNT = "123456789012"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
EC2 = {"Service": "ec2.amazonaws.com"}


def document(*statements: dict[str, Any]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def trust(principal: Any, **more: Any) -> str:
    """A trust policy."""
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more})


def arn(name: str) -> str:
    """Of a customer's policy."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


GET = allow("s3:GetObject", resource="arn:aws:s3:::data/*")
LIST = allow("s3:ListBucket", resource="arn:aws:s3:::data")
WIDE = allow("s3:*", resource="arn:aws:s3:::data/*")
DENY = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change; ``expected`` is "KIND SEVERITY VERDICT", or empty for one that must give no alert."""

    name: str
    expected: str
    make: Callable[[Any, Any], object]
    take_back: Callable[[Any, Any], object] | None = None
    resolves: bool = True

    def is_met_by(self, told: dict[str, Any]) -> bool:
        """Whether an alert is the expected one."""
        kind, _, rest = self.expected.partition(" ")
        return bool(kind) and " ".join((told["kind"], told["severity"], told["verdict"])).strip() == f"{kind} {rest}"


def prepare(iam: Any) -> None:
    """What the changes are made on."""
    iam.create_user(UserName="mallory")
    iam.put_user_policy(UserName="mallory", PolicyName="iam", PolicyDocument=document(allow("iam:*", "s3:*")))
    for number in range(1, 31):
        role = f"r{number:02}"
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(EC2))
        iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(GET, LIST, DENY))
    for number in range(1, 8):
        iam.create_user(UserName=f"u{number}")
    for name in ("p1", "p2", "p3", "p4", "p5", "edge"):
        iam.create_policy(PolicyName=name, PolicyDocument=document(allow("s3:*") if name == "edge" else GET))
    for role, policy in (("r20", "p1"), ("r21", "p1"), ("r22", "p2"), ("r23", "p3"), ("r28", "p5")):
        iam.attach_role_policy(RoleName=role, PolicyArn=arn(policy))
    iam.create_policy_version(PolicyArn=arn("p2"), PolicyDocument=document(WIDE), SetAsDefault=False)
    for role in ("r24", "r25"):
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=arn("edge"))
    for group, given in (("readers", GET), ("admins", allow("*")), ("spare", GET)):
        iam.create_group(GroupName=group)
        iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=document(given))
    iam.add_user_to_group(GroupName="readers", UserName="u3")


def _inline(role: str, *statements: dict[str, Any]) -> Callable[[Any, Any], object]:
    return lambda iam, _: iam.put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=document(*statements))


def _as_it_was(role: str) -> Callable[[Any, Any], object]:
    return _inline(role, GET, LIST, DENY)


def _attach(role: str, policy: str) -> Callable[[Any, Any], object]:
    return lambda iam, _: iam.attach_role_policy(RoleName=role, PolicyArn=policy)


def _detach(role: str, policy: str) -> Callable[[Any, Any], object]:
    return lambda iam, _: iam.detach_role_policy(RoleName=role, PolicyArn=policy)


def _trusts(role: str, principal: Any, **more: Any) -> Callable[[Any, Any], object]:
    return lambda iam, _: iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust(principal, **more))


def _attach_and_detach(seconds: float) -> Callable[[Any, Any], object]:
    def make(iam: Any, _: Any) -> None:
        iam.attach_role_policy(RoleName="r13", PolicyArn=ADMIN)
        time.sleep(seconds)
        iam.detach_role_policy(RoleName="r13", PolicyArn=ADMIN)

    return make


def _recreate(iam: Any, _: Any) -> None:
    iam.delete_role_policy(RoleName="r14", PolicyName="own")
    iam.delete_role(RoleName="r14")
    iam.create_role(RoleName="r14", AssumeRolePolicyDocument=trust(EC2))
    iam.put_role_policy(RoleName="r14", PolicyName="own", PolicyDocument=document(GET, LIST, DENY))


def _delete(role: str) -> Callable[[Any, Any], object]:
    def make(iam: Any, _: Any) -> None:
        iam.delete_role_policy(RoleName=role, PolicyName="own")
        iam.delete_role(RoleName=role)

    return make


def _moved(iam: Any, _: Any) -> None:
    iam.put_role_policy(RoleName="r16", PolicyName="second", PolicyDocument=document(LIST))
    iam.put_role_policy(RoleName="r16", PolicyName="own", PolicyDocument=document(GET, DENY))


def _moved_back(iam: Any, _: Any) -> None:
    iam.put_role_policy(RoleName="r16", PolicyName="own", PolicyDocument=document(GET, LIST, DENY))
    iam.delete_role_policy(RoleName="r16", PolicyName="second")


def _made_role(iam: Any, _: Any) -> None:
    iam.create_role(RoleName="backdoor", AssumeRolePolicyDocument=trust({"AWS": "arn:aws:iam::999988887777:root"}))


def _made_user(iam: Any, _: Any) -> None:
    iam.create_user(UserName="intruder")
    iam.attach_user_policy(UserName="intruder", PolicyArn=ADMIN)


def _unmade_user(iam: Any, _: Any) -> None:
    iam.detach_user_policy(UserName="intruder", PolicyArn=ADMIN)
    iam.delete_user(UserName="intruder")


def _version(policy: str, *statements: dict[str, Any]) -> Callable[[Any, Any], object]:
    return lambda iam, _: iam.create_policy_version(
        PolicyArn=arn(policy), PolicyDocument=document(*statements), SetAsDefault=True
    )


def _default(policy: str, version: str) -> Callable[[Any, Any], object]:
    return lambda iam, _: iam.set_default_policy_version(PolicyArn=arn(policy), VersionId=version)


def _acknowledge(finding: str) -> Callable[[Any, Any], object]:
    def make(_: Any, local: Any) -> None:
        _, shown = local.call("GET", f"/drift/findings/{finding}")
        body = {"reason": "planned", "owner": "team-a", "expires": "2026-12-24T00:00:00Z"}
        body["fingerprint"] = shown["fingerprint"]
        status, answer = local.call("POST", f"/drift/findings/{finding}/acknowledgement", body)
        if status != 200:  # noqa: PLR2004 - OK
            raise RuntimeError(answer)

    return make


def _twice(*steps: Callable[[Any, Any], object], pause: float = 4.0) -> Callable[[Any, Any], object]:
    def make(iam: Any, local: Any) -> None:
        for step in steps[:-1]:
            step(iam, local)
            time.sleep(pause)
        steps[-1](iam, local)

    return make


CHANGES: tuple[Change, ...] = (
    Change("attach AdministratorAccess", "ACCESS CRITICAL BROADENED", _attach("r01", ADMIN), _detach("r01", ADMIN)),
    Change(
        "attach a policy that reads", "ACCESS MEDIUM BROADENED", _attach("r02", READ_ONLY), _detach("r02", READ_ONLY)
    ),
    Change("inline: wildcard widened", "ACCESS MEDIUM BROADENED", _inline("r03", WIDE, LIST, DENY), _as_it_was("r03")),
    Change(
        "inline: Deny dropped, nothing was allowed by it",
        "",
        _inline("r04", GET, LIST),
        _as_it_was("r04"),
        resolves=False,
    ),
    Change("inline: statement dropped", "ACCESS LOW NARROWED", _inline("r05", GET, DENY), _as_it_was("r05")),
    Change("inline: one for another", "ACCESS MEDIUM INCOMPARABLE", _inline("r06", WIDE, DENY), _as_it_was("r06")),
    Change(
        "inline: iam:* on everything",
        "ACCESS CRITICAL BROADENED",
        _inline("r07", allow("iam:*"), GET, LIST, DENY),
        _as_it_was("r07"),
    ),
    Change(
        "inline: iam:PassRole and lambda",
        "ACCESS HIGH BROADENED",
        _inline("r08", GET, LIST, DENY, allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction")),
        _as_it_was("r08"),
    ),
    Change(
        "inline: put its own policies",
        "ACCESS CRITICAL BROADENED",
        _inline("r09", GET, LIST, DENY, allow("iam:PutRolePolicy")),
        _as_it_was("r09"),
    ),
    Change(
        "inline: order and Sid alone",
        "",
        _inline("r10", DENY, {**LIST, "Sid": "L"}, {**GET, "Sid": "G"}),
        _as_it_was("r10"),
        resolves=False,
    ),
    Change(
        "inline: one statement split in two",
        "",
        _inline("r11", GET, allow("s3:ListBucket", resource=["arn:aws:s3:::data"]), DENY, GET),
        _as_it_was("r11"),
        resolves=False,
    ),
    Change("the same policy put again", "", _as_it_was("r12"), None),
    Change("attach and detach at once", "TRANSIENT CRITICAL BROADENED", _attach_and_detach(0.0), None),
    Change("delete and recreate a role", "RECREATED MEDIUM EQUIVALENT", _recreate, None),
    Change("delete a role", "MISSING LOW NARROWED", _delete("r15"), None),
    Change("a statement moved to another inline policy", "NOTE INFO EQUIVALENT", _moved, _moved_back),
    Change("trust opened to everyone", "TRUST CRITICAL BROADENED", _trusts("r17", "*"), _trusts("r17", EC2)),
    Change(
        "trust opened to a foreign account",
        "TRUST CRITICAL BROADENED",
        _trusts("r18", {"AWS": "999988887777"}),
        _trusts("r18", EC2),
    ),
    Change(
        "trust narrowed by a condition",
        "TRUST LOW NARROWED",
        _trusts("r19", EC2, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        _trusts("r19", EC2),
    ),
    Change(
        "new default version, two roles have it", "ACCESS MEDIUM BROADENED", _version("p1", WIDE), _default("p1", "v1")
    ),
    Change(
        "SetDefaultPolicyVersion to a wider one", "ACCESS MEDIUM BROADENED", _default("p2", "v2"), _default("p2", "v1")
    ),
    Change("new version that says the same", "", _version("p3", {**GET, "Sid": "Same"}), None),
    Change("new version of a policy nobody has", "POLICY MEDIUM BROADENED", _version("p4", WIDE), _default("p4", "v1")),
    Change(
        "boundary removed",
        "BOUNDARY CRITICAL BROADENED",
        lambda iam, _: iam.delete_role_permissions_boundary(RoleName="r24"),
        lambda iam, _: iam.put_role_permissions_boundary(RoleName="r24", PermissionsBoundary=arn("edge")),
    ),
    Change(
        "boundary's policy widened", "BOUNDARY CRITICAL BROADENED", _version("edge", allow("*")), _default("edge", "v1")
    ),
    Change(
        "user into an administrators' group",
        "MEMBERSHIP CRITICAL BROADENED",
        lambda iam, _: iam.add_user_to_group(GroupName="admins", UserName="u1"),
        lambda iam, _: iam.remove_user_from_group(GroupName="admins", UserName="u1"),
    ),
    Change(
        "user into a readers' group",
        "ACCESS MEDIUM BROADENED",
        lambda iam, _: iam.add_user_to_group(GroupName="spare", UserName="u2"),
        lambda iam, _: iam.remove_user_from_group(GroupName="spare", UserName="u2"),
    ),
    Change(
        "user out of a group",
        "ACCESS LOW NARROWED",
        lambda iam, _: iam.remove_user_from_group(GroupName="readers", UserName="u3"),
        lambda iam, _: iam.add_user_to_group(GroupName="readers", UserName="u3"),
    ),
    Change(
        "group policy widened",
        "ACCESS MEDIUM BROADENED",
        lambda iam, _: iam.put_group_policy(GroupName="readers", PolicyName="own", PolicyDocument=document(WIDE)),
        lambda iam, _: iam.put_group_policy(GroupName="readers", PolicyName="own", PolicyDocument=document(GET)),
    ),
    Change(
        "new role that a foreign account may assume",
        "UNMANAGED CRITICAL BROADENED",
        _made_role,
        lambda iam, _: iam.delete_role(RoleName="backdoor"),
    ),
    Change("new user with AdministratorAccess", "UNMANAGED CRITICAL BROADENED", _made_user, _unmade_user),
    Change(
        "new user with nothing",
        "UNMANAGED MEDIUM EQUIVALENT",
        lambda iam, _: iam.create_user(UserName="newcomer"),
        lambda iam, _: iam.delete_user(UserName="newcomer"),
    ),
    Change(
        "user renamed",
        "NOTE INFO EQUIVALENT",
        lambda iam, _: iam.update_user(UserName="u4", NewUserName="u4-renamed"),
        lambda iam, _: iam.update_user(UserName="u4-renamed", NewUserName="u4"),
    ),
    Change("tag a role", "", lambda iam, _: iam.tag_role(RoleName="r26", Tags=[{"Key": "team", "Value": "a"}]), None),
    Change("description of a role", "", lambda iam, _: iam.update_role(RoleName="r26", Description="other"), None),
    Change("access key made", "", lambda iam, _: iam.create_access_key(UserName="u5"), None),
    Change(
        "a second grant on an open finding",
        "ACCESS CRITICAL BROADENED",
        _twice(_attach("r27", READ_ONLY), _attach("r27", ADMIN)),
        _twice(_detach("r27", READ_ONLY), _detach("r27", ADMIN), pause=0),
    ),
    Change(
        "the same grant twice",
        "ACCESS MEDIUM BROADENED",
        _twice(_attach("r28", READ_ONLY), _attach("r28", READ_ONLY)),
        _detach("r28", READ_ONLY),
    ),
    Change(
        "a second grant on an acknowledged finding",
        "ACCESS MEDIUM BROADENED",
        _twice(_attach("r29", READ_ONLY), _acknowledge("access:role:r29"), _inline("r29", WIDE, LIST, DENY)),
        _twice(_detach("r29", READ_ONLY), _as_it_was("r29"), pause=0),
    ),
    Change(
        "inline policy on a user",
        "ACCESS MEDIUM BROADENED",
        lambda iam, _: iam.put_user_policy(UserName="u6", PolicyName="x", PolicyDocument=document(GET)),
        lambda iam, _: iam.delete_user_policy(UserName="u6", PolicyName="x"),
    ),
    Change(
        "attach to a group",
        "ACCESS CRITICAL BROADENED",
        lambda iam, _: iam.attach_group_policy(GroupName="spare", PolicyArn=ADMIN),
        lambda iam, _: iam.detach_group_policy(GroupName="spare", PolicyArn=ADMIN),
    ),
    Change(
        "inline on a user and back at once",
        "TRANSIENT MEDIUM BROADENED",
        lambda iam, _: (
            iam.put_user_policy(UserName="u7", PolicyName="x", PolicyDocument=document(GET)),
            iam.delete_user_policy(UserName="u7", PolicyName="x"),
        ),
        None,
    ),
    Change(
        "new unattached policy",
        "UNMANAGED MEDIUM BROADENED",
        lambda iam, _: iam.create_policy(PolicyName="fresh", PolicyDocument=document(WIDE)),
        lambda iam, _: iam.delete_policy(PolicyArn=arn("fresh")),
    ),
)
