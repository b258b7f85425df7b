"""What the ledger's tests stand on: clocks, holders, other processes, git repositories."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from reconciler.ledger.holder import Holder
from reconciler.model import NOTHING, Applied, Kept, Known, Ledger, Sent, State
from tests.model.making import entries

ROOT = Path(__file__).parents[2]

LEDGER = Ledger(
    products={
        "b2": Known("20", entries(image_url="https://cdn.shop/2.jpg")),
        "a1": Known(
            "10",
            entries(State.ASSUMED, type="top"),
            {
                "name": Kept("wool  coat", "Wool coat", "2026-01-01T00:00:00.000Z"),
                "tags": Kept(("b", "a"), None),
            },
            came_from="20",
            missing="2026-01-03T00:00:00.000Z",
        ),
    },
    creates={
        "30": Sent(entries(State.DOUBT, type="dress")),
        "31": Sent(NOTHING, "2026-01-02T00:00:00.000Z", "c3", "21"),
    },
    applied=(Applied(None, "d1", "2026-01-01T00:00:00.000Z"), Applied("c1", "d2", "2026-01-02")),
)

HOLD = """
import sys
from pathlib import Path
from reconciler.ledger.holder import Holder
from reconciler.ledger.open import open_ledger
from reconciler.model import Ledger, Known

kind, folder = sys.argv[1:]
store = open_ledger(kind, store="default", folder=Path(folder))
with store.hold(timeout=0, holder=Holder.here("the other run")) as held:
    held.save(Ledger({"x": Known("1")}), message="In doubt")
    print("held", flush=True)
    sys.stdin.read()
"""


class QuickClock:
    """A clock whose waits take no time; `meanwhile` is called in each of them."""

    def __init__(self, meanwhile: Callable[[], object] | None = None) -> None:
        self.time = 0.0
        self.waits = 0
        self._meanwhile = meanwhile

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self.time

    def utc(self) -> datetime:
        """A fixed day, plus the waits."""
        return datetime.fromtimestamp(self.time, UTC)

    def wait(self, seconds: float, stop: Event) -> bool:
        """Let time pass at once."""
        self.time += seconds
        self.waits += 1
        if self._meanwhile:
            self._meanwhile()
        return stop.is_set()


def me(who: str = "alice") -> Holder:
    """The holder that is this test."""
    return Holder.here(who)


def elsewhere() -> Holder:
    """A holder on a machine of which nothing is known."""
    return replace(me("bob"), host="build-7", boot="another boot", namespace="pid:[1]")


def dead() -> Holder:
    """A holder on this machine whose process is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(me("carol"), pid=process.pid)


@contextmanager
def other_run(kind: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the ledger, has saved once, and waits to be told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, kind, str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def git(folder: Path, *arguments: str) -> str:
    """The output of one git command, which must succeed."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def make_origin(folder: Path) -> Path:
    """A bare repository with three commits and a tag on `main`."""
    origin = folder / "origin.git"
    work = folder / "seed"
    work.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(work, "init", "--quiet", "--initial-branch=main")
    for number in range(3):
        (work / "shirt.yaml").write_text(f"name: {number}\n", encoding="utf-8")
        git(work, "add", ".")
        who = ("-c", "user.name=Test", "-c", "user.email=test@shop.example")
        git(work, *who, "commit", "--quiet", "--no-gpg-sign", "-m", f"Change {number}")
    git(work, "tag", "v1")
    git(work, "push", "--quiet", "--tags", origin.as_uri(), "main")
    return origin


def clone(origin: Path, folder: Path, *options: str) -> Path:
    """A fresh clone of `origin`."""
    git(origin, "clone", "--quiet", *options, origin.as_uri(), str(folder))
    return folder
