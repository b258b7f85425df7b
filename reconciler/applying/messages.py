"""The subjects and trailers of what an apply writes into the ledger's history."""

from collections.abc import Iterable

from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Plan


def doubt_message(plan: Plan) -> str:
    """What the first save of an apply says."""
    return f"Begin {_counts(plan)}\n\n{_trailer(plan)}"


def final_message(plan: Plan, verdicts: Iterable[Verdict]) -> str:
    """What the last save of an apply says."""
    if not plan.changes:
        return f"Adopt {len(plan.adoptions)}, nothing to change\n\n{_trailer(plan)}"
    applied = sum(1 for verdict in verdicts if verdict.fate is Fate.APPLIED)
    return f"Apply {_counts(plan)}: {applied} of {len(plan.changes)} done\n\n{_trailer(plan)}"


def _counts(plan: Plan) -> str:
    summary = plan.summary
    return f"{summary.create} created, {summary.update} updated, {summary.delete} deleted"


def _trailer(plan: Plan) -> str:
    commit = plan.catalog.commit or "none"
    return f"Plan-Digest: {plan.digest}\nCatalogue-Commit: {commit}\n"
