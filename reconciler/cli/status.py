"""`reconciler status`."""

import time
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import detailed_drift, format_option, pass_invocation
from reconciler.cli.target import Target, target
from reconciler.planning.overview import COMPARED, Problem

if TYPE_CHECKING:
    from reconciler.planning.live import Live
    from reconciler.planning.overview import Overview
    from reconciler.planning.plan import Plan
    from reconciler.reconcile.store import Store

_SAMPLE: Final = 20


class _ProblemChoice(Choice):
    """A problem's name, with dashes or underscores."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The problem, if it is known."""
        return super().convert(str(value).replace("_", "-"), param, ctx)


@named("status")
@target()
@format_option(["text", "json", "prometheus"])
@click.option(
    "--list",
    "listed",
    type=_ProblemChoice([problem.value for problem in Problem]),
    metavar="PROBLEM",
    help=f"List the products with this problem: {', '.join(problem.value for problem in Problem)}.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Ask, as product pages do, whether declared products are found; needs `domain`.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many products --live asks for. Default: 20.",
)
@detailed_drift
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    format: str,
    listed: str | None,
    live: bool,
    sample: int | None,
    detailed_exitcode: bool,
) -> int:
    """Show the remote catalogue at a glance.

    Counts its products by status and by type of problem: no image, no size chart, no fabric, not
    active, and, if there is a catalogue, not declared, unconfirmed, drifted, blocked or against a
    rule of the policy. Writes nothing.
    """
    from reconciler.cli.signals import stopping
    from reconciler.errors import UsageError
    from reconciler.reconcile.live import look_live
    from reconciler.reconcile.status import drift_code, status, status_with_plan

    if sample is not None and not live:
        raise UsageError("--sample says how many products --live asks for: give both.")
    if live and format == "prometheus":
        raise UsageError("--live has no prometheus format.", hint="Use --format text or json.")
    problem = Problem(listed) if listed else None
    stop, plan, pages = Event(), None, None
    with stopping(stop, invocation.console), target.open(invocation, stop) as store:
        if detailed_exitcode or format == "prometheus":
            seen, plan = status_with_plan(store)
        else:
            seen = status(store)
        if live:
            pages = look_live(store, sample or _SAMPLE)
    invocation.progress.finish()
    # An empty list would read as "no such problem".
    if seen.declared is None and problem in COMPARED:
        raise UsageError(
            f"Only with a catalogue can a product be called {problem}.",
            hint="Go to the folder with the catalogue, or name it with --catalog.",
        )
    if plan is not None and format == "prometheus":
        _write_metrics(plan, store)
    else:
        _write(seen, problem, pages, format, invocation)
    return drift_code(plan) if plan is not None and detailed_exitcode else 0


def _write(
    seen: "Overview",
    problem: Problem | None,
    live: "Live | None",
    format: str,
    invocation: Invocation,
) -> None:
    from reconciler.report.live_text import live_text
    from reconciler.report.output import write_stdout
    from reconciler.report.overview_text import overview_json, overview_text

    if format == "json":
        write_stdout(overview_json(seen, problem, live))
        return
    console = invocation.console
    look: dict[str, Any] = {"width": console.width, "color": console.stdout_color}
    write_stdout(overview_text(seen, problem, ascii=console.ascii, **look))
    if live is not None:
        write_stdout(f"\n{live_text(live)}")


def _write_metrics(plan: "Plan", store: "Store") -> None:
    from reconciler.report.output import write_stdout
    from reconciler.watch.metrics import Meters

    meters = Meters()
    meters.planned(plan, at=time.time())
    meters.called(store.name, store.client.outcomes)
    write_stdout(meters.text())
