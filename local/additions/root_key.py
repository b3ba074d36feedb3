"""Root is one key, and its signature is checked like any other.

MiniStack takes its configured key, ``test`` and every twelve-digit access key id as root, with any secret, and also
whoever sends an ``Authorization`` header that names no key. Here only the configured key is root, a wrong secret is
refused, and a header that names no key is no authentication.
"""

import contextvars
import os
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import sts

GAP = "a root key that is checked"
RELIES_ON = (
    "app.pin_signed_request",
    "core.iam_evaluator._anonymous",
    "core.iam_evaluator._is_root_key",
    "core.iam_evaluator._signed_request",
    "core.iam_evaluator.is_root_access_key",
    "core.iam_evaluator.pin_signed_request",
    "services.sts.is_root_access_key",
)
REPLACES = (
    "core.iam_evaluator._is_root_key",
    "core.iam_evaluator.is_root_access_key",
    "services.sts.is_root_access_key",
)

_pinning = contextvars.ContextVar("pinning", default=False)


def is_still_missing() -> bool:
    """Whether the key ``test`` is root although another one is configured."""
    return bool(iam_evaluator.is_root_access_key("test"))


def install() -> None:
    """Take the configured key alone for root, and keep requests that it signs for the signature check."""
    pin_signed_request = iam_evaluator.pin_signed_request

    def pin(*arguments: Any, **options: Any) -> None:
        token = _pinning.set(True)
        try:
            pin_signed_request(*arguments, **options)
        finally:
            _pinning.reset(token)
        if iam_evaluator._signed_request.get() is None:
            iam_evaluator._anonymous.set(True)  # nothing was signed, whatever the header says

    iam_evaluator.is_root_access_key = sts.is_root_access_key = _is_root
    # MiniStack does not keep the signature of a root key. While it decides what to keep, no key is root.
    iam_evaluator._is_root_key = lambda key: not _pinning.get() and _is_root(key)
    app.pin_signed_request = iam_evaluator.pin_signed_request = pin


def _is_root(access_key_id: str) -> bool:
    """Whether the key is the configured one; calls inside MiniStack carry no key at all."""
    return not access_key_id or access_key_id == os.environ["AWS_ACCESS_KEY_ID"]
