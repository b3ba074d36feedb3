"""SimulatePrincipalPolicy for users and roles with a path, on every resource that is asked for.

MiniStack looks for a user of the name ``service/ecr-push`` where the ARN says ``user/service/ecr-push``, finds no
policies, and answers that nothing is allowed, an administrator's permissions included; and of several resources it
takes the first. Here the policies are the user's, each resource has its result, and a principal that does not exist is
refused.

A permissions boundary is not taken into account: what it would forbid is told as allowed.

Source: AWS Identity and Access Management API reference, SimulatePrincipalPolicy.
"""

import re
from typing import Any

from ministack.services import iam

from local.scratch_account import ACCOUNT, Reply, scratch_account

GAP = "SimulatePrincipalPolicy for users and roles with a path, on several resources"
RELIES_ON = (
    "services.iam._IAM_HANDLERS",
    "services.iam._error",
    "services.iam._p",
    "services.iam._roles",
    "services.iam._user_inline_policies",
    "services.iam._users",
)

_OPERATION = "SimulatePrincipalPolicy"
_RESULT = re.compile(r"<member>(<EvalActionName>.*?<EvalDecision>(\w+)</EvalDecision>.*?)</member>")
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
        known = {key: value for key, value in parameters.items() if not key.startswith("ResourceArns.")}
        known["PolicySourceArn"] = [f"{account}:{kind}/{name}"]
        replies = {
            resource: simulate({**known, "ResourceArns.member.1": [resource]}) for resource in _resources(parameters)
        }
        return _together(replies)

    iam._IAM_HANDLERS[_OPERATION] = simulate_principal_policy


def _resources(parameters: dict[str, Any]) -> list[str]:
    named = [key for key in parameters if key.startswith("ResourceArns.member.")]
    return [iam._p(parameters, key) for key in sorted(named)] or ["*"]


def _together(replies: dict[str, Reply]) -> Reply:
    """The first resource's reply, with the results for every resource in each of its results."""
    results = [_RESULT.findall(body.decode()) for _, _, body in replies.values()]
    (status, headers, body), text = next(iter(replies.values())), ""
    for of_one_action in zip(*results, strict=True):
        each = "".join(
            f"<member><EvalResourceName>{resource}</EvalResourceName>"
            f"<EvalResourceDecision>{decision}</EvalResourceDecision></member>"
            for resource, (_, decision) in zip(replies, of_one_action, strict=True)
        )
        text += f"<member>{of_one_action[0][0]}<ResourceSpecificResults>{each}</ResourceSpecificResults></member>"
    before, _, rest = body.decode().partition("<EvaluationResults>")
    after = rest.partition("</EvaluationResults>")[2]
    return status, headers, f"{before}<EvaluationResults>{text}</EvaluationResults>{after}".encode()
