"""What came of a rehearsal, as text and as JSON: what it would destroy, and the report of it."""

from collections.abc import Iterator
from typing import Final

from reconciler.planning.outcome import Report
from reconciler.planning.plan import Delete, Plan, Rehearsal
from reconciler.report.json_text import json_text
from reconciler.report.report_json import report_document
from reconciler.report.report_text import report_text
from reconciler.report.style import Style
from reconciler.report.words import clip, destroyed, plural, rehearsal_text, shown

_FORMAT: Final = "reconciler.rehearsal/1"
_RECORD_LIMIT: Final = 200


def rehearsed_text(
    plan: Plan, report: Report, *, converges: bool, color: bool = False, width: int | None = None
) -> str:
    """The account of an apply to the copy; `width` is in columns, None for a pipe."""
    style = Style(color)
    lines = [
        style.bold(
            f"On a copy of {plural(plan.remote_products, 'product')} of the store "
            f"{shown(plan.store)}; at the remote nothing was changed."
        ),
        "",
        *_destroyed_lines(plan, style),
    ]
    said = report_text(report, color=color, width=width)
    rehearsal = rehearsal_text(Rehearsal(report.calls, converges))
    lines.append(said + (style.green(rehearsal) if converges else style.yellow(rehearsal)))
    if converges:
        lines.append("A second plan is empty.")
    return "\n".join(lines) + "\n"


def rehearsed_json(plan: Plan, report: Report, *, converges: bool) -> str:
    """The same as JSON."""
    return json_text(
        {
            "format": _FORMAT,
            "store": plan.store,
            "plan_digest": plan.digest,
            "summary": plan.summary._asdict(),
            "calls": report.calls,
            "converges": converges,
            "destroys": [
                {
                    "store_id": change.store_id,
                    "id": change.id,
                    "name": change.name,
                    "fields": [key for key, _ in destroyed(change.record)],
                }
                for change in _deletes(plan)
            ],
            "report": report_document(report),
        }
    )


def _deletes(plan: Plan) -> Iterator[Delete]:
    return (change for change in plan.changes if isinstance(change, Delete))


def _destroyed_lines(plan: Plan, style: Style) -> list[str]:
    """The products that deletes remove, each with what was entered by hand."""
    lines = []
    for change in _deletes(plan):
        name = "(no name)" if change.name is None else shown(change.name)
        lines.append(style.red(f"  {shown(change.store_id)} {name}"))
        lines += [
            f"      {key}: {clip(value, _RECORD_LIMIT)}" for key, value in destroyed(change.record)
        ]
    return [style.bold("Would be destroyed:"), *lines, ""] if lines else []
