"""A real browser for the tests of the page: headless Chromium, driven through a pipe.

Chromium's own debugging protocol is JSON with a NUL between messages, so nothing but the browser
is needed. It resolves no name and so reaches nothing but files.
"""

import base64
import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

CHROMIUM: Final = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
_PATIENCE: Final = 30
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


class BrowserError(Exception):
    """The browser refused a command, or a script in the page threw."""


class Tab:
    """One page in the browser, and what it did."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(1100, 900)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; its result. Events on the way are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        """The next message."""
        while b"\0" not in self._rest:
            if not select.select([self._answers], [], [], _PATIENCE)[0]:
                raise BrowserError(f"The browser has said nothing for {_PATIENCE} seconds.")
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise BrowserError("The browser is gone.")
            self._rest += chunk
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message

    def open(self, file: Path, fragment: str = "") -> None:
        """Load a file and wait until it stands."""
        self.events.clear()
        # A change of the fragment alone would not load the page again.
        self.send("Page.navigate", url="about:blank")
        self._wait_for("Page.loadEventFired")
        self.events.clear()
        url = file.as_uri() + (f"#{fragment}" if fragment else "")
        self.send("Page.navigate", url=url)
        self._wait_for("Page.loadEventFired")
        self.settle()

    def _wait_for(self, event: str) -> None:
        while not any(message["method"] == event for message in self.events):
            self._read()

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        result = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in result:
            raise BrowserError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def settle(self) -> None:
        """Wait until what was done is drawn; where scripts are off, nothing waits to be done."""
        self.send("Page.captureScreenshot", format="jpeg", quality=1)

    def resize(self, width: int, height: int) -> None:
        """The size of the window, in CSS pixels; below 500 it is a phone's."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def scheme(self, name: str) -> None:
        """The colours that the reader prefers: "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def press(self, key: str) -> None:
        """Press and let go of one key: a character, or the name of a key."""
        named = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32}
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
        code = named.get(key, 0)
        name = " " if key == "Space" else key
        down: dict[str, Any] = {"key": name, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **down)
        self.send("Input.dispatchKeyEvent", type="keyUp", **down)
        self.settle()

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.send("Input.insertText", text=text)
        self.settle()

    def click(self, selector: str) -> None:
        """Click in the middle of the element, with a mouse."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'});"
            "const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def screenshot(self, file: Path) -> None:
        """Write what is to be seen as a PNG."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A tab in a browser of its own, whose profile is a folder that the caller removes."""
    if CHROMIUM is None:
        raise BrowserError("There is no chromium on the PATH.")
    commands_in, commands_out = os.pipe()
    answers_in, answers_out = os.pipe()

    def connect() -> None:
        """Put the two pipes where the browser looks for them."""
        os.dup2(commands_in, 1003), os.dup2(answers_out, 1004)
        os.dup2(1003, 3), os.dup2(1004, 4)

    process = subprocess.Popen(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=connect,
        close_fds=False,
    )
    os.close(commands_in)
    os.close(answers_out)
    try:
        yield Tab(commands_out, answers_in)
    finally:
        # The end of its orders ends it: no process of it stays behind.
        os.close(commands_out)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(answers_in)
