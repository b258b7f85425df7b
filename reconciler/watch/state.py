"""What a watch knows from earlier rounds, and keeps in a file: a restart tells nothing twice."""

import json
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.durable import write
from reconciler.report.watch_html import Plotted
from reconciler.watch.sight import Observation

_FORMAT: Final = "reconciler.watch/1"
_MOST_POINTS: Final = 500


@dataclass(slots=True)
class StoreState:
    """What is known of one store. Times are Unix times."""

    told: dict[str, str] = field(default_factory=dict)
    drift_since: float | None = None
    last: Observation | None = None
    succeeded: float | None = None
    points: deque[Plotted] = field(default_factory=lambda: deque(maxlen=_MOST_POINTS))

    def note(self, seen: Observation) -> None:
        """Note what a round has seen."""
        self.last = seen
        # A round that could not look says nothing about drift, so drift is taken to last.
        if seen.plan is None:
            return
        self.succeeded = seen.at
        drift = len(seen.drift)
        self.points.append(Plotted(seen.at, len(seen.plan.changes), drift))
        self.drift_since = (self.drift_since or seen.at) if drift else None

    def drifted_for(self, now: float) -> float:
        """For how many seconds the remote has drifted; 0 if it has not."""
        return 0.0 if self.drift_since is None else max(0.0, now - self.drift_since)


class WatchState:
    """What is known of all stores; `complain` gets why the file cannot be read or written."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self.stores: dict[str, StoreState] = {}
        self._path = path
        self._complain = complain
        self._text = b""
        self._broken = False
        self._load()

    def of(self, store: str) -> StoreState:
        """What is known of one store."""
        return self.stores.setdefault(store, StoreState())

    def keep(self, stores: Collection[str]) -> list[str]:
        """Forget all stores but these; return those forgotten."""
        gone = [store for store in self.stores if store not in stores]
        for store in gone:
            del self.stores[store]
        return gone

    def save(self) -> None:
        """Write what a restart needs, if it has changed; a failure is told once."""
        document = {
            "format": _FORMAT,
            "stores": {
                name: {"told": known.told, "drift_since": known.drift_since}
                for name, known in self.stores.items()
            },
        }
        text = json.dumps(document, indent=1).encode()
        # Most rounds change nothing, and a durable write waits for the disk.
        if text == self._text:
            return
        try:
            write(self._path, text)
        except OSError as error:
            if not self._broken:
                self._complain(f"{self._path} cannot be written: {error.strerror or error}.")
            self._broken = True
            return
        self._text, self._broken = text, False

    def _load(self) -> None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self._complain(f"{self._path} cannot be read: {error.strerror or error}.")
            return
        try:
            document = json.loads(data)
            if document["format"] != _FORMAT:
                raise ValueError(document["format"])
            self.stores = {name: _known(entry) for name, entry in document["stores"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            self._complain(f"{self._path} is damaged, so earlier messages may come again.")


def _known(entry: Any) -> StoreState:
    since = entry["drift_since"]
    told = {str(kind): str(what) for kind, what in entry["told"].items()}
    return StoreState(told, None if since is None else float(since))
