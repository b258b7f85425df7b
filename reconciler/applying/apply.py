"""apply: carry out a plan, settle what is open, prove the result, remember and report it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.applying.execute import Execution
from reconciler.applying.journal import Journal
from reconciler.applying.renames import rename
from reconciler.applying.settle import look_before_creating, settle
from reconciler.applying.verify import Verification, verify
from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import LedgerError
from reconciler.ledger.stores import HeldLedger
from reconciler.model import Finding, Ledger, Listing, Record
from reconciler.planning.hints import warning
from reconciler.planning.memory import concluded, in_doubt
from reconciler.planning.operations import Operations, operations
from reconciler.planning.outcome import Fate, Report, Track
from reconciler.planning.plan import Plan
from reconciler.remote.client import Client

_NOT_CONVERGED: Final = frozenset({Code.SERVER_KEEPS, Code.CREATED_TWICE, Code.LEDGER_NOT_WRITTEN})

Remains = Callable[[Listing, Ledger], Plan]
"""Plans once more, from the closing list and the new ledger: what is still to be done."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an apply works with."""

    client: Client
    memory: HeldLedger
    journal: Journal
    batch: int
    on_write: Callable[[], None] = lambda: None
    """Called once, when the first write is about to be made."""
    listed: Collection[str | None] | None = None
    """The ids that the remote had before; needed only where the plan creates something."""


def carry_out(plan: Plan, ledger: Ledger, means: Means, remains: Remains | None = None) -> Report:
    """Make the calls of `plan` and report what became of every Change.

    `ledger` is what is remembered now. The plan is taken as approved: guards and staleness are
    judged before. Raises LedgerNotWritten where the doubts cannot be recorded; then nothing was
    sent. `remains` proves convergence by a second plan that must be empty; without it, the touched
    products alone are proof.
    """
    client, clock = means.client, means.client.clock
    started, started_at = clock.now(), stamp(clock.utc())
    execution = Execution(plan, client, means.journal, means.listed)
    verification = Verification()
    final = ledger
    if plan.changes:
        doubts = in_doubt(ledger, plan)
        means.memory.save(doubts, message=_doubt_message(plan))
        means.on_write()
        early = _execute(execution, operations(plan, batch=means.batch), ledger, started)
        if not client.stop.is_set():
            verification = verify(execution)
        verification.warnings[:0] = early
        _explain_rest(execution)
        final = concluded(
            doubts, plan, execution.tracks.values(), before=ledger, closing=verification.closing
        )
    else:
        final = concluded(ledger, plan, (), before=ledger)
    warnings = [*plan.warnings, *verification.warnings]
    if final != ledger or plan.changes:
        warnings += _save(means.memory, final, _final_message(plan, execution))
    converged = _converged(plan, execution, verification, final, remains, warnings)
    return Report(
        store=plan.store,
        plan_digest=plan.digest,
        started_at=started_at,
        finished_at=stamp(clock.utc()),
        outcomes=tuple(execution.tracks[change.store_id].outcome for change in plan.changes),
        requests={
            method: client.calls[method] for method in ("GET", "POST", "PATCH", "DELETE", "retries")
        },
        converged=converged,
        warnings=tuple(warnings),
        interrupted=client.stop.is_set(),
        error=execution.halted.message if execution.halted else None,
        wrote=execution.parked or any(track.landed for track in execution.tracks.values()),
    )


def _execute(
    execution: Execution, calls: Operations, ledger: Ledger, started: float
) -> list[Finding]:
    """Make the calls. What comes before the deletes is proven before them, since they are final."""
    verification = Verification()
    progress = execution.client.progress
    progress.start("Applying", len(execution.tracks))
    try:
        rename(execution, calls.renames)
        execution.update(calls.updates)
        execution.create(look_before_creating(execution, calls.creates, ledger, started))
        settle(execution)
        records: Mapping[str, Record] | None = None
        if calls.deletes and len(calls) > len(calls.deletes) and not execution.stopped:
            verification = verify(execution)
            ids = [removal.change.id for removal in calls.deletes]
            records = verification.closing.records(ids) if verification.closing else {}
        execution.delete(calls.deletes, records)
    finally:
        progress.finish()
    return verification.warnings


def _explain_rest(execution: Execution) -> None:
    """Every Change that did not end says why."""
    reason = "interrupted before it"
    if execution.halted is not None:
        reason = f"stopped before it: {execution.halted.message}"
    for track in execution.tracks.values():
        if track.fate is Fate.NOT_ATTEMPTED:
            track.error = track.error or reason
            if track.landed:
                track.fate, track.error = Fate.FAILED, f"applied in part: {track.error}"


def _save(memory: HeldLedger, ledger: Ledger, message: str) -> list[Finding]:
    """Write the final ledger. Where that fails the doubts stand, which is safe; it is said."""
    try:
        memory.save(ledger, message=message, last=True)
    except LedgerError as error:
        return [
            warning(
                Code.LEDGER_NOT_WRITTEN,
                f"{error.message} What was sent is remembered as in doubt, and will be sent again.",
            )
        ]
    return []


def _converged(
    plan: Plan,
    execution: Execution,
    verification: Verification,
    ledger: Ledger,
    remains: Remains | None,
    warnings: list[Finding],
) -> bool | None:
    """Whether the remote now equals the catalogue; None where that could not be looked at."""
    tracks: list[Track] = list(execution.tracks.values())
    if plan.changes and verification.closing is None:
        return None
    told = any(finding.code in _NOT_CONVERGED for finding in warnings)
    if plan.blocked or told or any(track.fate is not Fate.APPLIED for track in tracks):
        return False
    if remains is None or verification.closing is None:
        return True
    left = remains(verification.closing, ledger)
    if left.changes or left.blocked:
        warnings.append(
            warning(
                Code.CHANGED_MEANWHILE,
                "Everything was applied, but the remote differs again: somebody else changes it. "
                "Plan again to see what.",
            )
        )
        return False
    return True


def _doubt_message(plan: Plan) -> str:
    return f"Begin {_counts(plan)}\n\n{_trailer(plan)}"


def _final_message(plan: Plan, execution: Execution) -> str:
    applied = sum(1 for track in execution.tracks.values() if track.fate is Fate.APPLIED)
    if not plan.changes:
        return f"Adopt {len(plan.adoptions)}, nothing to change\n\n{_trailer(plan)}"
    return f"Apply {_counts(plan)}: {applied} of {len(plan.changes)} done\n\n{_trailer(plan)}"


def _counts(plan: Plan) -> str:
    summary = plan.summary
    return f"{summary.create} created, {summary.update} updated, {summary.delete} deleted"


def _trailer(plan: Plan) -> str:
    commit = plan.catalog.commit or "none"
    return f"Plan-Digest: {plan.digest}\nCatalogue-Commit: {commit}\n"
