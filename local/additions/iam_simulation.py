"""SimulatePrincipalPolicy for users and roles with a path.

MiniStack looks for a user of the name ``service/ecr-push`` where the ARN says ``user/service/ecr-push``, finds no
policies, and answers that nothing is allowed, an administrator's rights included. Here the policies are the user's,
and a principal that does not exist is refused.

A permissions boundary is not taken into account: what it would forbid is told as allowed.

Source: AWS Identity and Access Management API reference, SimulatePrincipalPolicy.
"""

from typing import Any

from ministack.services import iam

from local.scratch_account import ACCOUNT, Reply, scratch_account

GAP = "SimulatePrincipalPolicy for users and roles with a path"
RELIES_ON = (
    "services.iam._IAM_HANDLERS",
    "services.iam._error",
    "services.iam._p",
    "services.iam._roles",
    "services.iam._user_inline_policies",
    "services.iam._users",
)

_OPERATION = "SimulatePrincipalPolicy"
_EVERYTHING = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def is_still_missing() -> bool:
    """Whether a user with a path who may do everything may do nothing."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/service/probe"
    with scratch_account():
        iam._users["probe"] = {"UserName": "probe", "Arn": arn}
        iam._user_inline_policies["probe"] = {"all": _EVERYTHING}
        question = {"PolicySourceArn": arn, "ActionNames.member.1": "iam:CreateUser"}
        _, _, body = iam._IAM_HANDLERS[_OPERATION](question)
        iam._users.pop("probe")
        iam._user_inline_policies.pop("probe")
    return b"<EvalDecision>allowed" not in body


def install() -> None:
    """Ask with the ARN that MiniStack understands."""
    simulate = iam._IAM_HANDLERS[_OPERATION]

    def simulate_principal_policy(parameters: dict[str, Any]) -> Reply:
        arn = iam._p(parameters, "PolicySourceArn")
        account, _, resource = arn.partition(":user/") if ":user/" in arn else arn.partition(":role/")
        kind, entities = ("user", iam._users) if ":user/" in arn else ("role", iam._roles)
        name = resource.rpartition("/")[2]
        if entities.get(name, {}).get("Arn") != arn:
            return iam._error(404, "NoSuchEntity", f"The entity {arn} cannot be found.", ns="iam")  # type: ignore[no-any-return]
        reply: Reply = simulate({**parameters, "PolicySourceArn": [f"{account}:{kind}/{name}"]})
        return reply

    iam._IAM_HANDLERS[_OPERATION] = simulate_principal_policy
