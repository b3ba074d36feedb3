"""Access keys: two for each user, and when each was last used.

MiniStack makes any number of keys for a user, never notes their use, deletes a key whoever it is said to belong to,
and lists no keys for a user who does not exist. Here the third key is refused, GetAccessKeyLastUsed and the credential
report tell the last use, and NoSuchEntity is answered where IAM answers it.

A use is noted at once, to the minute; IAM shows it later and in steps of about 15 minutes. Whatever passes the
signature check counts, allowed or not, as in IAM; pushes to the registry do not, since they carry no signature.

Sources: "IAM and AWS STS quotas" and "GetAccessKeyLastUsed", AWS Identity and Access Management.
"""

import csv
import io
import time
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

from local.scratch_account import Reply, scratch_account

GAP = "the limit of two access keys a user, and their last use"
RELIES_ON = (
    "core.iam_evaluator.ResolvedCredential",
    "core.iam_evaluator._signed_request",
    "core.iam_evaluator.authenticate",
    "services.iam._IAM_HANDLERS",
    "services.iam._access_keys",
    "services.iam._build_credential_report",
    "services.iam._create_access_key",
    "services.iam._error",
    "services.iam._p",
    "services.iam._users",
    "services.iam._xml",
)

KEYS_PER_USER = 2
"""The quota "Access keys per user", which cannot be raised."""

_KEY = "AccessKeyId"
_LAST_USED = "LastUsed"

type Parameters = dict[str, Any]


def is_still_missing() -> bool:
    """Whether a user gets a third key."""
    with scratch_account():
        iam._users["probe"] = {"UserName": "probe"}
        replies = [iam._create_access_key({"UserName": "probe"}) for _ in range(KEYS_PER_USER + 1)]
        iam._users.pop("probe")
        iam._access_keys.clear()
    return bool(replies[-1][0] == 200)  # noqa: PLR2004 - HTTP OK


def install() -> None:
    """Replace the four calls, note every use, and write it into the credential report."""
    create, delete = iam._IAM_HANDLERS["CreateAccessKey"], iam._IAM_HANDLERS["DeleteAccessKey"]
    list_keys, last_used = iam._IAM_HANDLERS["ListAccessKeys"], iam._IAM_HANDLERS["GetAccessKeyLastUsed"]

    def create_access_key(parameters: Parameters) -> Reply:
        if len(_keys_of(iam._p(parameters, "UserName"))) >= KEYS_PER_USER:
            return _refusal(409, "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {KEYS_PER_USER}")
        reply: Reply = create(parameters)
        return reply

    def delete_access_key(parameters: Parameters) -> Reply:
        user, key = iam._p(parameters, "UserName"), iam._access_keys.get(iam._p(parameters, _KEY))
        if user and key and key["UserName"] != user:
            return _refusal(404, "NoSuchEntity", f"The Access Key with id {key[_KEY]} cannot be found.")
        reply: Reply = delete(parameters)
        return reply

    def list_access_keys(parameters: Parameters) -> Reply:
        user = iam._p(parameters, "UserName")
        if user and user not in iam._users:
            return _refusal(404, "NoSuchEntity", f"The user with name {user} cannot be found.")
        reply: Reply = list_keys(parameters)
        return reply

    def get_access_key_last_used(parameters: Parameters) -> Reply:
        key = iam._access_keys.get(iam._p(parameters, _KEY))
        reply: Reply = _told(key) if key and _LAST_USED in key else last_used(parameters)
        return reply

    iam._IAM_HANDLERS.update(
        CreateAccessKey=create_access_key,
        DeleteAccessKey=delete_access_key,
        ListAccessKeys=list_access_keys,
        GetAccessKeyLastUsed=get_access_key_last_used,
    )
    _note_every_use()
    _report_every_use()


def _told(key: dict[str, Any]) -> Reply:
    """The answer of GetAccessKeyLastUsed for a key that was used."""
    used = "".join(f"<{name}>{value}</{name}>" for name, value in key[_LAST_USED].items())
    result = f"<UserName>{key['UserName']}</UserName><AccessKeyLastUsed>{used}</AccessKeyLastUsed>"
    name = "GetAccessKeyLastUsed"
    reply: Reply = iam._xml(200, f"{name}Response", f"<{name}Result>{result}</{name}Result>", ns="iam")
    return reply


def _note_every_use() -> None:
    authenticate = iam_evaluator.authenticate

    def authenticate_and_note(access_key_id: str, account_id: str) -> Any:
        request = iam_evaluator._signed_request.get()
        result = authenticate(access_key_id, account_id)
        key = iam._access_keys.get(access_key_id)
        if key and request and isinstance(result, iam_evaluator.ResolvedCredential):
            key[_LAST_USED] = _use(request)
        return result

    iam_evaluator.authenticate = authenticate_and_note


def _report_every_use() -> None:
    build = iam._build_credential_report

    def build_credential_report() -> str:
        report = csv.DictReader(io.StringIO(build()))
        completed = io.StringIO()
        writer = csv.DictWriter(completed, report.fieldnames or [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | _last_uses(row["user"]) for row in report)
        return completed.getvalue().removesuffix("\n")

    iam._build_credential_report = build_credential_report


def _last_uses(user: str) -> dict[str, str]:
    """The columns of the credential report for the keys of a user that were used, the oldest key first."""
    keys = sorted(_keys_of(user), key=lambda key: str(key["CreateDate"]))
    return {
        f"access_key_{number}_last_used_{column}": key[_LAST_USED][name]
        for number, key in enumerate(keys, start=1)
        if _LAST_USED in key
        for column, name in (("date", "LastUsedDate"), ("region", "Region"), ("service", "ServiceName"))
    }


def _use(request: Any) -> dict[str, str]:
    """When, for which service and in which region a request was signed: the last two as its credential scope says."""
    presigned = (request.query_params or {}).get("X-Amz-Credential")
    header = request.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0]
    scope = (presigned[0] if presigned else header).split("/")
    region, service = scope[2:4] if len(scope) > 3 else ("N/A", "N/A")  # noqa: PLR2004 - key, date, region, service
    return {
        "LastUsedDate": time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime()),
        "ServiceName": service,
        "Region": region,
    }


def _keys_of(user: str) -> list[dict[str, Any]]:
    return [key for key in iam._access_keys.values() if key["UserName"] == user]


def _refusal(status: int, code: str, message: str) -> Reply:
    reply: Reply = iam._error(status, code, message, ns="iam")
    return reply
