"""What botocore logs at DEBUG, without what it sends and receives: requests and answers can hold secrets."""

import logging
from typing import Any

_WIRE = ("boto3", "botocore", "urllib3")
WITHHELD = "(withheld: may hold a secret)"


def redact_wire_logs() -> None:
    """From now on, in this process, no DEBUG record of the AWS SDK says more than where it comes from.

    A record factory rather than a level, because levels are set by whoever looks for an error last.
    """
    make = logging.getLogRecordFactory()
    if getattr(make, "withholds", False):
        return

    def record(*arguments: Any, **keywords: Any) -> logging.LogRecord:
        made = make(*arguments, **keywords)
        if made.levelno <= logging.DEBUG and made.name.split(".")[0] in _WIRE:
            made.msg, made.args, made.exc_info = WITHHELD, (), None
        return made

    record.withholds = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(record)
