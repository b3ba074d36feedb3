"""The documents of AWS's managed policies, as they were on a day that the file beside this module says.

AWS changes them without a notice. What is compared here is a change of files, in which the same policy stands for the
same access on both sides; what AWS changes is found by the scan of the account.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("managed_policies.json.gz")


def document_of(arn: str) -> dict[str, Any] | None:
    """The document of a managed policy of AWS, or None when it is not known here."""
    parts = arn.split(":", 5)
    document: dict[str, Any] | None = _known()["documents"].get(parts[5]) if parts[4] == "aws" else None
    return document


@cache
def _known() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(gzip.decompress(_FILE.read_bytes()))
    return known
