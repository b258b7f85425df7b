"""`reconciler plan`."""

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import (
    FILE,
    Rendering,
    Target,
    detailed_exitcode,
    pass_invocation,
    planning,
    rendering,
    target,
)

if TYPE_CHECKING:
    from reconciler import reconcile

CHANGES = 2
"""The exit code of --detailed-exitcode for a plan that has changes."""


@named("plan")
@target()
@planning()
@rendering()
@click.option(
    "--out", type=FILE, metavar="FILE", help="Save the plan, for `reconciler apply FILE`."
)
@detailed_exitcode
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    options: "reconcile.Options",
    rendering: Rendering,
    out: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what would change at the remote.

    Lists the remote, compares it with the catalogue and prints the difference. Writes nothing to
    the remote or to the ledger. If apply would refuse the plan, that is shown with the flag that
    allows it, and does not fail this command.
    """
    from reconciler import reconcile
    from reconciler.cli.showing import distinct_files, made_now, save_plan, show_saved
    from reconciler.cli.signals import stopping

    distinct_files(out=out, output=rendering.output)
    stop = Event()
    with (
        stopping(stop, invocation.console),
        target.open(invocation, stop) as store,
    ):
        plan = reconcile.plan(store, options)
        invocation.progress.finish()
        made = made_now(plan, invocation, store.endpoint)
        if out is not None:
            save_plan(made, out, invocation)
        show_saved(made, rendering, invocation)
    return CHANGES if detailed_exitcode and plan.changes else 0
