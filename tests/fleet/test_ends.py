"""How a fleet of real processes ends: interrupted, with a child killed, with one cut off."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox
from tests.cli.run import environment
from tests.fleet.cluster import contents, fleet_in_git, keys
from tests.fleet.shops import write_shops
from tests.fleet.test_commands import document
from tests.git.conftest import plain_git  # noqa: F401  (a fixture)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks for children in /proc")

SHOPS = 3
PRODUCTS = 10
COMMAND = "import sys; from reconciler.cli import main; sys.exit(main())"
# With the lease's own times a hundred times as fast.
QUICK = (
    "import sys, reconciler.ledger.lease as lease; "
    "lease.RENEWED_EVERY, lease.LOST_AFTER, lease.TAKEN_OVER_AFTER = 0.1, 2.0, 3.0; "
    "from reconciler.cli import main; sys.exit(main())"
)


@pytest.fixture
def remote() -> Iterator[Sandbox]:
    """A slow server of several shops."""
    with Sandbox(shops=SHOPS, latency_ms=25) as sandbox:
        yield sandbox


@pytest.fixture
def environ(remote: Sandbox) -> dict[str, str]:
    """The environment of a command: one call at once, and a short time to settle."""
    return environment(
        {
            **keys(SHOPS),
            "ROBOSIZE_API_URL": remote.url,
            "RECONCILER_REQUESTS__CONCURRENCY": "1",
            "RECONCILER_REQUESTS__SETTLE": "0.2",
            "RECONCILER_FLEET__PARALLEL": "2",
        }
    )


def started(
    folder: Path, environ: Mapping[str, str], *arguments: str, code: str = COMMAND
) -> "subprocess.Popen[str]":
    """A command under way."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(4000):
        if true():
            return
        pause.wait(0.005)
    raise AssertionError("It never came to be so.")


def posts(remote: Sandbox) -> int:
    """The creates that all shops have been sent."""
    return sum(len(store.calls("POST")) for store in remote.stores.values())


def children(process: "subprocess.Popen[str]") -> list[int]:
    """The children of a process."""
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return [int(pid) for pid in text.split()]


def test_an_interrupted_fleet_ends_in_order(
    tmp_path: Path, remote: Sandbox, environ: dict[str, str]
) -> None:
    """What is under way is finished and counted, the rest is not attempted, and a rerun goes on."""
    write_shops(tmp_path, SHOPS, PRODUCTS)
    process = started(tmp_path, environ, "fleet", "apply", "--yes", "--format", "json")
    wait_for(lambda: posts(remote) >= 4)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    found = document(out)
    assert (process.returncode, found["exit_code"]) == (130, 130), told
    assert sorted(store["code"] or "" for store in found["stores"]) == ["", "", "not_attempted"]
    assert found["summary"]["applied"] == sum(map(len, contents(remote)))
    assert "A second signal ends at once" in told
    process = started(tmp_path, environ, "fleet", "apply", "--yes")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [len(listed) for listed in contents(remote)] == [PRODUCTS] * SHOPS


def test_a_second_signal_ends_at_once(
    tmp_path: Path, remote: Sandbox, environ: dict[str, str]
) -> None:
    """Twice Ctrl-C ends the run and its children, whatever they are doing."""
    write_shops(tmp_path, SHOPS, 60)
    process = started(tmp_path, environ, "fleet", "apply", "--yes")
    wait_for(lambda: posts(remote) >= 4)
    started_here = children(process)
    assert len(started_here) == 2
    process.send_signal(signal.SIGINT)
    wait_for(lambda: process.poll() is None)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started_here))
    assert sum(map(len, contents(remote))) < SHOPS * 60


def test_a_child_that_is_killed_is_taken_over_from(
    tmp_path: Path, remote: Sandbox, environ: dict[str, str]
) -> None:
    """Another child goes on with its store; nothing doubles, and the sum names the takeover."""
    write_shops(tmp_path, SHOPS, PRODUCTS)
    process = started(tmp_path, environ, "fleet", "apply", "--yes", "--format", "json")
    wait_for(lambda: posts(remote) >= 6)
    os.kill(children(process)[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    found = document(out)
    assert (process.returncode, found["exit_code"]) == (0, 0), out
    assert contents(remote) == [[str(number) for number in range(PRODUCTS)]] * SHOPS
    assert sum(store["takeovers"] for store in found["stores"]) == 1
    assert found["summary"]["applied"] <= SHOPS * PRODUCTS


@pytest.mark.usefixtures("plain_git")
def test_a_worker_that_was_cut_off_makes_no_further_call(
    tmp_path: Path, remote: Sandbox, environ: dict[str, str]
) -> None:
    """Stopped past its lease and then continued, it finds its store taken over: no call."""
    work = fleet_in_git(tmp_path, 1, PRODUCTS)
    environ["RECONCILER_FLEET__PARALLEL"] = "1"
    arguments = ("fleet", "apply", "--yes", "--format", "json")
    cut_off = started(work, environ, *arguments, code=QUICK)
    wait_for(lambda: posts(remote) >= 3)
    (worker,) = children(cut_off)
    os.kill(worker, signal.SIGSTOP)
    try:
        other = started(work, environ, "apply", "--yes", "--lock-timeout", "30", code=QUICK)
        _, told = other.communicate(timeout=60)
        assert other.returncode == 0, told
        before = [len(store.calls()) for store in remote.stores.values()]
    finally:
        os.kill(worker, signal.SIGCONT)
    out, told = cut_off.communicate(timeout=60)
    assert cut_off.returncode == 5, out
    assert [len(store.calls()) for store in remote.stores.values()] == before
    assert contents(remote)[0] == [str(number) for number in range(PRODUCTS)]
