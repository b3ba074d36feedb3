"""What MiniStack lacks for this stack, one module per thing that it adds.

An addition is a module with

``GAP``
    what MiniStack lacks, as the end of the sentence "MiniStack lacks …";
``RELIES_ON``
    the names of MiniStack, below the package ``ministack``, that it replaces or calls and that a release may move;
``REPLACES``, if there is any
    the names of MiniStack, in the same form, that it puts its own in place of, without asking what was there; an entry
    of a table is ``module.table[entry]``. Everything else that it changes it wraps;
``is_still_missing()``
    whether MiniStack still lacks it, found out by trying;
``install()``
    replaces names of MiniStack, in this process, so that it does.

To add one, write the module and name it in :data:`ADDITIONS`. The order is the order of installation: where two
additions wrap the same name, the later one is the outer one.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Protocol

from local.additions import (
    cloudtrail_events,
    cloudtrail_history,
    ecr_authorization,
    ecr_registry_scanning,
    ecr_registry_settings,
    ecr_repositories,
    event_bus_policies,
    event_source_authorization,
    event_source_scaling,
    event_targets,
    iam_access_keys,
    iam_account_details,
    iam_authorization,
    iam_groups,
    iam_updates,
    iam_visibility,
    invented_events,
    managed_policies,
    principal_arn,
    registry_login,
    request_throttling,
    rest_api_bodies,
    rest_api_errors,
    rest_api_paths,
    root_key,
    secret_authorization,
    secret_policies,
    secret_rotation,
    secret_versions,
    unpacked_code,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

MINISTACK_VERSION = "1.5.33"
"""The release that the additions are written for: the pin of ``requirements/local.in``."""

_log = logging.getLogger(__name__)


class Addition(Protocol):
    """One thing that MiniStack lacks; every module of this package but this one is an addition."""

    @property
    def __name__(self) -> str: ...

    @property
    def GAP(self) -> str:  # noqa: N802 - a constant of the module
        """What MiniStack lacks."""
        ...

    @property
    def RELIES_ON(self) -> tuple[str, ...]:  # noqa: N802 - a constant of the module
        """Names of MiniStack, below the package."""
        ...

    def is_still_missing(self) -> bool:
        """Whether MiniStack, as it is now, lacks this."""
        ...

    def install(self) -> None:
        """Give MiniStack, in this process, what it lacks."""
        ...


ADDITIONS: tuple[Addition, ...] = (
    root_key,
    principal_arn,
    managed_policies,
    iam_groups,
    iam_access_keys,
    iam_account_details,
    iam_authorization,
    iam_updates,
    secret_versions,
    secret_rotation,
    secret_policies,
    secret_authorization,
    ecr_repositories,
    ecr_registry_settings,
    ecr_registry_scanning,
    ecr_authorization,
    registry_login,
    cloudtrail_events,
    cloudtrail_history,
    rest_api_bodies,
    rest_api_errors,
    rest_api_paths,
    event_targets,
    event_source_scaling,
    event_source_authorization,
    event_bus_policies,
    invented_events,
    request_throttling,
    iam_visibility,
    unpacked_code,
)


class Reliance(Protocol):
    """A module that relies on names of MiniStack."""

    @property
    def __name__(self) -> str: ...

    @property
    def RELIES_ON(self) -> tuple[str, ...]:  # noqa: N802 - a constant of the module
        """Names of MiniStack, below the package."""
        ...


class ReplacedTwiceError(Exception):
    """Two additions put their own in the same place, so that the first one's would never be called."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(f"{first} and {second} both replace ministack.{name}: delete one of them.")


class MissingNameError(Exception):
    """MiniStack no longer has a name that a module here relies on."""

    def __init__(self, module: str, name: str, version: str) -> None:
        super().__init__(
            f"{module} relies on ministack.{name}, which MiniStack {version} does not have; "
            f"the additions are written for MiniStack {MINISTACK_VERSION} (requirements/local.in)."
        )


def verify_names(modules: "Iterable[Reliance]", version: str) -> None:
    """Refuse a MiniStack that lacks a name which one of the modules relies on.

    Raises
    ------
    MissingNameError
        For the first such name; the message names it, the module and the pinned version.
    """
    for module in modules:
        for name in module.RELIES_ON:
            if not _exists(name):
                raise MissingNameError(module.__name__, name, version)


def replaced_names(additions: "Iterable[Addition]") -> dict[str, str]:
    """Name of MiniStack -> the addition that replaces it.

    Raises
    ------
    ReplacedTwiceError
        For the first name that two additions replace.
    """
    found: dict[str, str] = {}
    for addition in additions:
        for name in getattr(addition, "REPLACES", ()):
            if name in found:
                raise ReplacedTwiceError(name, found[name], addition.__name__)
            found[name] = addition.__name__
    return found


def install(additions: "Iterable[Addition]" = ADDITIONS) -> list[Addition]:
    """Install what MiniStack still lacks; return what it has gained meanwhile, which can be deleted here."""
    additions = tuple(additions)
    logging.disable(logging.ERROR)  # the probes provoke what MiniStack warns of
    gained = [addition for addition in additions if not addition.is_still_missing()]
    logging.disable(logging.NOTSET)
    for addition in additions:
        if addition not in gained:
            addition.install()
    for addition in gained:
        _log.warning("MiniStack no longer lacks %s: delete %s.", addition.GAP, addition.__name__)
    return gained


def _exists(name: str) -> bool:
    """Whether ``ministack.<module>.<attribute>`` can be imported; the attribute may be left out."""
    module, _, attribute = f"ministack.{name}".rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ImportError:
        return False
