"""Who holds a store, and what can be proven about it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.ledger.holder import UNKNOWN_HOLDER, Holder
from tests.ledger.worlds import dead, elsewhere, me


def test_round_trip() -> None:
    """A holder is read back as it was written."""
    holder = elsewhere()
    assert Holder.decode(holder.encode()) == holder


@pytest.mark.parametrize("data", [b"", b"[]", b'{"pid":"1"}', b"\xff", b"[" * 100_000])
def test_damaged_note(data: bytes) -> None:
    """A damaged note is somebody unknown, who cannot be proven dead."""
    assert Holder.decode(data) == UNKNOWN_HOLDER
    assert not UNKNOWN_HOLDER.dead


def test_this_process_lives() -> None:
    """The running process is alive, and says who, where and since when."""
    assert me().alive
    assert not me().dead
    assert str(os.getpid()) in str(me("alice"))
    assert str(me("alice")).startswith("alice on ")


def test_ended_process_is_dead() -> None:
    """A process that is over on this machine is provably dead."""
    assert dead().dead
    assert not dead().alive


def test_a_number_that_no_process_can_have_is_dead() -> None:
    """P6: whoever may push the note writes any number; none ends the run that reads it."""
    assert replace(me(), pid=1 << 70).dead


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs the proc file system")
def test_a_pid_that_came_back_is_dead() -> None:
    """A living process with the same pid but another start is not the holder."""
    assert replace(me(), started="1").dead


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs the proc file system")
def test_zombie_is_dead() -> None:
    """A killed process that nobody has waited for is dead already."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        holder = replace(me(), pid=process.pid, started="5")
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert holder.dead


def test_other_machine_is_not_judged() -> None:
    """Of a run on another machine, or in another container, nothing is claimed."""
    assert not elsewhere().dead
    assert not elsewhere().alive
    assert not replace(dead(), namespace="pid:[1]").dead


def test_unnamed_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user without a name still gets a holder."""

    def nobody() -> str:
        raise OSError("no name")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert Holder.here().who == "an unnamed user"
