"""The story of `rehearse`: a plan is applied to a copy of the remote.

The remote is read once, and copied with all its records into a sandbox in memory; the ledger is
copied into a temporary folder. The story of `apply` runs there unchanged, so nothing is written to
the remote, the ledger or the journal. Waits pass at once: the copy's time jumps.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock
from typing import TYPE_CHECKING, Final

from reconciler.applying.stale import holds
from reconciler.clock import SystemClock
from reconciler.errors import GuardRefused
from reconciler.ledger.codec import encode_ledger
from reconciler.ledger.file import FileLedger
from reconciler.model import Ledger, Listing
from reconciler.planning.plan import Plan, Rehearsal
from reconciler.reconcile.making import Options
from reconciler.reconcile.run import apply, plan
from reconciler.reconcile.saved import of_this_shop
from reconciler.reconcile.store import Store

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.report.plan_json import SavedPlan
    from reconciler.sandbox.faults import Fault, Schedule
    from reconciler.sandbox.server import Sandbox

_KEY: Final = "rehearsal"
# Long enough for another thread to get its turn.
_BLINK: Final = 0.001


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A plan, and what came of it on the copy: the report, or why a guard refused the plan.

    `converges`: a second plan is empty. Of a saved plan, and of a plan of a part: nothing of it is
    left to do.
    """

    plan: Plan
    result: "Report | GuardRefused"
    converges: bool = False

    @property
    def rehearsal(self) -> Rehearsal | None:
        """The result in two values; None if the plan was refused."""
        if isinstance(self.result, GuardRefused):
            return None
        return Rehearsal(self.result.calls, self.converges)


class _JumpingClock(SystemClock):
    """The system's clock, except that time jumps over every wait."""

    def __init__(self) -> None:
        self._jumped = 0.0
        self._lock = Lock()

    def now(self) -> float:
        """The system's seconds and all that was jumped over."""
        return super().now() + self._jumped

    def utc(self) -> datetime:
        """The system's time of day and all that was jumped over."""
        return super().utc() + timedelta(seconds=self._jumped)

    def wait(self, seconds: float, stop: Event) -> bool:
        """Jump over the wait; others get a moment to run, as some are waited for."""
        with self._lock:
            self._jumped += max(0.0, seconds)
        return stop.wait(_BLINK)


def rehearse(
    store: Store,
    options: Options | None = None,
    *,
    saved: "SavedPlan | None" = None,
    faults: "Schedule | Iterable[Fault] | None" = None,
) -> Rehearsed:
    """Apply the plan, or a `saved` one, to a copy of the remote that misbehaves as `faults` say.

    Raises what `apply` does, except GuardRefused, which becomes part of the result.
    """
    options = options or Options()
    reviewed = None if saved is None else of_this_shop(saved, store)
    # Read without a lock, since nothing is written (P9).
    listing, ledger = store.client.list(), store.ledger.load()
    with _copy(store, listing, ledger, faults) as (copy, sandbox):
        plans: list[Plan] = []

        def note(made: Plan) -> bool:
            plans.append(made)
            # Nobody is asked, so nothing needs to be looked at again.
            return False

        try:
            report = apply(copy, options, saved=reviewed, approve=note)
        except GuardRefused as refused:
            return Rehearsed(plans[0], refused)
        # Without faults from here on: P1 is about schedules of faults that end.
        sandbox.misbehave()
        sandbox.store.catch_up()
        if reviewed is not None or options.select or options.only:
            converges = holds(plans[0], copy.client.list(), copy.ledger.load())
        else:
            # A second time, --resend would send and --allow-recreate create again, so no plan would
            # be empty.
            converges = not plan(copy, replace(options, resend=(), allow_recreate=())).changes
    return Rehearsed(plans[0], report, converges)


@contextmanager
def _copy(
    store: Store,
    listing: Listing,
    ledger: Ledger,
    faults: "Schedule | Iterable[Fault] | None",
) -> Iterator[tuple[Store, "Sandbox"]]:
    """The store with another remote and another ledger, which both are gone after the block."""
    from reconciler.remote.client import Client
    from reconciler.sandbox.server import Sandbox

    clock, of_real = _JumpingClock(), store.client
    sandbox = Sandbox(
        api_key=_KEY,
        faults=faults,
        seed=lambda rows: rows.insert(listing.every_record(), exact=True),
        clock=lambda: clock.utc().timestamp(),
    )
    # The copy is on this machine, where the shop's proxy and certificates do not belong.
    how = replace(of_real.how, proxy=None, ca_bundle=None)
    with (
        TemporaryDirectory(prefix="reconciler-") as folder,
        sandbox,
        Client(
            sandbox.url, _KEY, how, clock=clock, stop=of_real.stop, progress=of_real.progress
        ) as client,
    ):
        # A file, whatever the store's own ledger is: nothing may reach git.
        kept = FileLedger(Path(folder), store=store.name, stop=of_real.stop)
        kept.write(kept.path, encode_ledger(ledger, store=store.name))
        yield replace(store, client=client, ledger=kept, journals=Path(folder) / "journal"), sandbox
