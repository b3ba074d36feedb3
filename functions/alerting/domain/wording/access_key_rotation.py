"""Access-key rotation, in words."""

from collections.abc import Mapping

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent, Data
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import Wording, alert, given
from steward.severities import EventSeverities, OfKey
from steward.severity import SeverityName

LEAKED = "compromised"
_FROZEN = Sentence.of("The user is frozen: its keys do not rotate until an operator requests a rotation.")
_DRAINS_AGAIN = Sentence.of("It stays active for another quiet period and is then deactivated again.")


def thread_of(event: BusEvent) -> str:
    """Everything about one user is one thread."""
    return f"rotation:{event.data.text('user_name')}"


def _due(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    leaked = data.text("reason") == LEAKED
    title = "An access key of {} is exposed" if leaked else "A rotation of {} is due"
    body = (
        Sentence.of("The key was found in public or reported as leaked. It is being replaced and deactivated."),
        Sentence.of("Check what it was used for: CloudTrail records every call under the key's id."),
    )
    return alert(
        event,
        _of_key(severities.AccessKeyRotationDue, data),
        Sentence.of(title, data.text("user_name")),
        *(body if leaked else ()),
        facts=given(("Key", data.text("key_id")), ("Requested by", data.text("requested_by"))),
        thread=thread_of(event),
        runbook="key-leaked" if leaked else "",
    )


def _of_key(severity: OfKey, data: Data) -> SeverityName:
    return severity.compromised if data.text("reason") == LEAKED else severity.otherwise


def _withdrawn(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.AccessKeyRotationWithdrawn,
        Sentence.of("{} withdrew the rotation of {}", data.text("requested_by"), data.text("user_name")),
        facts=given(("Key that stays current", data.text("key_id"))),
        thread=thread_of(event),
    )


def _rotated(event: BusEvent, severities: EventSeverities) -> Alert:
    data, severity = event.data, severities.AccessKeyRotated
    waived = ", ".join(data.texts("waived"))
    return alert(
        event,
        severity.checks_waived if waived else severity.otherwise,
        Sentence.of("{} has a new, verified access key", data.text("user_name")),
        facts=given(
            ("New key", data.text("key_id")),
            ("Previous keys, active until unused", ", ".join(data.texts("previous_key_ids"))),
            ("Checks skipped in the emergency", waived),
        ),
        thread=thread_of(event),
    )


def _deactivated(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    leaked = data.text("reason") == LEAKED
    return alert(
        event,
        _of_key(severities.AccessKeyDeactivated, data),
        Sentence.of("A key of {} was deactivated", data.text("user_name")),
        *((Sentence.of("It had leaked; anything that still uses it is now denied."),) if leaked else ()),
        facts=given(
            ("Key", data.text("key_id")),
            ("Reason", data.text("reason")),
            ("Last used", _last_use(data)),
            ("Deleted after", data.text("deleted_after")),
        ),
        thread=thread_of(event),
        runbook="consumer-broke" if leaked else "",
    )


def _last_use(data: Data) -> str:
    """When and for which service a key was last used, as far as IAM says it."""
    return " ".join(part for part in (data.text("last_used_at"), data.text("last_used_for")) if part)


def _deleted(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    cut_off = data.holds("was_active") and data.text("reason").startswith(LEAKED)
    return alert(
        event,
        severities.AccessKeyDeleted,
        Sentence.of("A key of {} was deleted", data.text("user_name")),
        *((Sentence.of("It worked until then; anything that still uses it is now denied."),) if cut_off else ()),
        facts=given(("Key", data.text("key_id")), ("Reason", data.text("reason")), ("Last used", _last_use(data))),
        thread=thread_of(event),
    )


def _reactivated(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    who, user = data.text("requested_by"), data.text("user_name")
    title, body = Sentence.of("{} reactivated a key of {}", who, user), _FROZEN
    if not who:
        title, body = Sentence.of("A key of {} was reactivated in IAM", user), _DRAINS_AGAIN
    return alert(
        event,
        severities.AccessKeyReactivated,
        title,
        body,
        facts=given(("Key", data.text("key_id"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


def _blocked(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.AccessKeyRotationBlocked,
        Sentence.of("Key rotation of {} is blocked", data.text("user_name")),
        Sentence.of(
            "No key is deactivated meanwhile, and the keys keep ageing. This alert repeats daily until it is fixed."
        ),
        facts=given(
            ("Reason", data.text("reason")), ("State", data.text("state")), ("Keys", ", ".join(data.texts("key_ids")))
        ),
        thread=thread_of(event),
        runbook="user-blocked",
    )


def _failed(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.AccessKeyRotationFailed,
        Sentence.of("A rotation of {} failed", data.text("user_name")),
        Sentence.of("Only a leaked key is deactivated by a run that fails; the next run resumes from there."),
        facts=given(
            ("Step", data.text("step")),
            ("Reason", data.text("reason")),
            ("Side that failed", data.text("cause")),
            ("AWS error code", data.text("code")),
            ("Next try", data.text("next_try_at")),
        ),
        thread=thread_of(event),
        runbook="rotation-failed",
    )


def _does_not_authenticate(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.SecretDoesNotAuthenticate,
        Sentence.of("The current key of {} does not authenticate", data.text("user_name")),
        Sentence.of("Consumers that read this secret cannot push or pull, or soon will not be able to."),
        facts=given(("Key", data.text("key_id")), ("Region", data.text("region"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


def _reader_missing(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.SecretReaderMissing,
        Sentence.of("Only {} itself may read its secret", data.text("user_name")),
        Sentence.of(
            "A host whose key no longer works needs another reader to fetch the new one: add one to secret_readers."
        ),
        facts=given(("Secret", data.text("secret"))),
        thread=thread_of(event),
        runbook="consumer-broke",
    )


def _readers_changed(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    readers = ", ".join(data.texts("readers"))
    return alert(
        event,
        severities.SecretReadersChanged,
        Sentence.of("Someone changed who may read the secret of {}", data.text("user_name")),
        Sentence.of("The restriction of the settings is in place again. Until then, others may have read the key."),
        Sentence.of("CloudTrail names the caller of PutResourcePolicy. If in doubt, treat the key as leaked."),
        facts=given(
            ("Change", data.text("change")),
            ("Readers meanwhile", readers or "every principal that IAM permits"),
            ("Added", ", ".join(data.texts("added"))),
            ("Secret", data.text("secret")),
        ),
        thread=thread_of(event),
        runbook="key-leaked",
    )


def _counted(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    old = f"{data.text('old')} older than {data.text('old_days')} days"
    return alert(
        event,
        severities.AccessKeysCounted,
        Sentence.of(
            "Access keys of the account, as of {}: {} active, {}, {} unused, {} that nobody rotates",
            data.text("as_of"),
            data.text("active"),
            old,
            data.text("unused"),
            data.text("not_rotated"),
        ),
        Sentence.of("GET /access-keys lists each with its owner and its way out; format=csv is for auditors."),
        facts=given(("Users whose keys could not be read", _unless_zero(data.text("unreadable")))),
        thread="access-keys",
    )


def _enrolled(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.ServiceUserEnrolled,
        Sentence.of("{} enrolled {}: its keys rotate from now on", data.text("requested_by"), data.text("user_name")),
        facts=given(("First secret", data.text("first_secret")), ("Keys before", ", ".join(data.texts("key_ids")))),
        thread=thread_of(event),
    )


def _left(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.ServiceUserLeft,
        Sentence.of("{} took {} out of rotation", data.text("requested_by"), data.text("user_name")),
        Sentence.of(
            "Its keys work until a person deactivates them; its secret stays, and the steward renews it no more."
        ),
        facts=given(("Keys", ", ".join(data.texts("key_ids")))),
        thread=thread_of(event),
    )


def _synced(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.SecretSynced,
        Sentence.of("{} has the new key of {}", data.text("target"), data.text("user_name")),
        facts=given(("Key", data.text("key_id"))),
        thread=thread_of(event),
    )


def _sync_failed(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.SecretSyncFailed,
        Sentence.of("{} has not confirmed the new key of {}", data.text("target"), data.text("user_name")),
        Sentence.of(
            "Systems that read it may have the old key, half of the new one, or none. The old key stays active until "
            "every target has the new one. It is written again every 15 minutes; this alert repeats daily."
        ),
        facts=given(("Reason", data.text("reason")), ("Since", data.text("since")), ("Key", data.text("key_id"))),
        thread=thread_of(event),
        runbook="secret-sync-failed",
    )


def _unless_zero(number: str) -> str:
    return "" if number == "0" else number


TEXTS: Mapping[str, Wording] = {
    "AccessKeyRotationDue": _due,
    "AccessKeyRotationWithdrawn": _withdrawn,
    "AccessKeyRotated": _rotated,
    "AccessKeyDeactivated": _deactivated,
    "AccessKeyDeleted": _deleted,
    "AccessKeyReactivated": _reactivated,
    "AccessKeyRotationBlocked": _blocked,
    "AccessKeyRotationFailed": _failed,
    "SecretDoesNotAuthenticate": _does_not_authenticate,
    "SecretReaderMissing": _reader_missing,
    "SecretReadersChanged": _readers_changed,
    "AccessKeysCounted": _counted,
    "ServiceUserEnrolled": _enrolled,
    "ServiceUserLeft": _left,
    "SecretSynced": _synced,
    "SecretSyncFailed": _sync_failed,
}
