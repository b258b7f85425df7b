"""The loop of an apply: `judge` says what to do next, workers do it and append what came back.

`judge` is a pure function of the answers and the last list. Whatever ends the loop, an error of
this tool included, the answers so far are kept and no call is left under way.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final, NamedTuple

from reconciler.applying.calls import Caller, Halt
from reconciler.applying.journal import Journal
from reconciler.applying.stale import delete_changes
from reconciler.errors import Interrupted, RemoteError
from reconciler.ledger.stores import HeldLedger
from reconciler.model import Ledger, Listing
from reconciler.planning.account import opened, unlisted
from reconciler.planning.operations import Operation, Patch, Remove, operations
from reconciler.planning.outcome import Answer
from reconciler.planning.plan import Delete, Plan
from reconciler.planning.sight import Sight, Situation
from reconciler.planning.steps import Look, judge
from reconciler.remote.client import Client

_INTERRUPTED: Final = "the apply was interrupted before it"
# Seconds between two looks at the calls that are under way.
_MOMENT: Final = 0.05
_NOTICEABLE: Final = 1.0
# Never set: waiting for calls under way must not be cut short by an interrupt.
_NEVER: Final = Event()


@dataclass(frozen=True, slots=True)
class Means:
    """What an apply works with."""

    client: Client
    held: HeldLedger
    journal: Journal
    batch: int
    on_write: Callable[[], None] = lambda: None
    """Called once, when the first write is about to be made."""
    listed: Collection[str | None] = frozenset()
    """The ids that the remote had when the plan was made."""


class Ended(NamedTuple):
    """How a run ended: what was sent and seen, what stopped it early, why nothing is proven."""

    situation: Situation
    error: str | None
    unproven: str | None


class Loop:
    """One run of a plan: the answers so far, the last list, and what ended it."""

    def __init__(self, plan: Plan, ledger: Ledger, means: Means) -> None:
        self._plan = plan
        self._ledger = ledger
        self._means = means
        self._client = means.client
        self._clock = means.client.clock
        self._calls = operations(plan, batch=means.batch)
        # The list may lag behind the ledger, so an id that only the ledger knows is no new one
        # either.
        self._before = frozenset(means.listed) | ledger.products.keys()
        started, utc = self._clock.now(), self._clock.utc()
        self._known = unlisted(plan, ledger, means.listed)
        self._opened = opened(plan, ledger, self._known, started, utc, self._client.settle)
        self._caller = Caller(
            self._client, means.journal, allowed=self._allowed, trouble=self._fail
        )
        self._answers: list[Answer] = []
        self._sight: Sight | None = None
        self._edited: dict[str, str] | None = None
        self._under_way: set[int] = set()
        self._ended: str | None = None
        self._error: str | None = None
        self._blind: str | None = None

    def go(self) -> None:
        """Do what `judge` says, until there is nothing more to do or something ends the run."""
        progress = self._client.progress
        progress.start("Applying", len(self._plan.changes))
        try:
            while not self._ended and (step := judge(self._situation()).step) is not None:
                if isinstance(step, Look):
                    self._look(step.at)
                # Much time may have passed since the plan, and a delete destroys what was edited
                # meanwhile (P3).
                elif self._sight and self._must_be_compared(step.operations):
                    self._edited = self._edits(self._sight.listing)
                else:
                    self._send(step.operations)
        except Halt:
            pass  # What ended the run is noted.
        except (Interrupted, KeyboardInterrupt):
            self._client.stop.set()
            self._end(_INTERRUPTED)
        # Not even an error of this tool may take the account of what was sent away (P6).
        except Exception as error:
            self._fail(error)
        finally:
            # The report counts answers, so no worker may still be waiting for one.
            self._await_calls()
            progress.finish()

    def ended(self) -> Ended:
        """All that was sent and seen, after one more look if something ended the run early."""
        if self._error is not None:
            self._last_look()
        return Ended(self._situation(), self._error, self._blind or self._error)

    def _situation(self) -> Situation:
        return Situation(
            self._plan,
            self._calls,
            listed=self._means.listed,
            before=self._before,
            answers=tuple(self._answers),
            sight=self._sight,
            now=self._clock.now(),
            settle=self._client.settle,
            retries=self._client.retries,
            opened=self._opened,
            lost=self._ledger.creates.keys(),
            known=self._known,
            ended=self._ended,
            edited=self._edited or {},
        )

    def _send(self, calls: Sequence[Operation]) -> None:
        """Make calls side by side; each worker appends what came back, whatever comes after."""
        spent: Counter[str] = Counter()
        for answer in self._answers:
            for store_id in answer.operation.store_ids:
                spent[store_id] += answer.failure.repeats + 1 if answer.failure else 0

        def job(operation: Operation) -> None:
            # All calls for a product share one budget of repeats, or a failing server would be
            # asked for ever.
            again = any(store_id in spent for store_id in operation.store_ids)
            left = self._client.retries - max(spent[s] for s in operation.store_ids)
            repeats = max(0, left) if again else None
            self._under_way.add(id(operation))
            try:
                for answer in self._caller.answers(operation, repeats=repeats, again=again):
                    self._answers.append(answer)
                    self._heed(answer)
            except (Halt, Interrupted):
                return
            finally:
                self._under_way.discard(id(operation))
            # A parked product is not done, and a repeated call would be counted twice.
            if not (isinstance(operation, Patch) and operation.parking) and not again:
                self._client.progress.advance(len(operation.store_ids))

        # Jobs append their answers themselves, so an interrupt loses none that has come.
        for _ in self._client.spread(job, calls):
            pass
        if self._client.stop.is_set():
            self._end(_INTERRUPTED)

    def _look(self, at: float) -> None:
        """Read the list at the time `at`; end the run if that fails: nothing can be proven then."""
        pause = max(0.0, at - self._clock.now())
        if pause > _NOTICEABLE:
            self._client.progress.start("Waiting until the remote has settled", None)
        if self._clock.wait(pause, self._client.stop):
            self._end(_INTERRUPTED)
            return
        self._allowed()
        self._read_list()

    def _read_list(self) -> None:
        # Both are taken before the list is read: it proves nothing about what comes while it is
        # read.
        after, asked = len(self._answers), self._clock.now()
        try:
            listing = self._client.list()
        except RemoteError as error:
            # A failed list is never an empty list (P6), so nothing is judged by it.
            self._blind = error.message
            self._stop_at(error.message)
            return
        self._sight = Sight.of(
            listing, self._plan, self._before, after=after, asked=asked, known=self._known
        )

    def _last_look(self) -> None:
        """See what took effect before the run was ended, if calls can still be made."""
        if self._blind or self._means.held.lost or self._client.stop.is_set():
            return
        # The end stays noted meanwhile: a call that the pool still holds must not be made now.
        with suppress(Exception):  # What is known without it is told all the same.
            self._read_list()

    def _must_be_compared(self, calls: Sequence[Operation]) -> bool:
        """Whether time has gone by since the plan, so that a product to be deleted may differ."""
        return self._edited is None and bool(self._answers) and isinstance(calls[0], Remove)

    def _edits(self, listing: Listing) -> dict[str, str]:
        """How products that are to be deleted have changed since the plan, by store_id."""
        deletes = [change for change in self._plan.changes if isinstance(change, Delete)]
        records = listing.records([change.id for change in deletes])
        changes = {d.store_id: next(delete_changes(d, records.get(d.id)), None) for d in deletes}
        return {store_id: said for store_id, said in changes.items() if said is not None}

    def _allowed(self) -> None:
        """Raise Halt if no further call may be made."""
        if self._client.stop.is_set():
            self._end(_INTERRUPTED)
        elif self._means.held.lost:
            self._stop_at("another run may have taken the store over, since this one stood still")
        if self._ended is not None:
            raise Halt

    def _heed(self, answer: Answer) -> None:
        """A refused key and a dead server end the run for all."""
        if answer.failure and (answer.failure.key or self._client.governor.dead):
            self._stop_at(answer.failure.message)
            self._blind = self._blind or answer.failure.message

    def _end(self, reason: str) -> None:
        self._ended = self._ended or reason

    def _stop_at(self, error: str) -> None:
        self._error = self._error or error
        self._end(f"stopped before it: {error}")

    def _fail(self, error: Exception) -> None:
        """Note an error on this side of the wire: a full disk, a thread that cannot be started."""
        # Errors of the network are RemoteErrors by now, so this one is of the disk.
        if isinstance(error, OSError):
            self._stop_at(f"the journal cannot be written any more: {error.strerror or error}")
            return
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}, line {last.lineno}"
        self._stop_at(f"an error of this tool: {type(error).__name__}: {error} ({place})")

    def _await_calls(self) -> None:
        """Let the calls under way finish: what they did is part of the account."""
        while self._under_way:
            self._clock.wait(_MOMENT, _NEVER)
