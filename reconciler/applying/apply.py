"""apply: the loop round `judge`, and the one end that every apply has.

Workers make calls and append what came back. `judge`, a pure function, says what became of every
Change and what to do next. Whatever ends the loop, an error of this tool included, the end is the
same: the answers so far are judged, the ledger is concluded and the report is made.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Final

from reconciler.applying.calls import Caller, Halt
from reconciler.applying.journal import Journal
from reconciler.applying.stale import delete_changes
from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import Interrupted, LedgerError, RemoteError
from reconciler.ledger.stores import HeldLedger
from reconciler.model import Finding, Ledger, Listing
from reconciler.planning.account import opened, warnings_of
from reconciler.planning.conclude import concluded, in_doubt, removed
from reconciler.planning.hints import warning
from reconciler.planning.operations import Operation, Patch, Remove, operations
from reconciler.planning.outcome import Answer, Fate, Report, Verdict
from reconciler.planning.plan import Delete, Plan
from reconciler.planning.sight import Sight, Situation
from reconciler.planning.steps import Look, judge
from reconciler.remote.client import Client
from reconciler.report.history import doubt_message, final_message

_NOT_CONVERGED: Final = frozenset({Code.SERVER_KEEPS, Code.CREATED_TWICE, Code.LEDGER_NOT_WRITTEN})
_MAY_BE_GONE: Final = (Fate.APPLIED, Fate.UNKNOWN)
_INTERRUPTED: Final = "the apply was interrupted before it"
# Seconds between two looks at the calls that are under way.
_MOMENT: Final = 0.05
_NOTICEABLE: Final = 1.0
# Never set: waiting for calls under way must not be cut short by an interrupt.
_NEVER: Final = Event()

Remains = Callable[[Listing, Ledger], Plan]
"""Plans once more, from the closing list and the new ledger: what is still to be done."""


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


def carry_out(plan: Plan, ledger: Ledger, means: Means, remains: Remains | None = None) -> Report:
    """Make the calls of `plan` and report what became of every Change.

    `ledger` is what is known now. The plan is taken as approved: guards and staleness are judged
    before. Raises LedgerNotWritten if the doubts cannot be recorded; then nothing was sent.
    `remains` proves convergence by a second plan that must be empty; without it, the touched
    products alone are proof.
    """
    started = stamp(means.client.clock.utc())
    run = _Run(plan, ledger, means)
    if plan.changes:
        # Before the first write: a crash at any later instruction then leaves doubts, not lies
        # (P3).
        means.held.save(run.doubts, message=doubt_message(plan), removed=run.to_be_removed)
        means.on_write()
        run.go()
    return run.end(started, remains)


class _Run:
    """One run of a plan: the answers so far, and the last list."""

    def __init__(self, plan: Plan, ledger: Ledger, means: Means) -> None:
        self._plan = plan
        self._ledger = ledger
        self._means = means
        self._client = means.client
        self._clock = means.client.clock
        self.doubts = in_doubt(ledger, plan)
        # Kept before the first delete, so that a crash right after it loses nothing.
        deletes = [change for change in plan.changes if isinstance(change, Delete)]
        self.to_be_removed = removed(ledger, deletes, stamp(self._clock.utc()))
        self._calls = operations(plan, batch=means.batch)
        # The list may lag behind the ledger, so an id that only the ledger knows is no new one
        # either.
        self._before = frozenset(means.listed) | ledger.products.keys()
        started, utc = self._clock.now(), self._clock.utc()
        self._opened = opened(plan, ledger, started, utc, self._client.settle)
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

    # The loop ------------------------------------------------------------------------------------

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
        self._sight = Sight.of(listing, self._plan, self._before, after=after, asked=asked)

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

    # What ends a run -----------------------------------------------------------------------------

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

    # The end -------------------------------------------------------------------------------------

    def end(self, started: str, remains: Remains | None) -> Report:
        """Judge the answers so far, conclude the ledger, and account for every Change."""
        if self._error is not None:
            self._last_look()
        situation = self._situation()
        judgement = judge(situation)
        verdicts = judgement.verdicts
        # A list that is older than the last answer does not prove what that answer did.
        sight = self._sight if self._sight and self._sight.after == len(self._answers) else None
        warnings = [*self._plan.warnings, *warnings_of(situation, verdicts)]
        if sight is None and self._plan.changes and not self._client.stop.is_set():
            warnings.append(_not_verified(self._blind or self._error))
        final = self._concluded(verdicts, sight)
        if self._plan.changes or final != self._ledger:
            warnings += self._save(final, verdicts)
        client = self._client
        return Report(
            store=self._plan.store,
            plan_digest=self._plan.digest,
            started_at=started,
            finished_at=stamp(self._clock.utc()),
            outcomes=tuple(verdicts[c.store_id].outcome for c in self._plan.changes),
            requests={
                method: client.calls[method]
                for method in ("GET", "POST", "PATCH", "DELETE", "retries")
            },
            converged=self._converged(verdicts, sight, final, remains, warnings),
            warnings=tuple(warnings),
            interrupted=client.stop.is_set(),
            error=None if _all_applied(verdicts) else self._error,
            wrote=judgement.wrote,
            unconfirmed=self._plan.unconfirmed,
        )

    def _concluded(self, verdicts: Mapping[str, Verdict], sight: Sight | None) -> Ledger:
        """The ledger after all this; products that neither list has are forgotten."""
        present: Collection[str | None] | None = None
        if sight is not None:
            # One list may lag: a product is forgotten only if the plan's list lacked it too.
            present = {product.id for product in sight.listing.products} | set(self._means.listed)
        utc, now = self._clock.utc(), self._clock.now()
        return concluded(
            self._ledger,
            self._plan,
            verdicts.values(),
            now=now,
            utc=lambda moment: stamp(utc + timedelta(seconds=moment - now)),
            present=present,
        )

    def _save(self, final: Ledger, verdicts: Mapping[str, Verdict]) -> list[Finding]:
        """Write the final ledger; return a warning if that fails: the doubts then stand safely."""
        message = final_message(self._plan, verdicts.values())
        # A delete whose answer was lost may have happened, so its copy is kept too (P3).
        gone = [r for r in self.to_be_removed if verdicts[r.store_id].fate in _MAY_BE_GONE]
        try:
            self._means.held.save(final, message=message, last=True, removed=gone)
        except (LedgerError, OSError) as error:
            return [
                warning(
                    Code.LEDGER_NOT_WRITTEN,
                    f"{error} What was sent is remembered as in doubt, and will be sent again.",
                )
            ]
        return []

    def _converged(
        self,
        verdicts: Mapping[str, Verdict],
        sight: Sight | None,
        final: Ledger,
        remains: Remains | None,
        warnings: list[Finding],
    ) -> bool | None:
        """Whether the remote now equals the catalogue; None if that could not be looked at."""
        if self._plan.changes and sight is None:
            return None
        told = any(finding.code in _NOT_CONVERGED for finding in warnings)
        if self._plan.blocked or told or not _all_applied(verdicts):
            return False
        if remains is None or sight is None:
            return True
        try:
            left = remains(sight.listing, final)
        # Everything was applied by now: an error in the proof must not make that a failure.
        except Exception as error:
            warnings.append(_not_verified(f"{type(error).__name__}: {error}"))
            return None
        if left.changes or left.blocked:
            warnings.append(
                warning(
                    Code.CHANGED_MEANWHILE,
                    "Everything was applied, but the remote differs again: somebody else changes "
                    "it. Plan again to see what.",
                )
            )
            return False
        return True


def _all_applied(verdicts: Mapping[str, Verdict]) -> bool:
    return all(verdict.fate is Fate.APPLIED for verdict in verdicts.values())


def _not_verified(reason: str | None) -> Finding:
    return warning(
        Code.NOT_VERIFIED,
        f"The closing list could not be read, so nothing is proven: {reason or 'it was not asked'}",
    )
