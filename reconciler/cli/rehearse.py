"""`reconciler rehearse`."""

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, Target, pass_invocation, planning, target
from reconciler.errors import GuardRefused

if TYPE_CHECKING:
    from reconciler import reconcile

NOT_CONVERGED: Final = 5
"""The exit code if every call went well, and a second plan is not empty all the same."""


@named("rehearse")
@click.argument("planfile", type=FILE, required=False)
@target()
@planning()
@click.option(
    "--allow-older", is_flag=True, help="Permit a commit older than the one applied last."
)
@click.option(
    "--faults", type=FILE, metavar="FILE", help="Let the copy misbehave as this JSON file says."
)
@click.option(
    "--format",
    type=Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The output format.",
)
@click.option("--output", type=FILE, metavar="FILE", help="Write to this file instead of stdout.")
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    options: "reconcile.Options",
    planfile: Path | None,
    allow_older: bool,
    faults: Path | None,
    format: str,
    output: Path | None,
) -> int:
    """Apply a plan to a copy of the remote, in a sandbox.

    Reads the remote once, copies it into a sandbox in memory, and applies the plan there, or the
    PLANFILE that `plan --out` saved. Prints the report of that run, what it would destroy, and
    whether a second plan is empty. Writes nothing to the remote, the ledger or the journal. The
    exit code is the one that `apply` would have.
    """
    from dataclasses import replace

    from reconciler import reconcile
    from reconciler.cli.apply import check_saved, target_of
    from reconciler.cli.signals import stopping
    from reconciler.reconcile.rehearse import rehearse
    from reconciler.report.output import TO_OUTPUT, write_file, write_stdout
    from reconciler.report.rehearsal_text import rehearsed_json, rehearsed_text
    from reconciler.sandbox.fault_file import read_schedule

    check_saved(options, planfile)
    # Before the remote is read, since a bad file should fail at once.
    schedule = None if faults is None else read_schedule(faults)
    saved = None if planfile is None else reconcile.read_plan(planfile)
    if saved is not None:
        target = target_of(saved.plan, target, invocation)
    stop = Event()
    with stopping(stop, invocation.console), target.open(invocation, stop) as store:
        options = replace(options, allow_older=allow_older)
        done = rehearse(store, options, saved=saved, faults=schedule)
    invocation.progress.finish()
    report = done.result
    if isinstance(report, GuardRefused):
        # The exit code is that of `apply`, which refuses with an error.
        raise report
    console, to_stdout = invocation.console, output is None
    if format == "json":
        text = rehearsed_json(done.plan, report, converges=done.converges)
    else:
        text = rehearsed_text(
            done.plan,
            report,
            converges=done.converges,
            color=console.stdout_color and to_stdout,
            width=console.width if to_stdout else None,
        )
    if output is None:
        write_stdout(text, hint=TO_OUTPUT)
    else:
        # As JSON it holds whole records of the remote.
        write_file(output, text, private=format == "json")
    return report.exit_code or (0 if done.converges else NOT_CONVERGED)
