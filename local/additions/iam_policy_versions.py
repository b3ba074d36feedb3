"""SetDefaultPolicyVersion: another version of a managed policy takes effect.

Source: AWS Identity and Access Management API reference, SetDefaultPolicyVersion.
"""

from typing import Any

from ministack.services import iam

from local.scratch_account import Reply

GAP = "SetDefaultPolicyVersion"
RELIES_ON = (
    "services.iam._IAM_HANDLERS",
    "services.iam._error",
    "services.iam._p",
    "services.iam._policies",
    "services.iam._xml",
)

_OPERATION = "SetDefaultPolicyVersion"


def is_still_missing() -> bool:
    """Whether the operation is unknown."""
    return _OPERATION not in iam._IAM_HANDLERS


def install() -> None:
    """Add the operation."""
    iam._IAM_HANDLERS[_OPERATION] = _set_default_policy_version


def _set_default_policy_version(parameters: dict[str, Any]) -> Reply:
    policy, wanted = iam._policies.get(iam._p(parameters, "PolicyArn")), iam._p(parameters, "VersionId")
    if not policy or wanted not in policy["Versions"]:
        return iam._error(404, "NoSuchEntity", "The policy, or the version, does not exist.", ns="iam")  # type: ignore[no-any-return]
    for name, version in policy["Versions"].items():
        version["IsDefaultVersion"] = name == wanted
    policy["DefaultVersionId"] = wanted
    return iam._xml(200, f"{_OPERATION}Response", "", ns="iam")  # type: ignore[no-any-return]
