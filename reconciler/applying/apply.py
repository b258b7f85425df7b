"""apply: what is recorded before the first write, the loop, and the one end that every apply has.

Whatever ended the loop, an error of this tool included, the end is the same: the answers so far are
judged, the ledger is concluded and the report is made.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from reconciler.applying.loop import Loop, Means
from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import LedgerError
from reconciler.model import Finding, Ledger, Listing, Removed
from reconciler.planning.account import warnings_of
from reconciler.planning.conclude import concluded, in_doubt, removed
from reconciler.planning.hints import warning
from reconciler.planning.outcome import Fate, Report, Verdict
from reconciler.planning.plan import Delete, Plan
from reconciler.planning.sight import Sight
from reconciler.planning.steps import judge
from reconciler.report.history import doubt_message, final_message

_NOT_CONVERGED: Final = frozenset({Code.SERVER_KEEPS, Code.CREATED_TWICE, Code.LEDGER_NOT_WRITTEN})
_MAY_BE_GONE: Final = (Fate.APPLIED, Fate.UNKNOWN)
_METHODS: Final = ("GET", "POST", "PATCH", "DELETE", "retries")

Remains = Callable[[Listing, Ledger], Plan]
"""Plans once more, from the closing list and the new ledger: what is still to be done."""


def carry_out(plan: Plan, ledger: Ledger, means: Means, remains: Remains | None = None) -> Report:
    """Make the calls of `plan` and report what became of every Change.

    `ledger` is what is known now. The plan is taken as approved: guards and staleness are judged
    before. Raises LedgerNotWritten if the doubts cannot be recorded; then nothing was sent.
    `remains` proves convergence by a second plan that must be empty; without it, the touched
    products alone are proof.
    """
    started = stamp(means.client.clock.utc())
    loop = Loop(plan, ledger, means)
    deletes = [change for change in plan.changes if isinstance(change, Delete)]
    removing = removed(ledger, deletes, started)
    if plan.changes:
        # Before the first write: a crash at any later instruction then leaves doubts, not lies, and
        # a copy of what was deleted (P3).
        doubts = in_doubt(ledger, plan)
        means.held.save(doubts, message=doubt_message(plan), removed=removing)
        means.on_write()
        loop.go()
    return _end(loop, plan, ledger, means, removing, started, remains)


def _end(
    loop: Loop,
    plan: Plan,
    ledger: Ledger,
    means: Means,
    removing: Sequence[Removed],
    started: str,
    remains: Remains | None,
) -> Report:
    """Judge the answers, conclude the ledger, and account for every Change."""
    client = means.client
    situation, error, unproven = loop.ended()
    judgement = judge(situation)
    verdicts = judgement.verdicts
    sight = situation.closing_sight
    warnings = [*plan.warnings, *warnings_of(situation, verdicts)]
    if sight is None and plan.changes and not client.stop.is_set():
        warnings.append(_not_verified(unproven))
    final = _concluded(plan, ledger, means, verdicts, sight)
    if plan.changes or final != ledger:
        warnings += _save(final, plan, means, verdicts, removing)
    applied = all(verdict.fate is Fate.APPLIED for verdict in verdicts.values())
    converged: bool | None = None
    if sight is not None or not plan.changes:
        told = any(finding.code in _NOT_CONVERGED for finding in warnings)
        converged = applied and not told and not plan.blocked
    if converged and remains is not None and sight is not None:
        converged, unlike = _proven(remains, sight.listing, final)
        warnings += unlike
    return Report(
        store=plan.store,
        plan_digest=plan.digest,
        started_at=started,
        finished_at=stamp(client.clock.utc()),
        outcomes=tuple(verdicts[change.store_id].outcome for change in plan.changes),
        requests={method: client.calls[method] for method in _METHODS},
        converged=converged,
        warnings=tuple(warnings),
        interrupted=client.stop.is_set(),
        error=None if applied else error,
        wrote=judgement.wrote,
        unconfirmed=plan.unconfirmed,
        partial=remains is None,
    )


def _concluded(
    plan: Plan,
    ledger: Ledger,
    means: Means,
    verdicts: Mapping[str, Verdict],
    sight: Sight | None,
) -> Ledger:
    """The ledger after all this; products that neither list has are forgotten."""
    present: Collection[str | None] | None = None
    if sight is not None:
        # One list may lag: a product is forgotten only if the plan's list lacked it too.
        present = {product.id for product in sight.listing.products} | set(means.listed)
    utc, now = means.client.clock.utc(), means.client.clock.now()
    return concluded(
        ledger,
        plan,
        verdicts.values(),
        now=now,
        utc=lambda moment: stamp(utc + timedelta(seconds=moment - now)),
        present=present,
        settle=means.client.settle,
    )


def _save(
    final: Ledger,
    plan: Plan,
    means: Means,
    verdicts: Mapping[str, Verdict],
    removing: Sequence[Removed],
) -> list[Finding]:
    """Write the final ledger; return a warning if that fails: the doubts then stand safely."""
    # A delete whose answer was lost may have happened, so its copy is kept too (P3).
    gone = [record for record in removing if verdicts[record.store_id].fate in _MAY_BE_GONE]
    message = final_message(plan, verdicts.values())
    try:
        means.held.save(final, message=message, last=True, removed=gone)
    except (LedgerError, OSError) as error:
        said = f"{error} What was sent is remembered as in doubt, and will be sent again."
        return [warning(Code.LEDGER_NOT_WRITTEN, said)]
    return []


def _proven(remains: Remains, listing: Listing, final: Ledger) -> tuple[bool | None, list[Finding]]:
    """Whether a second plan is empty; None if it cannot be made."""
    try:
        left = remains(listing, final)
    # Everything was applied by now: an error in the proof must not make that a failure.
    except Exception as error:
        return None, [_not_verified(f"{type(error).__name__}: {error}")]
    if not left.changes and not left.blocked:
        return True, []
    said = (
        "Everything was applied, but the remote differs again: somebody else changes it. Plan "
        "again to see what."
    )
    return False, [warning(Code.CHANGED_MEANWHILE, said)]


def _not_verified(reason: str | None) -> Finding:
    return warning(
        Code.NOT_VERIFIED,
        f"The closing list could not be read, so nothing is proven: {reason or 'it was not asked'}",
    )
