"""A few shops for watches: a repository with a remote, a sandbox for each shop, and a clock."""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from reconciler.sandbox.server import Sandbox
from reconciler.settings import Settings, load_settings
from reconciler.watch.branch import Branch
from reconciler.watch.loop import Signals, Watch, Wishes
from reconciler.watch.metrics import Meters
from reconciler.watch.notify import Notifier
from reconciler.watch.state import WatchState
from tests.applying.world import HurriedClock
from tests.git.pipeline import git

KEY = "canary-key-of-watched-shops"
Samples = dict[tuple[str, ...], float]


class Shops:
    """Shops called s0, s1, …; the work tree is in `folder`, and its remote beside it."""

    def __init__(self, folder: Path, sandboxes: Iterable[Sandbox]) -> None:
        self.folder = folder / "shop"
        self.hub = folder / "hub.git"
        self.sandboxes = dict(zip((f"s{n}" for n in range(10_000)), sandboxes, strict=False))
        self.clock = HurriedClock()
        self.signals = Signals()
        self.said: list[str] = []
        self.told: list[str] = []
        self.environ: dict[str, str] = {"ROBOSIZE_API_KEY": KEY}
        self.folder.mkdir()
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.hub))
        git(self.folder, "init", "--quiet", "--initial-branch=main", ".")
        git(self.folder, "remote", "add", "origin", str(self.hub))
        self.write_settings()
        (self.folder / ".gitignore").write_text(".reconciler/\n", encoding="utf-8")
        for store in self.sandboxes:
            self.declare(store, {"1": "One", "2": "Two"})
        self.push()

    def write_settings(self, **more: Any) -> None:
        """Write reconciler.yaml; the general settings are quick to give up."""
        stores = {
            name: {"api_url": sandbox.url, "catalog": f"shops/{name}"}
            for name, sandbox in self.sandboxes.items()
        }
        general = {
            "requests": {"retries": 0, "concurrency": 2, "settle": 0.05},
            "stores": stores,
            **more,
        }
        (self.folder / "reconciler.yaml").write_text(json.dumps(general), encoding="utf-8")

    def declare(self, store: str, names: Mapping[str, str]) -> None:
        """Make the catalogue of a store, in the work tree, say exactly this."""
        folder = self.folder / "shops" / store
        folder.mkdir(parents=True, exist_ok=True)
        products = [{"store_id": store_id, "name": name} for store_id, name in names.items()]
        (folder / "all.yaml").write_text(json.dumps({"products": products}), encoding="utf-8")

    def push(self) -> None:
        """Commit the work tree and push it."""
        git(self.folder, "add", ".")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", "x")
        git(self.folder, "push", "--quiet", "origin", "main")

    def load(self) -> Settings:
        """The settings as they are now."""
        return load_settings(environ=self.environ, folder=self.folder)

    def notifier(self, settings: Settings) -> Notifier:
        """One that notes what it would send."""
        shops = self

        class Noting(Notifier):
            def tell(self, event: Any) -> None:
                shops.told.append(f"{event.store} {event.kind}")
                super().tell(event)

        return Noting(settings, lambda store: f"http://page/{store}", self.said.append)

    def watch(self, wishes: Wishes | None = None, *, ref: str = "main") -> Watch:
        """A watch of these shops."""
        return Watch(
            wishes or Wishes(every=60.0),
            self.load,
            self.notifier,
            branch=Branch(self.folder, ref, "origin"),
            state=WatchState(self.folder / ".reconciler" / "watch.json", self.said.append),
            meters=self.meters,
            clock=self.clock,
            jitter=random.Random(7).random,
            signals=self.signals,
            say=lambda level, message: self.said.append(f"{level}: {message}"),
        )

    @property
    def meters(self) -> Meters:
        """The meters of all watches of these shops."""
        if not hasattr(self, "_meters"):
            self._meters = Meters()
        return self._meters

    def value(self, name: str, **labels: str) -> float | None:
        """One sample of the meters."""
        found: float | None = self.meters.registry.get_sample_value(f"reconciler_{name}", labels)
        return found

    def samples(self) -> dict[str, Samples]:
        """All samples of the meters by store, read once: name and the other labels to a value."""
        found: dict[str, Samples] = {}
        for metric in self.meters.registry.collect():
            for sample in metric.samples:
                labels = dict(sample.labels)
                store = labels.pop("store", "")
                key = sample.name.removeprefix("reconciler_"), *labels.values()
                found.setdefault(store, {})[key] = sample.value
        return found

    def changes(self, store: str) -> dict[tuple[str, ...], float]:
        """The changes of a store by action and origin, as the metrics have them; without zeros."""
        return changes_in(self.samples().get(store, {}))

    def remote(self, store: str) -> dict[str, str]:
        """The names at the remote of a store, by store_id."""
        return {
            str(row.store_id): str(row.value("name")) for row in self.sandboxes[store].store.rows()
        }

    def rename(self, store: str, store_id: str, name: str) -> None:
        """Edit a product by hand, as somebody at Robosize does."""
        row = self.sandboxes[store].store.row(store_id)
        assert row is not None
        assert row.id is not None
        self.sandboxes[store].store.update([row.id], {"name": name})


def changes_in(samples: Samples) -> dict[tuple[str, ...], float]:
    """The changes of one store by action and origin; without zeros."""
    return {key[1:]: count for key, count in samples.items() if key[0] == "changes" and count}


Make = Callable[[int], Shops]
