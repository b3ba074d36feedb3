"""Chromium without a window, driven through pipes by its DevTools protocol: no driver binary, no port, no package."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""What the binary is called; the first one needs least."""


def binary() -> str | None:
    """Where Chromium is; None where it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One open page; `call` is the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

    def __init__(self, write_to: int, read_from: int) -> None:
        self._requests = os.fdopen(write_to, "wb", buffering=0)
        self._answers = os.fdopen(read_from, "rb")
        self._numbers = count(1)
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._session = None
        self.call("Browser.close")
        self._requests.close()
        self._answers.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method, and collect events until it answers."""
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": parameters}
        if self._session:
            request["sessionId"] = self._session
        self._requests.write(json.dumps(request).encode() + b"\0")
        while (message := self._next()).get("id") != number:
            self.events.append(message)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        result: dict[str, Any] = message["result"]
        return result

    def open(self, address: str) -> None:
        """Load a page and wait until all of it is there."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def prefer(self, scheme: str, *, media: str = "") -> None:
        """Show it in the ``light`` or ``dark`` scheme, on screen or, with ``print``, on paper."""
        self.call(
            "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """Make the window as large, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", optimizeForSpeed=False)["data"])

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium ended")
            message += byte
        read: dict[str, Any] = json.loads(message)
        return read


@contextmanager
def chromium() -> Iterator[Page]:
    """A browser with an empty profile, ended and removed afterwards."""
    path = binary()
    if path is None:
        raise RuntimeError(f"Chromium is not installed: none of {', '.join(NAMES)} is on the PATH")
    to_browser, from_us = os.pipe()[0:2]
    to_us, from_browser = os.pipe()[0:2]
    options = ["--headless", "--remote-debugging-pipe", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium's sandbox refuses root, which CI runs as; it opens our own page only
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The protocol is spoken on the descriptors 3 and 4.
        script = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        process = subprocess.Popen(
            ["/bin/bash", "-c", script, path, *options, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            page = Page(from_us, to_us)
            yield page
            page.close()
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()


def address_of(page: Path) -> str:
    """Of a local file."""
    return page.resolve().as_uri()
