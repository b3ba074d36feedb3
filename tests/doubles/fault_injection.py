"""Faults, injected into any port: before it acts, after it acted, or by doing something else first."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class _Fault:
    error: Exception
    after_acting: bool


class FaultInjecting:
    """Stands before a port and fails its calls as told."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._faults: dict[str, deque[_Fault]] = defaultdict(deque)
        self._before: dict[str, Callable[..., object]] = {}
        self._after: dict[str, Callable[..., object]] = {}

    def fail(self, method: str, error: Exception, *, after_acting: bool = False, times: int = 1) -> None:
        """The next ``times`` calls of ``method`` raise ``error``."""
        self._faults[method].extend([_Fault(error, after_acting)] * times)

    def before(self, method: str, act: Callable[..., object]) -> None:
        """Do ``act`` with the arguments of the next call of ``method``, just before it: the world moves meanwhile."""
        self._before[method] = act

    def after(self, method: str, act: Callable[..., object]) -> None:
        """Do ``act`` with the arguments of the next call of ``method``, just after it and before its caller goes on."""
        self._after[method] = act

    def __getattr__(self, method: str) -> Any:
        reached = getattr(self._port, method)
        if not callable(reached):
            return reached

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._before.pop(method, lambda *_, **__: None)(*arguments, **keywords)
            fault = self._faults[method].popleft() if self._faults[method] else None
            if fault and not fault.after_acting:
                raise fault.error
            answer = reached(*arguments, **keywords)
            self._after.pop(method, lambda *_, **__: None)(*arguments, **keywords)
            if fault:
                raise fault.error
            return answer

        return call


class Fuse:
    """Blows at the ``at``-th call, counted over all ports that are on it; so each call of a run can fail in turn."""

    def __init__(self, at: int, error: Exception, *, after_acting: bool) -> None:
        self._at = at
        self._error = error
        self._after_acting = after_acting
        self._calls = 0
        self._lock = Lock()

    @property
    def blown(self) -> bool:
        return self._calls >= self._at

    def on(self, port: Any) -> Any:
        """The port, with this fuse before it."""
        return _Fused(port, self)

    def pass_through(self, call: Callable[[], Any]) -> Any:
        with self._lock:
            self._calls += 1
            blows = self._calls == self._at
        if blows and not self._after_acting:
            raise self._error
        answer = call()
        if blows:
            raise self._error
        return answer


class _Fused:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, method: str) -> Any:
        reached = getattr(self._port, method)
        return lambda *arguments, **keywords: self._fuse.pass_through(lambda: reached(*arguments, **keywords))
