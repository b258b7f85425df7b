"""Every end of an apply gives its account (issue 12, row 9), whatever trouble it meets.

What a process alone can meet (a full disk, no more threads, a signal) happens in one of its own.
However a run ends after its first write, the report is there, it counts what took effect, the exit
code says so, and the next run goes on from what is true.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.remote.client import Client
from reconciler.remote.transport import HttpTransport, Method, Response
from reconciler.sandbox.faults import Fault, Schedule
from reconciler.sandbox.server import Sandbox
from tests.cli.run import environment, in_process

MAIN = "import sys; from reconciler.cli import main; sys.exit(main())\n"

FULL = """
import atexit, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
def fill(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    # What measures coverage writes its file when the process ends.
    atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))
"""
"""A disk on which no file can grow beyond a size."""

COUNTED = """
from threading import Lock
from reconciler.remote.transport import HttpTransport, Method, Response
writes, lock, usual = 0, Lock(), HttpTransport.send
def send(self, method, *rest, **more):
    global writes
    with lock:
        writes += method != "GET"
        mine = writes if method != "GET" else 0
    {before}
    return usual(self, method, *rest, **more)
HttpTransport.send = send
"""
"""Something that happens before a write: `mine` is its number, from 1."""

NO_THREADS = """
import threading
started = 0
start = threading.Thread.start
def refuse(self):
    global started
    started += 1
    if started > {at}:
        raise RuntimeError("can't start new thread")
    return start(self)
threading.Thread.start = refuse
"""


class Account(NamedTuple):
    """How a run ended: its exit code, what it said, and its report if it wrote one."""

    code: int
    out: str
    err: str
    report: dict[str, Any] | None

    @property
    def fates(self) -> Counter[str]:
        """The outcomes, counted one by one."""
        assert self.report is not None
        return Counter(outcome["outcome"] for outcome in self.report["outcomes"])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A remote."""
    with Sandbox() as sandbox:
        yield sandbox


APPLY = ("apply", "--yes", "--report", "report.json")


def settings(sandbox: Sandbox) -> dict[str, str]:
    """The environment of an apply."""
    return {
        "ROBOSIZE_API_KEY": "a-key-for-tests",
        "ROBOSIZE_API_URL": sandbox.url,
        "RECONCILER_REQUESTS__CONCURRENCY": "4",
        "RECONCILER_REQUESTS__TIMEOUT": "1",
        "RECONCILER_REQUESTS__RETRIES": "1",
        "RECONCILER_REQUESTS__SETTLE": "1",
        "RECONCILER_LIMITS__DELETES": "100%",
    }


def started(
    folder: Path, sandbox: Sandbox, prelude: str = "", **environ: str
) -> "subprocess.Popen[str]":
    """Start `apply --yes` in a process that the prelude has changed."""
    (folder / "report.json").unlink(missing_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", prelude + MAIN, *APPLY],
        cwd=folder,
        env=environment({**settings(sandbox), **environ}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def account_of(folder: Path, process: "subprocess.Popen[str]") -> Account:
    """How a process ended."""
    out, err = process.communicate(timeout=60)
    return Account(process.returncode, out, err, report_of(folder))


def report_of(folder: Path) -> dict[str, Any] | None:
    """The report that was written, if one was."""
    report = folder / "report.json"
    return json.loads(report.read_text("utf-8")) if report.exists() else None


def ended(folder: Path, sandbox: Sandbox, prelude: str) -> Account:
    """Run `apply --yes` to its end, in a process that the prelude has changed."""
    return account_of(folder, started(folder, sandbox, prelude))


def applied(folder: Path, sandbox: Sandbox) -> Account:
    """Run `apply --yes` to its end in this process."""
    (folder / "report.json").unlink(missing_ok=True)
    return Account(*in_process(folder, *APPLY, **settings(sandbox)), report_of(folder))


LONG = "long tags make a journal long " * 40


def declare(folder: Path, version: int) -> list[dict[str, Any]]:
    """A catalogue of 40 products, whose next version makes, changes and deletes ten each."""
    (folder / "catalog").mkdir(exist_ok=True)
    products = [
        {
            "store_id": str(n),
            "name": f"Product {n}" if n % 4 else f"Product {n} of {version}",
            "tags": ["linen", *(f"{LONG} {k}" for k in range(10 if n >= 40 else 0))],
            "image_url": f"https://cdn.shop/{n}.jpg",
            "type": "top",
        }
        for n in range(10 * version, 10 * version + 40)
    ]
    text = json.dumps({"products": products})
    (folder / "catalog" / "all.yaml").write_text(text, encoding="utf-8")
    return products


@pytest.fixture
def shop(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A shop in which 20 creates and deletes and some updates are due."""
    declare(tmp_path, 0)
    assert applied(tmp_path, sandbox).code == 0
    declare(tmp_path, 1)
    charted = [{**row.record, "size_chart": {"M": "x" * 20_000}} for row in sandbox.store.rows()]
    sandbox.store.clear()
    sandbox.store.insert(charted, exact=True)
    sandbox.store.log.clear()
    return tmp_path


def took_effect(sandbox: Sandbox) -> int:
    """How many creates, updates and deletes of products the sandbox has carried out."""
    return sum(
        len(call.ids) for call in sandbox.store.calls() if call.effect not in (None, "listed")
    )


def check(account: Account, sandbox: Sandbox) -> None:
    """The account is there and true, and the exit code is that of what took effect (P6)."""
    done = took_effect(sandbox)
    if not done:
        assert account.code in (0, 1), account.err
        return
    assert account.report is not None, account.err
    assert account.report["summary"] == {
        fate: account.fates[fate] for fate in ("applied", "failed", "not_attempted", "unknown")
    }
    fates = account.fates
    total = sum(fates.values())
    assert fates["applied"] <= done <= fates["applied"] + fates["unknown"] + fates["failed"]
    assert account.code == (0 if fates["applied"] == total else 5), account.err
    here = {row.store_id for row in sandbox.store.rows()}
    for outcome in account.report["outcomes"]:
        if outcome["outcome"] == "applied":
            assert (outcome["store_id"] in here) == (outcome["action"] != "delete")
        if outcome["outcome"] == "not_attempted" or (
            outcome["outcome"] == "failed" and outcome["action"] != "update"
        ):
            assert (outcome["store_id"] in here) == (outcome["action"] != "create")
        if outcome["outcome"] != "applied":
            assert outcome["error"]


def goes_on(folder: Path, sandbox: Sandbox) -> None:
    """The next run converges, and neither doubles nor loses anything (P1, P2, P3)."""
    before = {str(n) for n in range(40)}
    account = applied(folder, sandbox)
    assert account.code == 0, account.err
    assert "Converged" in account.out or "Nothing" in account.out
    rows = Counter(row.store_id for row in sandbox.store.rows())
    assert rows == Counter(str(n) for n in range(10, 50))
    journals = "".join(
        path.read_text("utf-8") for path in folder.glob(".reconciler/journal/*.jsonl")
    )
    deleted = [call for call in sandbox.store.calls() if call.effect == "deleted"]
    assert {call.store_ids[0] for call in deleted} == before - set(rows)
    assert all(json.dumps(call.ids[0]) in journals for call in deleted)


@pytest.mark.parametrize("kilobytes", [66, 90, 130, 170, 250, 350])
def test_the_disk_fills(shop: Path, sandbox: Sandbox, kilobytes: int) -> None:
    """Row 9, P6: a journal that cannot grow ends the run with its account; the report has room.

    Nothing is deleted that the journal does not hold (P3).
    """
    account = ended(shop, sandbox, f"{FULL}fill({kilobytes * 1024})\n")
    assert "This is a bug" not in account.err
    assert "Traceback" not in account.err
    assert (account.code == 0) == (kilobytes == 350), account.err
    check(account, sandbox)
    goes_on(shop, sandbox)


@pytest.mark.parametrize("at", [1, 5, 11, 15, 25])
def test_nothing_can_be_written(shop: Path, sandbox: Sandbox, at: int) -> None:
    """Row 9, P6: from the n-th write on no file can grow, the ledger and the report included.

    What cannot be written is said; the exit code counts what took effect all the same.
    """
    prelude = FULL + COUNTED.format(before=f"if mine == {at}: fill(1)")
    account = ended(shop, sandbox, prelude)
    assert "This is a bug" not in account.err
    assert "Traceback" not in account.err
    assert account.code == 5, account.err
    assert "report.json" in account.err
    goes_on(shop, sandbox)


@pytest.mark.parametrize("at", range(8))
def test_a_thread_cannot_be_started(shop: Path, sandbox: Sandbox, at: int) -> None:
    """Row 9, P6: a system that starts no more threads ends or slows the run, and it says so."""
    account = ended(shop, sandbox, NO_THREADS.format(at=at))
    assert "This is a bug" not in account.err
    check(account, sandbox)
    goes_on(shop, sandbox)


def test_a_call_that_the_pool_kept_is_not_made_during_the_last_look(
    shop: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 9, P6: a pool that starts no thread has queued the call, and another thread may take it.

    The run has ended by then, so a call that is made now would be in no account.
    """
    usual, kept = Client.list, list[Callable[[], object]]()

    def spread(self: Client, job: Callable[[Any], Any], items: Sequence[Any]) -> Any:
        kept.append(lambda: job(items[0]))
        raise RuntimeError("can't start new thread")

    def listed(self: Client, *rest: Any, **more: Any) -> Any:
        answer = usual(self, *rest, **more)
        for late in kept:
            late()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Client, "spread", spread)
        patch.setattr(Client, "list", listed)
        account = applied(shop, sandbox)
    assert kept
    assert took_effect(sandbox) == 0
    check(account, sandbox)
    goes_on(shop, sandbox)


ERRORS = [MemoryError(), ZeroDivisionError("made up")]


@pytest.mark.parametrize("at", [1, 11, 15, 25])
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_of_the_tool_itself(
    shop: Path, sandbox: Sandbox, at: int, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 9, P6: an error that nobody foresaw, in the n-th write, ends with the account and 5.

    The write whose answer it swallowed is unknown, or is found in the list: never failed.
    """
    usual, writes = HttpTransport.send, iter(range(1, 1000))

    def send(self: HttpTransport, method: Method, *rest: Any, **more: Any) -> Response:
        mine = next(writes) if method != "GET" else 0
        answer = usual(self, method, *rest, **more)
        if mine == at:
            raise error
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(HttpTransport, "send", send)
        account = applied(shop, sandbox)
    check(account, sandbox)
    assert account.code in (0, 5)
    goes_on(shop, sandbox)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_in_a_later_list(
    shop: Path, sandbox: Sandbox, at: int, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 9, P6: an error while the result is looked at does not take the account away."""
    usual, lists = Client.list, iter(range(1, 1000))

    def listed(self: Client, *rest: Any, **more: Any) -> Any:
        if next(lists) > at:
            raise error
        return usual(self, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "list", listed)
        account = applied(shop, sandbox)
    check(account, sandbox)
    goes_on(shop, sandbox)


class SignalAt(Schedule):
    """Signals the process when the n-th write has come, and goes on."""

    def __init__(self, at: int, number: signal.Signals) -> None:
        super().__init__()
        self.at = at
        self._number = number
        self.process: int | None = None

    def fire(self, method: str, text: str = "") -> tuple[Fault, ...]:
        """No fault, but a signal."""
        if method != "GET":
            self.at -= 1
            if not self.at and self.process is not None:
                os.kill(self.process, self._number)
        return ()


@pytest.mark.parametrize(
    ("number", "at"),
    [*((signal.SIGHUP, at) for at in (1, 12, 25)), (signal.SIGTERM, 1), (signal.SIGINT, 12)],
)
def test_asked_to_stop(tmp_path: Path, number: signal.Signals, at: int) -> None:
    """Row 9, P6: SIGHUP ends as SIGTERM does: calls under way end, the account is there, 130."""
    schedule = SignalAt(10_000, number)
    with Sandbox(faults=schedule, latency_ms=5) as sandbox:
        declare(tmp_path, 0)
        assert applied(tmp_path, sandbox).code == 0
        declare(tmp_path, 1)
        sandbox.store.log.clear()
        schedule.at = at
        process = started(tmp_path, sandbox, RECONCILER_REQUESTS__CONCURRENCY="2")
        schedule.process = process.pid
        account = account_of(tmp_path, process)
        assert account.code == 130, account.err
        assert account.fates["applied"] == took_effect(sandbox)
        assert account.fates["not_attempted"] > 0
        schedule.process = None
        goes_on(tmp_path, sandbox)
