"""A fleet as an index page: a row for each store, with a link to the page of its plan."""

from collections.abc import Mapping, Sequence

from reconciler.report.escape import break_commands
from reconciler.report.fleet_results import FleetAction, StoreResult, worst_code, worst_first
from reconciler.report.fleet_text import counts_text, sum_text, takeover_text
from reconciler.report.html import page_template


def fleet_html(
    results: Sequence[StoreResult],
    action: FleetAction,
    *,
    pages: Mapping[str, str],
    seconds: float,
    made: str,
) -> str:
    """The index of a fleet, worst first; `pages` are the links to the stores' own pages."""
    rows = [
        {
            "store": result.store,
            # A store that failed has no plan, and so no page to link.
            "page": pages.get(result.store),
            "counts": counts_text(result.summary) or ("" if result.error else "nothing to change"),
            "error": result.error,
            "notes": result.notes,
            "takeover": takeover_text(result.takeovers) if result.takeovers else None,
            "refused": result.refused,
            "code": result.exit_code,
            "seconds": f"{result.seconds:.1f}",
        }
        for result in worst_first(results)
    ]
    page = page_template("fleet.html").render(
        action=action,
        rows=rows,
        summary=sum_text(results, action, seconds),
        code=worst_code(results),
        made=made,
    )
    # A pipeline that prints the page into its log must not obey it.
    return break_commands(page, "&#35;")
