"""`kill -9` at each write of an apply with every kind of change, as the sandbox counts the writes.

The kill happens while the sandbox looks at the call, so the same number is the same moment on every
machine. P1, P2 and P3 hold after each: the next runs converge, double nothing and lose nothing.
"""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings

from reconciler.sandbox.faults import Fault, Schedule
from reconciler.sandbox.server import Sandbox
from reconciler.sandbox.store import StoredRow
from tests.applying.world import product
from tests.cli.run import COMMAND, Ended, environment, in_process

STEP = 1 if settings().max_examples > 100 else 13
"""Between two writes that are tried: `make soak` tries each."""

Moment = Literal["before", "after", "all"]
"""Whether the write of the kill takes effect, and (`all`) those that are under way beside it."""

LOST = Fault("reset")


class Killer(Schedule):
    """Kills a process at its n-th call of some methods; what it sent besides is lost, or not."""

    def __init__(self) -> None:
        super().__init__()
        self.process: int | None = None
        self.fired = False
        self._left = 0
        self._moment: Moment = "before"
        self._methods: tuple[str, ...] = ()

    def arm(self, at: int, moment: Moment, methods: tuple[str, ...]) -> None:
        """Kill the next `process` there."""
        self.process, self.fired = None, False
        self._left, self._moment, self._methods = at, moment, methods

    def disarm(self) -> None:
        """Kill nobody, and lose no call."""
        self.process, self.fired = None, False

    def fire(self, method: str, text: str = "") -> tuple[Fault, ...]:
        """The call that has just come is lost, or takes its effect; no answer arrives."""
        if self.fired:
            return () if self._moment == "all" else (LOST,)
        if self.process is None or method not in self._methods:
            return ()
        self._left -= 1
        if self._left != 0:
            return ()
        os.kill(self.process, signal.SIGKILL)
        self.fired = True
        return (LOST,) if self._moment == "before" else ()


class Shop:
    """A shop in which 60 changes are due, again and again from the same state."""

    def __init__(self, folder: Path, sandbox: Sandbox, killer: Killer) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self._killer = killer
        self._declare(before())
        assert self.apply().code == 0
        charted = [{**row.record, "size_chart": chart(row.store_id)} for row in self._rows]
        self._start = [
            StoredRow(row.position, record, row.written)
            for row, record in zip(self._rows, charted, strict=True)
        ]
        self._ledger = {
            path: path.read_bytes() for path in (folder / ".reconciler").glob("ledger/*")
        }
        self._declare(after())

    @property
    def _rows(self) -> list[StoredRow]:
        return self.sandbox.store.rows()

    def _declare(self, products: list[dict[str, Any]]) -> None:
        (self.folder / "catalog").mkdir(exist_ok=True)
        text = json.dumps({"products": products})
        (self.folder / "catalog" / "all.yaml").write_text(text, encoding="utf-8")

    def begin(self) -> None:
        """Back to the state before the first change."""
        store = self.sandbox.store
        store.clear()
        store.insert((row.record for row in self._start), exact=True)
        for row in self._start:
            store.update([str(row.id)], dict(row.written))
        store.log.clear()
        for path, data in self._ledger.items():
            path.write_bytes(data)
        for path in (self.folder / ".reconciler").glob("journal/*"):
            path.unlink()

    @property
    def _environ(self) -> dict[str, str]:
        return {
            "ROBOSIZE_API_KEY": "a-key-for-tests",
            "ROBOSIZE_API_URL": self.sandbox.url,
            "RECONCILER_REQUESTS__CONCURRENCY": "4",
            "RECONCILER_REQUESTS__TIMEOUT": "1",
            "RECONCILER_REQUESTS__SETTLE": "1",
            "RECONCILER_LIMITS__DELETES": "100%",
        }

    def apply(self) -> Ended:
        """Run `apply --yes` to its end in this process."""
        return in_process(self.folder, "apply", "--yes", **self._environ)

    def _apply_until_killed(self) -> "subprocess.CompletedProcess[str]":
        """Run `apply --yes` in a process that the killer may kill."""
        process = subprocess.Popen(
            [*COMMAND, "apply", "--yes"],
            cwd=self.folder,
            env=environment(self._environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self._killer.process = process.pid
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def killed(self, at: int, moment: Moment, methods: tuple[str, ...]) -> bool:
        """Apply from the beginning and kill it there; False if it ended before that."""
        self.begin()
        self._killer.arm(at, moment, methods)
        done = self._apply_until_killed()
        fired = self._killer.fired
        self._killer.disarm()
        assert done.returncode == (-signal.SIGKILL if fired else 0), done.stderr
        return fired

    def check(self, where: str) -> None:
        """Further runs converge; nothing is there twice, nothing is lost."""
        for _ in range(3):
            done = self.apply()
            if done.code == 0 and "Converged" in done.out:
                break
        assert done.code == 0, (where, done.err)
        again = self.apply()
        assert "Nothing to change" in again.out, (where, again.out)
        rows = {str(row.store_id): row for row in self._rows}
        wanted = {declared["store_id"]: declared for declared in after()}
        counts = Counter(str(row.store_id) for row in self._rows)
        assert counts == Counter(list(wanted)), where
        self._kept_by_hand(rows, wanted, where)
        self._kept_in_journals(rows, where)

    def _kept_by_hand(
        self, rows: Mapping[str, StoredRow], wanted: Mapping[str, dict[str, Any]], where: str
    ) -> None:
        """Each product has its own size chart, also under a new store_id, and what is declared."""
        known = {row.store_id for row in self._start}
        for store_id, declared in wanted.items():
            row = rows[store_id]
            came_from = declared.get("renamed_from", store_id)
            if came_from in known:
                assert row.record["size_chart"] == chart(came_from), (where, store_id)
            for key in ("name", "type", "image_url"):
                assert row.value(key) == declared[key], (where, store_id, key)

    def _kept_in_journals(self, rows: Mapping[str, StoredRow], where: str) -> None:
        """What is gone stands in a journal, with its size chart."""
        kept = {}
        for path in (self.folder / ".reconciler").glob("journal/*.jsonl"):
            for line in path.read_text("utf-8").splitlines():
                record = json.loads(line).get("record")
                if record is not None:
                    kept[record["id"]] = record
        here = {row.id for row in rows.values()}
        gone = [row for row in self._start if row.id not in here]
        assert len(gone) == 12, where
        for row in gone:
            assert kept[row.id] == row.record, (where, row.store_id)


def chart(store_id: str | None) -> dict[str, Any]:
    """The size chart that somebody typed in for a product."""
    return {"M": {"chest": f"as for {store_id}"}}


def before() -> list[dict[str, Any]]:
    """The products that are there."""
    kinds = {"shared": 12, "own": 12, "chain": 6, "ring": 4, "swap": 2, "gone": 12, "still": 3}
    return [product(f"{kind}-{n}") for kind, many in kinds.items() for n in range(many)]


def after() -> list[dict[str, Any]]:
    """The products that are wanted: 60 changes of every kind."""
    products = [product(f"new-{n}") for n in range(12)]
    products += [product(f"shared-{n}", type="dress") for n in range(12)]
    products += [product(f"own-{n}", name=f"Another {n}", type="dress") for n in range(12)]
    products += [_renamed("chain", n, n + 1) for n in range(6)]
    products += [_renamed("ring", n, (n + 1) % 4) for n in range(4)]
    products += [_renamed("swap", n, 1 - n) for n in range(2)]
    return products + [product(f"still-{n}") for n in range(3)]


def _renamed(kind: str, old: int, new: int) -> dict[str, Any]:
    declared = product(f"{kind}-{old}")
    return declared | {"store_id": f"{kind}-{new}", "renamed_from": f"{kind}-{old}"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop before its 60 changes."""
    killer = Killer()
    with Sandbox(faults=killer) as sandbox:
        yield Shop(tmp_path, sandbox, killer)


@pytest.mark.parametrize(("moment", "first"), [("before", 1), ("after", 5), ("all", 9)])
def test_killed_at_a_write(shop: Shop, moment: Moment, first: int) -> None:
    """P1, P2, P3: after a kill at any write of 60 changes the next runs put everything right."""
    at = first
    while shop.killed(at, moment, ("POST", "PATCH", "DELETE")):
        shop.check(f"killed {moment} write {at}")
        at += STEP
    # No kill: the run came to its end, so every moment up to it was in reach.
    assert at > 40
    shop.check("not killed")


def test_killed_at_a_list(shop: Shop) -> None:
    """P1, P2, P3: the same for a kill at any of the lists between and after the writes."""
    at = 1
    while shop.killed(at, "before", ("GET",)):
        shop.check(f"killed at list {at}")
        at += 1 if STEP == 1 else 2
    assert at > 2
