"""`reconciler rehearse`."""

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, Rendering, pass_invocation, planning, rendering
from reconciler.cli.target import Target, target
from reconciler.errors import GuardRefused

if TYPE_CHECKING:
    from reconciler import reconcile

NOT_CONVERGED: Final = 5
"""The exit code if every call went well, and a second plan is not empty all the same."""


@named("rehearse")
@click.argument("planfile", type=FILE, required=False)
@target()
@planning(applying=True)
@click.option(
    "--faults", type=FILE, metavar="FILE", help="Let the copy misbehave as this JSON file says."
)
@rendering(["text", "json"])
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    options: "reconcile.Options",
    planfile: Path | None,
    faults: Path | None,
    rendering: Rendering,
) -> int:
    """Apply a plan to a copy of the remote, in a sandbox.

    Reads the remote once, copies it into a sandbox in memory, and applies the plan there, or the
    PLANFILE that `plan --out` saved. Prints the report of that run, what it would destroy, and
    whether a second plan is empty. Writes nothing to the remote, the ledger or the journal. The
    exit code is the one that `apply` would have.
    """
    from reconciler.cli.apply import plan_and_target
    from reconciler.cli.signals import stopping
    from reconciler.reconcile.rehearse import rehearse
    from reconciler.report.output import write_output
    from reconciler.report.rehearsal_text import rehearsed_json, rehearsed_text
    from reconciler.sandbox.fault_file import read_schedule

    # Before the remote is read, since a bad file should fail at once.
    schedule = None if faults is None else read_schedule(faults)
    saved, target = plan_and_target(planfile, target, options, invocation)
    stop = Event()
    with stopping(stop, invocation.console), target.open(invocation, stop) as store:
        done = rehearse(store, options, saved=saved, faults=schedule)
    invocation.progress.finish()
    report = done.result
    if isinstance(report, GuardRefused):
        # The exit code is that of `apply`, which refuses with an error.
        raise report
    is_json = rendering.format == "json"
    if is_json:
        text = rehearsed_json(done.plan, report, converges=done.converges)
    else:
        console, to_stdout = invocation.console, rendering.output is None
        text = rehearsed_text(
            done.plan,
            report,
            converges=done.converges,
            color=console.stdout_color and to_stdout,
            width=console.width if to_stdout else None,
        )
    # As JSON it holds whole records of the remote.
    write_output(text, rendering.output, private=is_json)
    return report.exit_code or (0 if done.converges else NOT_CONVERGED)
