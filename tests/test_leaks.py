"""P5: a canary key is in no byte that is printed or written, whatever the server does with it."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.cli.run import Ended, in_process, reconciler

Door = Callable[..., Ended]
KEY = "canary/Key+with&odd=chars é%20"
FORMS = {KEY, quote(KEY), quote(KEY, safe=""), quote_plus(KEY), quote(quote(KEY, safe=""), safe="")}
CATALOG = """products:
  - {store_id: "1", name: One, type: top, image_url: "https://cdn.shop/1.jpg"}
"""


class Echo(BaseHTTPRequestHandler):
    """Answers every call with the URL it came by, in the body and in the headers."""

    status = 400
    kind = "text/html"

    def _answer(self) -> None:
        body = f"<p>You asked for {self.path}, {KEY}</p>".encode()
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Location", f"https://elsewhere.invalid{self.path}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def echo() -> Iterator[str]:
    """The URL of a server that repeats whatever it is told."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        serve = partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api/"
        server.shutdown()


def run(folder: Path, url: str, *arguments: str, door: Door = in_process) -> str:
    """All that a command prints, on both streams."""
    environ = {
        "ROBOSIZE_API_KEY": KEY,
        "ROBOSIZE_API_URL": url,
        "RECONCILER_REQUESTS__RETRIES": "0",
        "RECONCILER_REQUESTS__TIMEOUT": "0.5",
    }
    done = door(folder, *arguments, **environ)
    assert (done.out + done.err).strip(), arguments
    return done.out + done.err


def places_of_key(folder: Path, printed: str) -> list[str]:
    """Where any form of the key is: in what was printed, or in a file."""
    texts = {"output": printed} | {
        str(path): path.read_bytes().decode("utf-8", "replace")
        for path in folder.rglob("*")
        if path.is_file()
    }
    return [place for place, text in texts.items() if any(form in text for form in FORMS)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A working folder with a catalogue of one product."""
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "one.yaml").write_text(CATALOG, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "text/html"),
        (302, "text/html"),
        (200, "application/json"),
        (401, "text/plain"),
        (500, "application/json"),
    ],
)
def test_server_that_echoes(
    shop: Path, echo: str, monkeypatch: pytest.MonkeyPatch, status: int, kind: str
) -> None:
    """A server that sends the key back in every way it can makes none of it visible."""
    monkeypatch.setattr(Echo, "status", status)
    monkeypatch.setattr(Echo, "kind", kind)
    printed = run(shop, echo, "plan", "-v")
    printed += run(shop, echo, "apply", "--yes", "-v", "--log-format", "json")
    assert places_of_key(shop, printed) == []
    assert "error" in printed


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", method="POST"),
        Fault("hang", method="POST", seconds=1),
        Fault("truncate", method="GET"),
        Fault("redirect", method="POST"),
        Fault("status", method="POST", status=500, moment="after"),
        Fault("html", nth=(3,)),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.method}",
)
def test_faults_while_applying(shop: Path, fault: Fault) -> None:
    """Whatever fails while applying, the key is in no output, report, plan, ledger or journal."""
    with Sandbox() as sandbox:
        printed = run(shop, sandbox.url, "plan", "-v", "--out", "plan.json")
        sandbox.misbehave(fault)
        printed += run(shop, sandbox.url, "apply", "--yes", "-v", "--report", "report.json")
        printed += run(shop, sandbox.url, "plan", "-v", "--format", "json")
        printed += run(shop, sandbox.url, "plan", "--format", "html", "--output", "plan.html")
    assert places_of_key(shop, printed) == []


def test_a_process_of_its_own(shop: Path) -> None:
    """What a process writes besides, on its streams as the system has them, has no key either."""
    with Sandbox(faults=[Fault("reset", method="POST")]) as sandbox:
        printed = run(shop, sandbox.url, "apply", "--yes", "-v", door=reconciler)
    assert "POST" in printed
    assert places_of_key(shop, printed) == []


def test_key_in_a_product(shop: Path) -> None:
    """A key that somebody made a product's name is not printed."""
    with Sandbox() as sandbox:
        sandbox.store.seed([{"store_id": "1", "name": KEY}])
        printed = run(shop, sandbox.url, "plan", "-v")
    assert places_of_key(shop, printed) == []
