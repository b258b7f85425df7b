"""A lock is a lease: renewed by its holder, taken over from one that is silent, and fenced."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import TypeAlias

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import LedgerError, LedgerNotWritten, Locked
from reconciler.ledger import lease
from reconciler.ledger.file import FileLedger, HeldFile
from reconciler.ledger.git import GitLedger
from reconciler.ledger.githeld import HeldRef
from reconciler.ledger.lease import LOST_AFTER, RENEWED_EVERY, TAKEN_OVER_AFTER, Lease
from reconciler.model import Known, Ledger
from tests.ledger.worlds import LEDGER, ROOT, QuickClock, clone, elsewhere, git, me, other_run

REF = "refs/reconciler/default"

Store: TypeAlias = FileLedger | GitLedger
Held: TypeAlias = HeldFile | HeldRef
Opened: TypeAlias = Callable[[QuickClock], Store]

STOPPED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.errors import LedgerNotWritten
from reconciler.ledger.file import FileLedger
from reconciler.ledger.holder import Holder
from reconciler.model import Ledger

class Clock:
    def now(self):
        return float(Path("clock").read_text())
    def utc(self):
        return datetime.now(UTC)
    def wait(self, seconds, stop):
        raise AssertionError

with FileLedger(Path(), store="default", clock=Clock()).hold(
    timeout=0, holder=Holder.here("the other run")
) as held:
    held.save(held.load(), message="In doubt")
    print(held.lost, flush=True)
    sys.stdin.readline()
    print(held.lost, flush=True)
    try:
        held.save(Ledger(), message="Apply", last=True)
    except LedgerNotWritten:
        print("not written", flush=True)
"""


class MinuteClock(QuickClock):
    """A QuickClock of which each wait takes a minute at least."""

    def wait(self, seconds: float, stop: Event) -> bool:
        """Let a minute pass at once."""
        return super().wait(max(seconds, RENEWED_EVERY), stop)


@pytest.fixture(params=["file", "git"])
def opened(request: pytest.FixtureRequest, origin: Path, tmp_path: Path) -> Opened:
    """Opens the ledger of one working folder or remote, each time as another run does."""
    clones = iter(range(99))

    def open_it(clock: QuickClock) -> Store:
        if request.param == "file":
            return FileLedger(tmp_path / "work", store="default", clock=clock)
        folder = clone(origin, tmp_path / f"clone-{next(clones)}", "--depth=1")
        return GitLedger(folder, store="default", clock=clock)

    return open_it


def known(*ids: str) -> Ledger:
    """A ledger that knows these products."""
    return Ledger({id: Known(f"s{id}") for id in ids})


def lost(held: Held) -> bool:
    """Whether a holder is fenced, asked anew: type checkers take a property for a constant."""
    return held.lost


def test_a_silent_lock_is_taken_over(opened: Opened) -> None:
    """A lock that is not renewed is taken over after a wait of five minutes, and no sooner."""
    with opened(QuickClock()).hold(timeout=0, holder=elsewhere()) as held:
        held.save(LEDGER, message="In doubt")
        clock = MinuteClock()
        with opened(clock).hold(timeout=TAKEN_OVER_AFTER, holder=me()) as second:
            assert clock.time == TAKEN_OVER_AFTER
            assert second.broke is not None
            assert second.broke.host == "build-7"
            assert second.load() == LEDGER
            assert not second.lost


def test_a_shorter_wait_takes_nothing_over(opened: Opened) -> None:
    """Whoever waits for less than five minutes is told who holds the store."""
    with opened(QuickClock()).hold(timeout=0, holder=elsewhere()) as held:
        held.save(LEDGER, message="In doubt")
        with (
            pytest.raises(Locked, match="bob on build-7") as caught,
            opened(MinuteClock()).hold(timeout=TAKEN_OVER_AFTER - RENEWED_EVERY, holder=me()),
        ):
            pytest.fail("the lock was taken twice")
    assert "five minutes" in str(caught.value.hint)


def test_a_renewed_lock_is_not_taken_over(opened: Opened) -> None:
    """As long as its holder renews it a lock stays, however long another run waits."""
    own = QuickClock()
    with opened(own).hold(timeout=0, holder=elsewhere()) as held:
        held.save(LEDGER, message="In doubt")

        def renew() -> None:
            own.time += RENEWED_EVERY
            held.lease.renew()

        with (
            pytest.raises(Locked, match="bob on build-7"),
            opened(MinuteClock(renew)).hold(timeout=1200, holder=me()),
        ):
            pytest.fail("the lock was taken twice")
        assert not held.lost
        held.save(known("1"), message="Apply", last=True)
    assert opened(QuickClock()).load() == known("1")


def test_a_holder_knows_by_its_own_clock(opened: Opened) -> None:
    """A holder that has not renewed in time is fenced well before others take over, for good."""
    clock = QuickClock()
    with opened(clock).hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        clock.time += LOST_AFTER
        assert not held.lost
        held.lease.renew()
        clock.time += LOST_AFTER
        assert not held.lost
        clock.time += 1
        assert lost(held)
        held.lease.renew()
        assert lost(held)
    assert LOST_AFTER <= TAKEN_OVER_AFTER - 2 * RENEWED_EVERY


def test_a_late_renewal_comes_too_late(opened: Opened) -> None:
    """A run that stood still past its lease is fenced, though it renews before anybody asks."""
    clock = QuickClock()
    with opened(clock).hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        clock.time += TAKEN_OVER_AFTER
        held.lease.renew()
        assert held.lost


def test_an_unrenewed_holder_may_still_conclude(opened: Opened) -> None:
    """What was done is written by a holder that is fenced, if nobody has taken the lock over."""
    clock = QuickClock()
    with opened(clock).hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        clock.time += TAKEN_OVER_AFTER
        assert held.lost
        held.save(known("1"), message="Apply", last=True)
    assert opened(QuickClock()).load() == known("1")


def test_a_lost_holder_writes_nothing(opened: Opened) -> None:
    """A holder whose lock was taken over neither writes the ledger nor frees the other's lock."""
    store = opened(QuickClock())
    with store.hold(timeout=0, holder=elsewhere()) as held:
        held.save(LEDGER, message="In doubt")
        with opened(MinuteClock()).hold(timeout=TAKEN_OVER_AFTER, holder=me("alice")) as second:
            second.save(known("1"), message="In doubt")
            assert not held.lost
            held.lease.renew()
            assert lost(held)
            with pytest.raises(LedgerNotWritten, match="over while this one was running"):
                held.save(known("2"), message="Apply", last=True)
            third = opened(QuickClock())
            with pytest.raises(Locked, match="alice"), third.hold(timeout=0, holder=me("bob")):
                pytest.fail("the lock was taken twice")
            assert third.load() == known("1")
            second.save(known("1", "2"), message="Apply", last=True)
    assert store.load() == known("1", "2")


def test_the_end_of_a_lost_run_frees_nothing(opened: Opened) -> None:
    """A run that ends after its lock was taken over leaves the lock of the other alone."""
    first = opened(QuickClock()).hold(timeout=0, holder=elsewhere())
    first.__enter__().save(LEDGER, message="In doubt")
    with opened(MinuteClock()).hold(timeout=TAKEN_OVER_AFTER, holder=me("alice")) as second:
        first.__exit__(None, None, None)
        third = opened(QuickClock())
        with pytest.raises(Locked, match="alice"), third.hold(timeout=0, holder=me("bob")):
            pytest.fail("the lock was taken twice")
        second.save(known("1"), message="Apply", last=True)
        assert not second.lost


def test_a_renewal_that_fails_is_tried_again(
    opened: Opened, origin: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A renewal that fails is logged and costs nothing, if a later one succeeds in time."""
    clock = QuickClock()
    place = opened(clock)
    with place.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        kept = origin if isinstance(place, GitLedger) else tmp_path / "work" / ".reconciler"
        away = kept.with_suffix(".away")
        kept.rename(away)
        if isinstance(place, FileLedger):
            (kept / "lock" / "default.json").mkdir(parents=True)
        clock.time += RENEWED_EVERY
        held.lease.renew()
        assert "next attempt is in a minute" in caplog.text
        assert not held.lost
        if isinstance(place, FileLedger):
            kept.rename(kept.with_suffix(".gone"))
        away.rename(kept)
        clock.time += RENEWED_EVERY
        held.lease.renew()
        clock.time += LOST_AFTER
        assert not held.lost
        held.save(known("1"), message="Apply", last=True)
    assert place.load() == known("1")


def test_a_stopped_process_makes_no_further_call(tmp_path: Path) -> None:
    """A process that is stopped past its lease and continued is fenced before it does anything.

    Its lock is taken over although the process lives, and keeps the system's lock.
    """
    (tmp_path / "clock").write_text("0", encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "False\n"
            process.send_signal(signal.SIGSTOP)
            (tmp_path / "clock").write_text("1000", encoding="utf-8")
            store = FileLedger(tmp_path, store="default", clock=MinuteClock())
            with store.hold(timeout=TAKEN_OVER_AFTER, holder=me("alice")) as held:
                assert held.broke is not None
                assert held.broke.alive
                held.save(LEDGER, message="In doubt")
                process.send_signal(signal.SIGCONT)
                out, _ = process.communicate("go on\n")
                assert out == "True\nnot written\n"
                with (
                    pytest.raises(Locked, match="alice"),
                    FileLedger(tmp_path, store="default").hold(timeout=0, holder=me()),
                ):
                    pytest.fail("the lock was taken twice")
            assert store.load() == LEDGER
        finally:
            process.kill()


def test_of_two_who_take_over_one_succeeds(tmp_path: Path) -> None:
    """Two runs that have waited equally long for a silent one never hold the store both."""

    def wait(_: int) -> bool:
        store = FileLedger(tmp_path, store="default", clock=MinuteClock(abreast.wait))
        try:
            with store.hold(timeout=TAKEN_OVER_AFTER, holder=me()) as held:
                held.save(held.load(), message="In doubt")
                entered.append(held)
                ended.wait(60)
        except Locked:
            ended.set()
            return False
        return True

    entered: list[Held] = []
    ended = Event()
    abreast = Barrier(2, timeout=60)
    with other_run("file", tmp_path), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(wait, range(2))) == [False, True]
    assert len(entered) == 1


def test_a_thread_renews() -> None:
    """Renewals come by themselves from the first look at the ledger on, and end with the run."""
    renewed = Event()

    def renew() -> bool:
        renewed.set()
        return True

    held = Lease(renew, SystemClock())
    held.renewed(SystemClock().now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lease, "RENEWED_EVERY", 0.001)
        held.keep()
        held.keep()
        assert renewed.wait(60)
        held.close()
    assert not held.lost


def test_an_interrupted_start_still_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the renewing thread starts ends as Ctrl-C, not as an error of the tool."""

    def interrupted(self: Thread) -> None:
        raise KeyboardInterrupt

    held = Lease(lambda: True, SystemClock())
    monkeypatch.setattr(Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        held.keep()
    held.close()


def test_no_thread_no_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started the apply ends before its first write."""

    def fail(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    store = FileLedger(tmp_path, store="default")
    monkeypatch.setattr(Thread, "start", fail)
    with (
        pytest.raises(LedgerNotWritten, match="cannot be renewed: can't start"),
        store.hold(timeout=0, holder=me()) as held,
    ):
        held.load()


def test_sleep_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that slept knows that its leases have run out."""
    monkeypatch.setattr("reconciler.clock._CLOCK", 7)
    monkeypatch.setattr("time.clock_gettime", {7: 42.0}.get)
    assert SystemClock().now() == 42.0


# The git ledger, whose renewals are pushes -----------------------------------------------------


@pytest.fixture
def clock() -> QuickClock:
    """The clock of the one run."""
    return QuickClock()


@pytest.fixture
def ref(origin: Path, tmp_path: Path, clock: QuickClock) -> GitLedger:
    """The git ledger of a shallow clone."""
    folder = clone(origin, tmp_path / "ref", "--depth=1")
    return GitLedger(folder, store="default", clock=clock)


def commits(origin: Path) -> list[str]:
    """The subjects of all commits of the ref, oldest first."""
    return git(origin, "log", "--reverse", "--format=%s", REF).splitlines()


def test_a_renewal_is_one_commit_that_the_history_leaves_out(
    ref: GitLedger, origin: Path, tmp_path: Path
) -> None:
    """Saves stand on the newest renewal; the log has none of them, also in a shallow clone."""
    for number in range(3):
        with ref.hold(timeout=0, holder=me()) as held:
            held.lease.renew()
            held.save(known("1"), message=f"Begin {number}")
            for _ in range(9):
                held.lease.renew()
            held.save(known("1", str(number)), message=f"Apply {number}", last=True)
            held.lease.renew()
    assert len(commits(origin)) == 3 * 11
    assert [line.split()[0] for line in commits(origin)[:11]] == ["Begin", *["Renew"] * 9, "Apply"]
    other = GitLedger(clone(origin, tmp_path / "next", "--depth=1"), store="default")
    assert other.load() == known("1", "2")
    told = ["Apply 2", "Begin 2", "Apply 1", "Begin 1", "Apply 0", "Begin 0"]
    assert [revision.subject for revision in other.history(5)] == told[:5]
    assert [revision.subject for revision in other.history(9)] == told


def test_a_lock_that_was_never_taken_is_not_renewed(ref: GitLedger, origin: Path) -> None:
    """Before the first save nothing is pushed, and nothing can be lost."""
    with ref.hold(timeout=0, holder=me()) as held:
        held.load()
        held.lease.renew()
        assert not held.lost
    assert git(origin, "for-each-ref", REF) == ""


@pytest.mark.parametrize("landed", [True, False])
def test_a_renewal_whose_answer_was_lost(
    landed: bool, ref: GitLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save goes on from a renewal of its own, though nobody told that it landed, or when."""
    push = ref.ref.push
    late: list[Callable[[], object]] = []

    def lose(*, old: str | None, new: str) -> object:
        late.append(lambda: push(old=old, new=new))
        if landed:
            late.pop()()
        raise LedgerError("The line went dead.")

    with ref.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        monkeypatch.setattr(ref.ref, "push", lose)
        held.lease.renew()
        monkeypatch.undo()
        for send in late:
            send()
        held.lease.renew()
        assert not held.lost
        held.save(known("1"), message="Apply", last=True)
    assert ref.load() == known("1")


def test_a_renewal_and_a_save_take_turns(ref: GitLedger) -> None:
    """Renewals by another thread never make a save of the same run fail."""
    with ref.hold(timeout=0, holder=me()) as held, ThreadPoolExecutor(1) as pool:
        held.save(known(), message="In doubt")
        renewals = [pool.submit(held.lease.renew) for _ in range(9)]
        for number in range(9):
            held.save(known(str(number)), message="In doubt")
        for renewal in renewals:
            renewal.result()
        assert not held.lost
        held.save(known("1"), message="Apply", last=True)
    assert ref.load() == known("1")


def test_an_unlocked_holder_is_fenced(ref: GitLedger, origin: Path, tmp_path: Path) -> None:
    """A run that somebody took for dead, and unlocked, makes no further call."""
    with ref.hold(timeout=0, holder=elsewhere()) as held:
        held.save(LEDGER, message="In doubt")
        assert GitLedger(clone(origin, tmp_path / "desk"), store="default").break_lock()
        held.lease.renew()
        assert held.lost
