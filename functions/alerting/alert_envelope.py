"""EventBridge's envelope, read into the event that the domain knows."""

from datetime import datetime
from typing import Any

from alerting.domain.event import BusEvent, Data


def bus_event(envelope: Any) -> BusEvent:
    """The event that EventBridge's envelope holds. Raises ValueError for what is no such envelope.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    match envelope:
        case {
            "id": str(identity),
            "source": str(source),
            "detail-type": str(detail_type),
            "time": str(time),
            "account": str(account),
            "region": str(region),
            "detail": {**detail},
        }:
            data = detail.get("data")
            said = Data(data if isinstance(data, dict) else {})
            at = datetime.fromisoformat(time)
            return BusEvent(identity, source.removeprefix("steward."), detail_type, at, account, region, said)
    raise ValueError("the message is no event of a bus: id, source, detail-type, time, account, region and detail")
