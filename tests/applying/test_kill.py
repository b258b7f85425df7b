"""A second apply beside the first one, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox

PRODUCTS = 30
STARTED: list["subprocess.Popen[str]"] = []


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A remote that takes a little time for each call; no command outlives it."""
    with Sandbox(latency_ms=4) as sandbox:
        yield sandbox
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


def command(folder: Path, sandbox: Sandbox, *arguments: str) -> "subprocess.Popen[str]":
    """Start a command of the tool in `folder`."""
    environment = os.environ | {
        "ROBOSIZE_API_KEY": "a-key-for-tests",
        "ROBOSIZE_API_URL": sandbox.url,
        "RECONCILER_REQUESTS__TIMEOUT": "1",
        "RECONCILER_REQUESTS__CONCURRENCY": "4",
        "RECONCILER_LIMITS__DELETES": "100%",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.cli", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """The exit code and what was said."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def declare(folder: Path, version: int) -> None:
    """A catalogue whose every version changes a third, creates a third and deletes a third."""
    (folder / "catalog").mkdir(exist_ok=True)
    products: list[dict[str, Any]] = [
        {
            "store_id": f"{version if n % 3 == 0 else 0}-{n}",
            "name": f"Product {n} of {version}" if n % 3 == 1 else f"Product {n}",
            "tags": ["linen"],
            "image_url": f"https://cdn.shop/{n}.jpg",
            "type": "top" if n % 3 == 0 else f"type {version}",
        }
        for n in range(PRODUCTS)
    ]
    text = json.dumps({"products": products})
    (folder / "catalog" / "all.yaml").write_text(text, encoding="utf-8")


def wait_for_write(sandbox: Sandbox, count: int, process: "subprocess.Popen[str]") -> None:
    """Until so many writes have come since the log was cleared, or the process has ended."""
    while process.poll() is None:
        writes = sum(1 for call in sandbox.store.calls() if call.method != "GET")
        if writes >= count:
            return
        time.sleep(0.01)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows cannot stop a process")
def test_one_apply_at_a_time(tmp_path: Path, sandbox: Sandbox) -> None:
    """A second apply stops with who holds the store, and writes nothing."""
    declare(tmp_path, 1)
    sandbox.misbehave(Fault("hang", method="POST", seconds=0.5))
    first = command(tmp_path, sandbox, "apply", "--yes")
    wait_for_write(sandbox, 3, first)
    # Else it could be done before the second one has started on a busy machine.
    first.send_signal(signal.SIGSTOP)
    code, _, err = finish(command(tmp_path, sandbox, "apply", "--yes"))
    sandbox.misbehave()
    first.send_signal(signal.SIGCONT)
    assert code == 1
    assert f"process {first.pid}" in err
    assert "unlock" in err
    code, out, _ = finish(first)
    assert code == 0, out
    assert len(sandbox.store.rows()) == PRODUCTS


def test_second_apply_waits(tmp_path: Path, sandbox: Sandbox) -> None:
    """With --lock-timeout the second apply waits, plans anew, and finds nothing left to do."""
    declare(tmp_path, 1)
    sandbox.misbehave(Fault("hang", method="POST", seconds=0.5))
    first = command(tmp_path, sandbox, "apply", "--yes")
    wait_for_write(sandbox, 3, first)
    second = command(tmp_path, sandbox, "apply", "--yes", "--lock-timeout", "60")
    time.sleep(1)
    sandbox.misbehave()
    assert finish(first)[0] == 0
    code, out, err = finish(second)
    assert code == 0, err
    assert "Nothing" in out
    assert len(sandbox.store.rows()) == PRODUCTS
