"""A whole small world for applies: a catalogue as files, a sandbox over a socket, a ledger file."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from reconciler import reconcile
from reconciler.clock import SystemClock
from reconciler.ledger.file import FileLedger
from reconciler.planning.outcome import Report
from reconciler.planning.plan import Plan
from reconciler.reconcile import Options
from reconciler.reconcile.store import Store
from reconciler.remote.calls import Calls
from reconciler.remote.client import Client
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from reconciler.sandbox.store import StoredRow
from reconciler.settings import Settings, load_settings

Declared = Mapping[str, Any]

KEY = "canary-key/with+odd&chars=é"


class HurriedClock:
    """The system's clock, except that waits pass at once: time jumps instead."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._skipped = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        """The system's seconds and all that was skipped."""
        return self._system.now() + self._skipped

    def utc(self) -> datetime:
        """The system's time of day and all that was skipped."""
        return self._system.utc() + timedelta(seconds=self._skipped)

    def skip(self, seconds: float) -> None:
        """Let time pass, for the tool and for a sandbox that has this clock."""
        self._skipped += seconds

    def wait(self, seconds: float, stop: Event) -> bool:
        """Skip the time."""
        self.waits.append(seconds)
        self.skip(max(0.0, seconds))
        return stop.is_set()


class World:
    """One store with all that belongs to it, below `folder`."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, *, clock: HurriedClock | None = None, **requests: Any
    ) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.clock = clock or HurriedClock()
        self.stop = Event()
        self.requests = {"concurrency": 4, "timeout": 5, "page_size": 50, **requests}
        self.catalog = folder / "catalog"
        self.catalog.mkdir(exist_ok=True)

    def declare(self, products: Sequence[Declared]) -> None:
        """Make the catalogue say exactly this."""
        text = json.dumps({"products": list(products)}, ensure_ascii=False)
        (self.catalog / "all.yaml").write_text(text, encoding="utf-8")

    @property
    def settings(self) -> Settings:
        """The settings of the world."""
        return load_settings(
            environ={"ROBOSIZE_API_KEY": KEY, "ROBOSIZE_API_URL": self.sandbox.url},
            folder=self.folder,
            overrides={"limits": {"deletes": "100%", "floor": 100}},
        )

    def client(self) -> Client:
        """A client whose waits take no time."""
        return Client(
            self.sandbox.url,
            KEY,
            Calls(**self.requests),
            clock=self.clock,
            stop=self.stop,
            jitter=lambda: 0.5,
        )

    def store(self, client: Client) -> Store:
        """The store as `reconcile` wants it."""
        ledger = FileLedger(self.folder, store="default")
        return Store("default", client, ledger, self.catalog, self.settings)

    def apply(self, *, saved: Plan | None = None, options: Options | None = None) -> Report:
        """Apply, as `reconciler apply --yes` does."""
        with self.client() as client:
            chosen = options or Options(allow_empty=True)
            return reconcile.apply(self.store(client), chosen, saved=saved)

    def plan(self, options: Options | None = None) -> Plan:
        """Plan, as `reconciler plan` does."""
        with self.client() as client:
            return reconcile.plan(self.store(client), options)

    def misbehave(self, *faults: Fault, seed: int = 0) -> None:
        """From now on, these faults."""
        self.sandbox.misbehave(*faults, seed=seed)

    def rows(self) -> list[StoredRow]:
        """What the remote holds."""
        return list(self.sandbox.store.rows())

    def remote(self) -> dict[str | None, dict[str, Any]]:
        """What the remote holds, by store_id, write-only fields too."""
        keys = ("name", "tags", "image_url", "type")
        return {row.store_id: {key: row.value(key) for key in keys} for row in self.rows()}

    def calls(self, method: str) -> int:
        """How many calls of one method reached the sandbox."""
        return sum(1 for call in self.sandbox.store.calls() if call.method == method)


def product(store_id: str, **fields: Any) -> dict[str, Any]:
    """A declared product with everything filled in."""
    return {
        "store_id": store_id,
        "name": f"Product {store_id}",
        "tags": ["linen"],
        "image_url": f"https://cdn.shop/{store_id}.jpg",
        "type": "top",
    } | fields


def expected(declared: Declared) -> dict[str, Any]:
    """How a declared product stands at the remote once it is applied."""
    return {
        "name": declared["name"],
        "tags": tuple(sorted(set(declared["tags"]))),
        "image_url": declared["image_url"],
        "type": declared["type"],
    }
