"""The readers that an event of policy drift must reach, by docs/alerting.md and the shipped routes."""

from benchmarks.drift_changes.ears import Heard

MAIL_AND_CHAT = frozenset({"mail", "chat"})
CHAT = frozenset({"chat"})
NOBODY = frozenset[str]()
_MAILED_ALWAYS = frozenset({"HIGH", "CRITICAL"})


def readers(event: Heard, *, expected: bool) -> frozenset[str]:
    """The channels of its alert; none where it only waits for the weekly digest."""
    match event.kind:
        case "BaselineChanged" | "BaselineRefused" | "DriftScanFailed":
            return MAIL_AND_CHAT
        case "PolicyDriftAcknowledged":
            return CHAT
        case "DriftScanCompleted":
            return MAIL_AND_CHAT if event.data["unreadable"] else NOBODY
    severity = event.data["severity"]
    if expected:
        return MAIL_AND_CHAT if severity in _MAILED_ALWAYS else CHAT
    return NOBODY if severity in {"INFO", "LOW"} else MAIL_AND_CHAT
