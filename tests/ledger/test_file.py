"""The ledger as a file: what is on the disk, and who may write it."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from reconciler.durable import write
from reconciler.errors import Interrupted, LedgerError, LedgerNotWritten, Locked
from reconciler.ledger.file import FileLedger
from reconciler.ledger.holder import Holder
from reconciler.model import Ledger
from reconciler.reconcile import unlock
from tests.ledger.worlds import LEDGER, QuickClock, elsewhere, me, other_run


@pytest.fixture
def store(tmp_path: Path) -> FileLedger:
    """The file ledger of an empty working folder."""
    return FileLedger(tmp_path, store="default", clock=QuickClock())


def note(folder: Path) -> Path:
    """Where the holder's name stands."""
    return folder / ".reconciler" / "lock" / "default.json"


def leave(folder: Path, holder: Holder) -> None:
    """Leave the note of a run that died."""
    write(note(folder), holder.encode())


def test_missing_ledger_is_empty(store: FileLedger, tmp_path: Path) -> None:
    """Reading a ledger that was never written gives an empty one and writes nothing at all."""
    assert store.load() == Ledger()
    assert not store.exists()
    assert list(tmp_path.iterdir()) == []


def test_save_and_load(store: FileLedger) -> None:
    """What was saved is loaded, by the holder and by everyone else."""
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Applied")
        assert held.load() == LEDGER
        assert held.broke is None
    assert store.exists()
    assert store.load() == LEDGER
    assert store.history(5) == ()
    assert store.describe() == "the file .reconciler/ledger/default.jsonl"


def test_mode_and_leftovers(store: FileLedger) -> None:
    """The file gets 0644 minus umask, and no draft stays beside it."""
    before = os.umask(0o027)
    try:
        with store.hold(timeout=0, holder=me()) as held:
            held.save(LEDGER, message="Applied")
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o640
    assert [path.name for path in store.path.parent.iterdir()] == ["default.jsonl"]


def test_a_symbolic_link_stays(store: FileLedger, tmp_path: Path) -> None:
    """A ledger that is a link to another disk is written there, and stays a link."""
    shared = tmp_path / "shared" / "ledger.jsonl"
    store.path.parent.mkdir(parents=True)
    store.path.symlink_to(shared)
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Applied")
    assert store.path.is_symlink()
    assert shared.exists()
    assert store.load() == LEDGER


def test_write_failure_keeps_the_old_file(
    store: FileLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save that fails half way raises LedgerNotWritten and leaves the ledger as it was."""
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Applied")

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(LedgerNotWritten, match="No space left"):
            held.save(Ledger(), message="Applied")
        monkeypatch.undo()
        assert held.load() == LEDGER
    assert [path.name for path in store.path.parent.iterdir()] == ["default.jsonl"]


def test_unwritable_folder(tmp_path: Path) -> None:
    """Where the working folder cannot be written, the apply ends before it begins."""
    (tmp_path / ".reconciler").write_text("a file in the way", encoding="utf-8")
    store = FileLedger(tmp_path, store="default")
    with (
        pytest.raises(LedgerNotWritten, match="cannot be taken"),
        store.hold(timeout=0, holder=me()),
    ):
        pytest.fail("the lock was taken")


def test_unreadable_ledger(store: FileLedger) -> None:
    """A ledger that is no file is an error, not an empty ledger."""
    store.path.mkdir(parents=True)
    with pytest.raises(LedgerError, match="cannot be read"):
        store.load()


def test_damaged_ledger_is_named(store: FileLedger) -> None:
    """A damaged ledger is named by its path in the working folder and its line."""
    store.path.parent.mkdir(parents=True)
    store.path.write_text("", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"^\.reconciler/ledger/default\.jsonl, line 1: "):
        store.load()


def test_second_apply_is_locked_out(store: FileLedger, tmp_path: Path) -> None:
    """A second apply learns who holds the store, and of `unlock`; reading goes on."""
    with other_run("file", tmp_path):
        with (
            pytest.raises(Locked, match="the other run on ") as caught,
            store.hold(timeout=0, holder=me()),
        ):
            pytest.fail("the lock was taken twice")
        assert "reconciler unlock" in str(caught.value.hint)
        assert list(store.load().products) == ["x"]
        with pytest.raises(Locked) as caught:
            unlock(store)
        # To run once more what has just been refused would help nobody.
        assert "reconciler unlock" not in str(caught.value.hint)


def test_wait_for_the_other_run(tmp_path: Path) -> None:
    """With a timeout the second apply goes on as soon as the first has ended."""
    with other_run("file", tmp_path) as process:

        def end() -> None:
            process.communicate("")

        store = FileLedger(tmp_path, store="default", clock=QuickClock(end))
        with store.hold(timeout=5, holder=me()) as held:
            assert held.broke is None
            assert list(held.load().products) == ["x"]


def test_wait_has_an_end(tmp_path: Path) -> None:
    """A wait ends with Locked once the timeout has passed."""
    clock = QuickClock()
    store = FileLedger(tmp_path, store="default", clock=clock)
    with other_run("file", tmp_path), pytest.raises(Locked), store.hold(timeout=1, holder=me()):
        pytest.fail("the lock was taken twice")
    assert clock.time == pytest.approx(1)


def test_wait_can_be_stopped(tmp_path: Path) -> None:
    """A wait ends at once when the run is interrupted."""
    stop = Event()
    clock = QuickClock(stop.set)
    store = FileLedger(tmp_path, store="default", clock=clock, stop=stop)
    with (
        other_run("file", tmp_path),
        pytest.raises(Interrupted),
        store.hold(timeout=60, holder=me()),
    ):
        pytest.fail("the lock was taken twice")
    assert clock.waits == 1


def test_after_kill_9(store: FileLedger, tmp_path: Path) -> None:
    """After `kill -9` the next apply goes on by itself, and knows whose lock it took over."""
    with other_run("file", tmp_path) as process:
        process.kill()
        process.wait()
        assert note(tmp_path).exists()
        with store.hold(timeout=0, holder=me()) as held:
            assert held.broke is not None
            assert held.broke.who == "the other run"
            assert list(held.load().products) == ["x"]
    assert not note(tmp_path).exists()


def test_note_of_another_machine(store: FileLedger, tmp_path: Path) -> None:
    """A lock left by another machine is not guessed about: `unlock` frees it, and says whose."""
    leave(tmp_path, elsewhere())
    with pytest.raises(Locked, match="bob on build-7"), store.hold(timeout=0, holder=me()):
        pytest.fail("another machine's lock was taken")
    broken = store.break_lock()
    assert broken is not None
    assert broken.host == "build-7"
    assert store.break_lock() is None
    with store.hold(timeout=0, holder=me()) as held:
        assert held.broke is None


def test_exception_frees_the_lock(store: FileLedger) -> None:
    """An apply that ends by an exception holds nothing any more."""
    with pytest.raises(KeyError), store.hold(timeout=0, holder=me()):
        raise KeyError
    with store.hold(timeout=0, holder=me()) as held:
        assert held.broke is None


def test_stores_do_not_lock_each_other(tmp_path: Path) -> None:
    """Two stores of one folder are applied side by side."""
    one, two = (FileLedger(tmp_path, store=name) for name in ("one", "two"))
    with one.hold(timeout=0, holder=me()) as first, two.hold(timeout=0, holder=me()) as second:
        first.save(LEDGER, message="Applied")
        assert second.load() == Ledger()


def test_unlock_without_a_lock(store: FileLedger, tmp_path: Path) -> None:
    """Unlocking what is free does nothing and writes nothing."""
    assert store.break_lock() is None
    assert list(tmp_path.iterdir()) == []


def test_kill_while_writing(tmp_path: Path) -> None:
    """A run killed between its draft and the exchange leaves the old ledger, and no trouble."""
    store = FileLedger(tmp_path, store="default")
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Applied")
    program = (
        "import os, signal, sys; from pathlib import Path;"
        "from reconciler.durable import write;"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL);"
        "write(Path(sys.argv[1]), b'half')"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(store.path)], check=False)
    assert killed.returncode != 0
    assert store.load() == LEDGER
    with store.hold(timeout=0, holder=me()) as held:
        held.save(Ledger(), message="Applied")
    assert store.load() == Ledger()
    assert [path.name for path in store.path.parent.iterdir()] == ["default.jsonl"]
