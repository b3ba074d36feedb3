"""SimulatePrincipalPolicy of users and roles with a path, decided on the one that it names.

MiniStack takes the path for a part of the name, so that somebody at ``/service/`` seems to have no rights at all, and
decides on the call as on one without a resource.

Sources: IAM API reference, SimulatePrincipalPolicy; Service Authorization Reference, "Actions, resources, and condition
keys for AWS Identity and Access Management".
"""

import json
from typing import Any

from ministack.core import iam_actions
from ministack.services import iam

from local.scratch_account import ACCOUNT, Reply, scratch_account

GAP = "simulation of the policies of users with a path"
RELIES_ON = (
    "core.iam_actions._query_param",
    "core.iam_actions.extract_resource_arn",
    "services.iam._IAM_HANDLERS",
    "services.iam._p",
    "services.iam._users",
)

_SOURCE = "PolicySourceArn"

type Parameters = dict[str, Any]


def is_still_missing() -> bool:
    """Whether a user at a path seems to have no rights."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    with scratch_account():
        arn = f"arn:aws:iam::{ACCOUNT}:user/service/probe"
        iam._users["probe"] = {
            "UserName": "probe",
            "Arn": arn,
            "InlinePolicies": {"all": json.dumps(everything)},
            "AttachedPolicies": [],
        }
        form = {_SOURCE: [arn], "ActionNames.member.1": ["iam:CreateAccessKey"]}
        reply: Reply = iam._IAM_HANDLERS["SimulatePrincipalPolicy"](form)
        iam._users.pop("probe")
    return b">allowed<" not in reply[2]


def install() -> None:
    """Name the principal without its path to the simulation, and with it to the decision on the call."""
    simulate, extract = iam._IAM_HANDLERS["SimulatePrincipalPolicy"], iam_actions.extract_resource_arn

    def simulate_principal_policy(parameters: Parameters) -> Reply:
        source = str(iam._p(parameters, _SOURCE) or "")
        account, _, entity = source.partition(":user/" if ":user/" in source else ":role/")
        if entity:
            kind = "user" if ":user/" in source else "role"
            parameters = {**parameters, _SOURCE: [f"{account}:{kind}/{entity.rsplit('/', 1)[-1]}"]}
        reply: Reply = simulate(parameters)
        return reply

    def extract_resource_arn(service: str, *request: Any) -> str:
        source = str(iam_actions._query_param(request[-3], _SOURCE) or "") if service == "iam" else ""
        return source or str(extract(service, *request))

    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulate_principal_policy
    iam_actions.extract_resource_arn = extract_resource_arn
