"""Watch: round after round over the stores, on a grid of times.

A round that takes longer than the time between two is followed by the next at once: none is missed,
none runs beside another, and none piles up.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Final

from reconciler.clock import Clock
from reconciler.errors import GitError, ReconcilerError
from reconciler.fleet.choose import check_apart, chosen_stores
from reconciler.remote.pace import Pace
from reconciler.remote.redaction import Redactor
from reconciler.watch.branch import Branch
from reconciler.watch.events import events
from reconciler.watch.metrics import Meters
from reconciler.watch.notify import Notifier
from reconciler.watch.sight import Failed, Healing, Observation, observe
from reconciler.watch.state import WatchState

if TYPE_CHECKING:
    from reconciler.settings import Settings

# The part of the time between two rounds by which one may be late, so that many watches spread.
_JITTER: Final = 0.1
# Seconds beyond the time between two rounds after which a watch without a beat is held dead.
_PATIENCE: Final = 900.0

Say = Callable[[str, str], None]
"""Takes a level (info or warning) and a message."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to watch, and how: store globs, seconds between two rounds, and whether to heal."""

    patterns: Sequence[str] = ()
    every: float = 900.0
    healing: Healing | None = None


class Signals:
    """What is asked of a watch from outside; `wake` ends its waiting."""

    def __init__(self) -> None:
        self.stop = Event()
        self.wake = Event()
        self._reload = Event()

    def end(self) -> None:
        """Ask it to end once what is under way has ended."""
        self.stop.set()
        self.wake.set()

    def read_anew(self) -> None:
        """Ask it to read the settings anew."""
        self._reload.set()
        self.wake.set()

    def take_reload(self) -> bool:
        """Whether the settings should be read again; true once for each request."""
        asked = self._reload.is_set()
        self._reload.clear()
        return asked


class Watch:
    """The rounds. `load` reads the settings, `jitter` gives a number from 0 to 1."""

    def __init__(
        self,
        wishes: Wishes,
        load: Callable[[], "Settings"],
        notifier: Callable[["Settings"], Notifier],
        *,
        branch: Branch,
        state: WatchState,
        meters: Meters,
        clock: Clock,
        jitter: Callable[[], float],
        signals: Signals,
        say: Say,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = state
        self.rounds = 0
        self.commit: str | None = None
        self._wishes, self._load, self._notifier_for = wishes, load, notifier
        self._branch, self._meters = branch, meters
        self._clock, self._jitter, self._signals = clock, jitter, signals
        self._say, self._on_beat = say, beat
        self.settings = load()
        self.stores = self._chosen(self.settings)
        self._notifier = notifier(self.settings)
        self._alive_until = 0.0
        self._beat()

    @property
    def ref(self) -> str:
        """The watched branch."""
        return self._branch.name

    @property
    def alive(self) -> bool:
        """Whether the rounds go on."""
        return self._clock.now() < self._alive_until

    @property
    def ready(self) -> bool:
        """Whether every store has been looked at once, and the end is not near."""
        return self.rounds > 0 and not self._signals.stop.is_set()

    def run(self, rounds: int | None = None) -> None:
        """Make rounds until the signals say stop, or until `rounds` have been made."""
        every, due = self._wishes.every, self._clock.now()
        while not self._signals.stop.is_set():
            self.round()
            if rounds is not None and self.rounds >= rounds:
                return
            due = next_due(due, every, self._clock.now())
            # The delay is not added to the grid itself, which would drift with it.
            self._wait(due + _JITTER * every * self._jitter())

    def round(self) -> None:
        """Look at every store once, and apply what is planned if that is wanted."""
        self._reload_if_asked()
        self._beat()
        try:
            self.commit = self._branch.fetch()
        except GitError as error:
            failed, now = Failed.of(error), self.now()
            seen = [Observation(store, now, failed=failed) for store in self.stores]
        else:
            seen = self._observed()
        if stopped := self._signals.stop.is_set():
            # What was applied is told all the same; a plan that was cut short is not.
            seen = [observation for observation in seen if observation.report is not None]
        for observation in seen:
            self._take(observation)
        # Also when it is about to end: a restart must not tell the same things again.
        self.state.save()
        if stopped:
            return
        self.rounds += 1
        self._sum_up(seen)
        self._beat()

    def _observed(self) -> list[Observation]:
        settings, branch = self.settings, self._branch
        slots = min(settings.fleet.parallel, max(1, len(self.stores)))
        rate = settings.fleet.rate
        pace = None if rate is None else Pace(rate / slots)

        def look(store: str) -> Observation:
            try:
                return observe(
                    settings,
                    store,
                    branch,
                    now=self.now,
                    healing=self._wishes.healing,
                    stop=self._signals.stop,
                    pace=pace,
                )
            finally:
                self._beat()

        with ThreadPoolExecutor(slots, thread_name_prefix="watch") as executor:
            return list(executor.map(look, self.stores))

    def _take(self, seen: Observation) -> None:
        """Note an observation everywhere, and tell what it brings."""
        # From here on its messages go to pages, channels and logs (P5).
        seen = _masked(seen, Redactor(self.settings.keys()))
        known = self.state.of(seen.store)
        known.note(seen)
        meters = self._meters
        meters.called(seen.store, seen.calls)
        if seen.plan is not None:
            meters.planned(seen.plan, at=seen.at, seconds=seen.seconds)
        if seen.report is not None:
            meters.applied(seen.report)
        for failure in (seen.failed, seen.refused):
            if failure is not None:
                meters.failed(seen.store, failure.code)
        meters.drifted(seen.store, known.drifted_for(seen.at))
        happened, known.told = events(seen, known.told)
        for event in happened:
            self._say("info", f"{event.store}: {event.kind}: {event.text}")
            self._notifier.tell(event)

    def _sum_up(self, seen: Sequence[Observation]) -> None:
        failed = sum(1 for o in seen if o.failed)
        drifting = sum(1 for o in seen if o.drift)
        others = [f"{n} {word}" for n, word in ((drifting, "drifting"), (failed, "failed")) if n]
        counts = ", ".join(others) or "all well"
        at = f" at {self.commit[:12]}" if self.commit else ""
        self._say("debug", f"Round {self.rounds}{at}: {len(seen)} stores, {counts}.")

    def _chosen(self, settings: "Settings") -> list[str]:
        stores = chosen_stores(settings, self._wishes.patterns)
        if self._wishes.healing is not None:
            check_apart(settings, stores)
        return stores

    def _reload_if_asked(self) -> None:
        if not self._signals.take_reload():
            return
        try:
            settings = self._load()
            stores = self._chosen(settings)
            notifier = self._notifier_for(settings)
        except ReconcilerError as error:
            details = "; ".join(f.message for f in getattr(error, "findings", ()))
            # A slip in the file must not end a watch that has run for months.
            self._say("warning", f"The settings stay as they were: {error.message} {details}")
            return
        self.settings, self.stores, self._notifier = settings, stores, notifier
        self._branch.forget()
        for gone in self.state.keep(stores):
            # Its last numbers would else be served for ever, as if they were of now.
            self._meters.forget(gone)
        self._say("info", "The settings were read again.")

    def _wait(self, until: float) -> None:
        """Wait until a time of the clock; new settings are read meanwhile."""
        signals = self._signals
        while not signals.stop.is_set() and (left := until - self._clock.now()) > 0:
            self._beat()
            if self._clock.wait(left, signals.wake):
                signals.wake.clear()
            self._reload_if_asked()

    def _beat(self) -> None:
        self._alive_until = self._clock.now() + (1 + _JITTER) * self._wishes.every + _PATIENCE
        self._on_beat()

    def now(self) -> float:
        """The Unix time."""
        return self._clock.utc().timestamp()


def next_due(due: float, every: float, now: float) -> float:
    """When the next round is due after one that was due at `due`: on the grid, or now if late."""
    due += every
    # One round makes up for all those whose time has passed.
    return due if due >= now else due + (now - due) // every * every


def _masked(seen: Observation, redactor: Redactor) -> Observation:
    """The observation without any key in its errors."""

    def masked(failed: Failed | None) -> Failed | None:
        if failed is None:
            return None
        hint = redactor.redact(failed.hint) if failed.hint else None
        return replace(failed, message=redactor.redact(failed.message), hint=hint)

    return replace(seen, failed=masked(seen.failed), refused=masked(seen.refused))
