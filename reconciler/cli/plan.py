"""`reconciler plan`."""

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.metrics import measuring, metrics_option
from reconciler.cli.options import (
    FILE,
    Rendering,
    detailed_exitcode,
    pass_invocation,
    planning,
    rendering,
)
from reconciler.cli.target import Target, target

if TYPE_CHECKING:
    from reconciler import reconcile
    from reconciler.planning.plan import Plan, Rehearsal
    from reconciler.reconcile.store import Store

CHANGES = 2
"""The exit code of --detailed-exitcode for a plan that has changes."""


@named("plan")
@target()
@planning()
@rendering(summary=True)
@click.option(
    "--out", type=FILE, metavar="FILE", help="Save the plan, for `reconciler apply FILE`."
)
@click.option(
    "--rehearse",
    is_flag=True,
    help="Also apply it to a copy of the remote, and say what came of it.",
)
@metrics_option
@detailed_exitcode
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    options: "reconcile.Options",
    rendering: Rendering,
    out: Path | None,
    rehearse: bool,
    metrics: Path | None,
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

    # The second one written would replace the first without a word.
    distinct_files(out=out, output=rendering.output, metrics=metrics)
    stop = Event()
    with (
        stopping(stop, invocation.console),
        target.open(invocation, stop) as store,
        measuring(metrics, store) as measured,
    ):
        rehearsal = None
        if rehearse:
            plan, rehearsal = _rehearsed(store, options)
        else:
            plan = reconcile.plan(store, options)
        measured.note(plan)
        invocation.progress.finish()
        made = replace(made_now(plan, invocation, store.endpoint), rehearsal=rehearsal)
        # Saved first: if the rendering fails, the plan that was read is still there.
        if out is not None:
            save_plan(made, out, invocation)
        show_saved(made, rendering, invocation)
    return CHANGES if detailed_exitcode and plan.changes else 0


def _rehearsed(store: "Store", options: "reconcile.Options") -> "tuple[Plan, Rehearsal | None]":
    """The plan, and how it went on a copy of the remote; None if a guard refuses it."""
    from reconciler.reconcile.rehearse import rehearse

    # That the commit is old never fails a plan.
    done = rehearse(store, replace(options, allow_older=True))
    return done.plan, done.rehearsal
