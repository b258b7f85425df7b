"""`reconciler status`."""

from threading import Event
from typing import Any

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Target, pass_invocation, target
from reconciler.planning.overview import COMPARED, Problem


class _ProblemChoice(Choice):
    """A problem's name, with dashes or underscores."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The problem, if it is known."""
        return super().convert(str(value).replace("_", "-"), param, ctx)


@named("status")
@target()
@click.option(
    "--format",
    type=Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The output format.",
)
@click.option(
    "--list",
    "listed",
    type=_ProblemChoice([problem.value for problem in Problem]),
    help="List the products with this problem.",
)
@pass_invocation
def command(invocation: Invocation, target: Target, format: str, listed: str | None) -> int:
    """Show the remote catalogue at a glance.

    Counts its products by status and by type of problem: no image, no size chart, no fabric, not
    active, and, if there is a catalogue, not declared, unconfirmed, drifted or blocked. Writes
    nothing.
    """
    from reconciler.cli.signals import stopping
    from reconciler.errors import UsageError
    from reconciler.reconcile.status import status
    from reconciler.report.output import write_stdout
    from reconciler.report.overview_text import overview_json, overview_text

    problem = Problem(listed) if listed else None
    stop = Event()
    with stopping(stop, invocation.console), target.open(invocation, stop) as store:
        seen = status(store)
    invocation.progress.finish()
    if seen.declared is None and problem in COMPARED:
        raise UsageError(
            f"Only with a catalogue can a product be called {problem}.",
            hint="Go to the folder with the catalogue, or name it with --catalog.",
        )
    if format == "json":
        write_stdout(overview_json(seen, problem))
    else:
        console = invocation.console
        look: dict[str, Any] = {"width": console.width, "color": console.stdout_color}
        write_stdout(overview_text(seen, problem, ascii=console.ascii, **look))
    return 0
