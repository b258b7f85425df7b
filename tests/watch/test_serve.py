"""What a watch serves: pages that only read, health that is true, and nothing for strangers."""

import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.report.watch_html import StoreView, watch_html
from reconciler.watch.loop import Wishes
from reconciler.watch.pages import WatchPages
from reconciler.watch.serve import Served, parse_address
from reconciler.watch.sight import Healing
from reconciler.watch.supervisor import Supervisor
from tests.watch.world import Shops


@pytest.fixture
def pages(shops: Shops) -> WatchPages:
    """The pages of the shops' meters, before there is a watch."""
    return WatchPages(shops.meters)


@pytest.fixture
def served(pages: WatchPages) -> Iterator[Served]:
    """The pages, on a free port."""
    with Served("127.0.0.1", 0, pages) as served:
        yield served


def asked(
    served: Served, path: str, method: str = "GET", host: str | None = None
) -> tuple[int, str, dict[str, str]]:
    """The status, the body and the headers of one answer."""
    port = int(served.url.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return found


def test_health_is_true(shops: Shops, pages: WatchPages, served: Served) -> None:
    """Alive from the start, ready after a round, neither once it hangs or ends."""
    assert asked(served, "/healthz")[0] == 200
    assert asked(served, "/readyz")[0] == 503
    watch = shops.watch()
    pages.show(watch)
    assert asked(served, "/readyz")[:2] == (503, "not ready\n")
    watch.run(rounds=1)
    assert asked(served, "/readyz")[0] == 200
    shops.clock.skip(3_600)
    assert asked(served, "/healthz")[:2] == (503, "dead\n")
    watch.round()
    assert asked(served, "/healthz")[0] == 200
    shops.signals.end()
    assert asked(served, "/readyz")[0] == 503


def test_every_store_has_its_pages(shops: Shops, pages: WatchPages, served: Served) -> None:
    """The first page links each store, whose page has its past, and the plan without records."""
    shops.watch(Wishes(every=60.0, healing=Healing())).run(rounds=1)
    shops.rename("s0", "1", "By hand")
    shops.sandboxes["s1"].store.seed([{"store_id": "x", "name": "X", "comment": "private words"}])
    watch = shops.watch()
    pages.show(watch)
    watch.run(rounds=2)
    _, text, headers = asked(served, "/")
    assert 'href="store/s0"' in text
    assert "2 drifting" in text
    assert "1 to change; 1 unchanged." in text
    assert "calls" not in text
    assert headers["Cache-Control"] == "no-store"
    _, text, _ = asked(served, "/store/s0")
    assert "drifting for" in text
    assert "<svg" in text
    assert "2 created, 0 updated, 0 deleted" in text
    assert "<script" not in text
    _, text, _ = asked(served, "/store/s1/plan")
    assert "not shown" in text
    assert "private words" not in text
    assert asked(served, "/metrics")[2]["Content-Type"].startswith("text/plain; version=0.0.4")
    assert (
        'reconciler_changes{action="update",origin="drift",store="s0"} 1.0'
        in asked(served, "/metrics")[1]
    )
    for path in ("/nope", "/store/nope", "/store/s0/nope", "/store/", "/../etc/passwd"):
        assert asked(served, path)[0] == 404


def test_pages_can_only_be_read(pages: WatchPages, served: Served) -> None:
    """No method but GET and HEAD; on loopback no name that is not this machine's."""
    assert asked(served, "/healthz", "POST")[0] == 405
    assert asked(served, "/healthz", "HEAD")[:2] == (200, "")
    assert asked(served, "/healthz", host="evil.example")[0] == 403
    assert asked(served, "/healthz", host="localhost:9464")[0] == 200
    assert asked(served, "/healthz", host="[::1")[0] == 403


def test_a_page_that_fails_ends_nothing(served: Served, pages: WatchPages) -> None:
    """An error of a page is an answer without its text, which may hold anything."""
    pages.show(None)  # type: ignore[arg-type]  # so that a page fails
    pages._watch = object()  # type: ignore[assignment]
    status, text, _ = asked(served, "/")
    assert (status, text) == (500, "This page cannot be shown: AttributeError.\n")


def test_a_hostile_error_stays_text() -> None:
    """What a server says is escaped, and the page allows no script."""
    view = StoreView("de", "failed", error="<script>alert(1)</script>\x1b")
    page = watch_html([view], now=0, ref="<b>", commit=None)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"\b(src|href)=.(https?:)?//", page)


def test_an_address_of_six_is_served(pages: WatchPages) -> None:
    """IPv6 works, if this machine has it."""
    try:
        with Served("::1", 0, pages) as served:
            assert served.url.startswith("http://[::1]:")
    except UsageError as error:
        pytest.skip(error.message)


def test_a_port_that_is_taken_is_an_error(served: Served, pages: WatchPages) -> None:
    """The address and what to do stand in the message."""
    port = int(served.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {port}"):
        Served("127.0.0.1", port, pages)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:80", ("::1", 80)), ("host:0", ("host", 0))],
)
def test_addresses_are_read(text: str, expected: tuple[str, int]) -> None:
    """A host and a port, IPv6 in brackets."""
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["", "9464", ":9464", "host:", "host:x", "host:65536", "h:-1"])
def test_other_addresses_are_refused(text: str) -> None:
    """Whatever is no address with a port is told, not guessed."""
    with pytest.raises(ValueError, match=r".*"):
        parse_address(text)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="only where there are such sockets")
def test_systemd_hears_of_it(tmp_path: Path) -> None:
    """States go to the socket that systemd names; without one nothing happens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))
        Supervisor({"NOTIFY_SOCKET": str(tmp_path / "s")}).tell("READY=1", "STATUS=well")
        assert listening.recv(100) == b"READY=1\nSTATUS=well"
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
    Supervisor({}).tell("READY=1")
