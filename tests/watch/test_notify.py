"""Messages: sent to each channel, with counts and a link, and no secret anywhere."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reconciler.codes import Code
from reconciler.errors import MissingExtra
from reconciler.planning.outcome import Fate, Outcome, Report
from reconciler.planning.plan import CatalogFacts, Create, Delete, Plan, Refusal
from reconciler.watch.events import Happening, events
from reconciler.watch.loop import Wishes
from reconciler.watch.sight import Failed, Healing, Observation
from tests.watch.world import Shops

# Apprise loads all of its services at the first message, some with modules that Python will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = "hush-hush-token"


class Channel(ThreadingHTTPServer):
    """A server that keeps what it is sent."""

    got: list[Any]
    status = 200


@pytest.fixture
def channel() -> Iterator[Channel]:
    """A running channel."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append(json.loads(body))
            self.send_response(server.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with Channel(("127.0.0.1", 0), Handler) as server:
        server.got = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def url_of(channel: Channel) -> str:
    """The channel as an Apprise URL with a secret."""
    return f"json://user:{SECRET}@127.0.0.1:{channel.server_port}/{SECRET}"


def test_messages_have_counts_and_a_link(shops: Shops, channel: Channel) -> None:
    """One message for each event, to the channels of its store only."""
    shops.environ["CHAT"] = url_of(channel)
    shops.write_settings(notify=["CHAT"])
    shops.watch(Wishes(("s0",), 60.0, Healing())).run(rounds=2)
    (message,) = channel.got
    assert message["title"] == "s0: applied"
    assert message["message"] == "Applied 2 of 2 changes.\nhttp://page/s0"
    assert message["type"] == "success"


def test_what_cannot_be_sent_is_told_once(shops: Shops, channel: Channel) -> None:
    """A channel that fails ends no watch, and its secret is in nothing that is said."""
    shops.environ["CHAT"] = url_of(channel)
    channel.status = 500
    shops.write_settings(notify=["CHAT", "NOT_SET"])
    watch = shops.watch(Wishes(every=60.0, healing=Healing()))
    watch.run(rounds=1)
    said = "\n".join(shops.said)
    assert said.count("No message to CHAT") == 1
    assert said.count("No message to NOT_SET") == 1
    assert SECRET not in said
    assert SECRET in set(watch.settings.keys())
    assert SECRET not in repr(watch.settings)


def test_without_the_extra_it_is_named(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels without Apprise are an error that says what to install; no channels need none."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert shops.watch().rounds == 0
    shops.write_settings(notify=["CHAT"])
    with pytest.raises(MissingExtra, match="apprise"):
        shops.watch()


def plan(*changes: Any, refusals: tuple[Refusal, ...] = ()) -> Plan:
    """A plan of these changes."""
    return Plan("de", CatalogFacts(1), 1, changes=changes, refusals=refusals)


DRIFTED = Create("1", "One", {}, origin="drift")
EDITED = Create("2", "Two", {}, origin="edit")
STRANGER = Delete("x", "i", "X", {}, {}, origin="drift")
REFUSAL = Refusal(Code.TOO_MANY_DELETES, "Too many.", "--allow-deletes 9")


def report(*fates: Fate) -> Report:
    """A report with these outcomes."""
    outcomes = tuple(Outcome("create", str(n), None, fate) for n, fate in enumerate(fates))
    return Report("de", "d", "t", "t", outcomes)


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        ({"plan": plan()}, []),
        ({"plan": plan(EDITED)}, []),
        ({"plan": plan(DRIFTED)}, ["drift found"]),
        ({"plan": plan(STRANGER, refusals=(REFUSAL,))}, ["refused", "drift found"]),
        ({"plan": plan(), "report": report(Fate.APPLIED)}, ["applied"]),
        ({"plan": plan(), "report": report()}, []),
        ({"report": report(Fate.FAILED)}, ["failed"]),
        ({"report": report(Fate.APPLIED, Fate.UNKNOWN)}, ["in part"]),
        ({"failed": Failed(Code.KEY_REFUSED, "No.")}, ["key refused"]),
        ({"failed": Failed(Code.UNREACHABLE, "No.")}, ["failed"]),
        ({"failed": Failed(Code.LOCKED, "No.")}, []),
        (
            {"plan": plan(DRIFTED), "refused": Failed(Code.REFUSED, "No.")},
            ["refused", "drift found"],
        ),
    ],
)
def test_each_event_has_its_kind(seen: dict[str, Any], kinds: list[str]) -> None:
    """What a round has seen becomes events, and the same again becomes none that lasts."""
    observed = Observation("de", 1.0, **seen)
    happened, told = events(observed, {})
    assert [event.kind for event in happened] == kinds
    again, still = events(observed, told)
    assert [event.kind for event in again if event.kind in told] == []
    assert still == told


def test_an_error_that_varies_is_the_same() -> None:
    """A dead server's words change from call to call; that is no news. A catalogue's faults are."""
    first = Observation("de", 1.0, failed=Failed(Code.UNREACHABLE, "No answer (2 tries)."))
    second = Observation("de", 1.0, failed=Failed(Code.UNREACHABLE, "No answer (3 tries)."))
    _, told = events(first, {})
    assert events(second, told)[0] == []
    bad = Observation("de", 1.0, failed=Failed(Code.BAD_CATALOG, "1 error."))
    worse = Observation("de", 1.0, failed=Failed(Code.BAD_CATALOG, "2 errors."))
    _, told = events(bad, {})
    assert [event.kind for event in events(worse, told)[0]] == [Happening.FAILED]


def test_drift_is_gone_only_if_somebody_looked() -> None:
    """A round that failed keeps what was told; one that sees no drift tells that it is gone."""
    _, told = events(Observation("de", 1.0, plan=plan(DRIFTED)), {})
    failed = Observation("de", 2.0, failed=Failed(Code.UNREACHABLE, "No."))
    _, told = events(failed, told)
    assert Happening.DRIFT_FOUND in told
    happened, told = events(Observation("de", 3.0, plan=plan()), told)
    assert [event.kind for event in happened] == [Happening.DRIFT_GONE]
    assert told == {}
