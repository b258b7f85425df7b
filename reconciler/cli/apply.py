"""`reconciler apply`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.metrics import measuring, metrics_option
from reconciler.cli.options import (
    FILE,
    detailed_exitcode,
    lock_timeout_option,
    pass_invocation,
    planning,
    yes_option,
)
from reconciler.cli.target import Target, target
from reconciler.errors import NotConfirmed, OutputError, UsageError

if TYPE_CHECKING:
    from reconciler import reconcile
    from reconciler.model import Finding
    from reconciler.planning.outcome import Report
    from reconciler.planning.plan import Plan
    from reconciler.report.plan_json import SavedPlan

CHANGED: Final = 2
"""The exit code of --detailed-exitcode if there were changes and all were applied."""


@named("apply")
@click.argument("planfile", type=FILE, required=False)
@target()
@planning(applying=True)
@yes_option
@click.option("--dry-run", is_flag=True, help="Print the calls; make none but the list.")
@click.option(
    "--report", type=FILE, metavar="FILE", help="Write what became of each change (JSON)."
)
@lock_timeout_option
@metrics_option
@detailed_exitcode
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    options: "reconcile.Options",
    planfile: Path | None,
    yes: bool,
    dry_run: bool,
    report: Path | None,
    lock_timeout: float,
    metrics: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Make the remote equal to the catalogue.

    Makes a plan, shows it, asks, and applies it. With PLANFILE, which `plan --out` saved, it
    applies that plan exactly as it was reviewed, or refuses. With --detailed-exitcode it exits
    with 2 if there were changes and all of them were applied.
    """
    from reconciler import reconcile
    from reconciler.cli.signals import stopping

    # A report that cannot be written should be known before the first write, not after the last.
    check_report(report, dry_run=dry_run)
    # A saved plan has been reviewed already.
    ask = not yes and planfile is None
    if ask and not dry_run:
        _check_terminal(invocation)
    saved, target = plan_and_target(planfile, target, options, invocation)
    stop = Event()
    with (
        stopping(stop, invocation.console) as stops,
        target.open(invocation, stop) as store,
        # A dry run applies nothing: its numbers would hide those of the last apply.
        measuring(None if dry_run else metrics, store) as measured,
    ):
        if dry_run:
            plan = reconcile.dry_run(store, options, saved)
            _print_calls(plan, invocation, target.api_path(invocation))
            return CHANGED if detailed_exitcode and plan.changes else 0

        def approve(plan: "Plan") -> bool:
            measured.note(plan)
            invocation.progress.finish()
            # A saved plan was seen, with its warnings, when it was reviewed.
            return saved is None and _shown_and_asked(plan, invocation, ask=ask)

        done = reconcile.apply(
            store,
            options,
            saved=saved,
            approve=approve,
            lock_timeout=lock_timeout,
            # Before the first write a signal may end all at once; after it calls are recorded first
            # (P3).
            on_write=stops.finish_first,
        )
        measured.report = done
        told = measured.plan.warnings if measured.plan and saved is None else ()
        code = _account(done, report, invocation, told=told)
    return code or (CHANGED if detailed_exitcode and done.outcomes else 0)


def check_saved(options: "reconcile.Options", planfile: Path | None) -> None:
    """Raise UsageError for options that would change a saved plan."""
    names = ("select", "prune", "resend", "base", "only")
    given = [f"--{name}" for name in names if getattr(options, name)]
    if planfile is not None and given:
        raise UsageError(
            f"{given[0]} has no effect on a saved plan, which is applied as it was reviewed.",
            hint=f"Give {', '.join(given)} to `reconciler plan --out {planfile}`.",
        )


def plan_and_target(
    planfile: Path | None, target: Target, options: "reconcile.Options", invocation: Invocation
) -> "tuple[SavedPlan | None, Target]":
    """The saved plan, if there is a PLANFILE, and the target, which is then the plan's.

    To be called before the store is opened, since another store may have no key here.
    """
    from reconciler import reconcile

    check_saved(options, planfile)
    if planfile is None:
        return None, target
    saved = reconcile.read_plan(planfile)
    # The plan names its store, so nobody has to repeat it, and cannot name another by mistake.
    return saved, _target_of(saved.plan, target, invocation)


def _target_of(plan: "Plan", target: Target, invocation: Invocation) -> Target:
    """The target of a saved plan, which names its store; OtherShop if `target` names another."""
    from reconciler import reconcile
    from reconciler.reconcile.store import SANDBOX

    if target.sandbox:
        reconcile.check_store(plan, SANDBOX)
        return target
    stores = invocation.settings.stores
    # A name that the settings do not have cannot be opened, so it is told as another shop.
    known = plan.store if plan.store in stores else ", ".join(stores)
    reconcile.check_store(plan, target.store or known)
    return replace(target, store=plan.store)


def check_report(report: Path | None, *, dry_run: bool) -> None:
    """Raise UsageError or OutputError if a report cannot be written, before anything is applied."""
    from reconciler.report.output import try_file

    if report is None:
        return
    if dry_run:
        raise UsageError(
            "--report and --dry-run contradict each other: a dry run applies nothing.",
            hint="Leave one of them out.",
        )
    try:
        try_file(report)
    except OutputError as error:
        raise OutputError(f"{error.message} Nothing was applied.", hint=error.hint) from None


def _check_terminal(invocation: Invocation) -> None:
    """Raise NotConfirmed if there is no terminal to ask on."""
    # Without a terminal the question might wait for ever.
    if not invocation.console.interactive:
        raise NotConfirmed(
            "There is no terminal to ask on, so nothing was applied.",
            hint="Give --yes to apply without asking, or apply a plan that was reviewed: "
            "`reconciler plan --out FILE`, then `reconciler apply FILE`.",
        )


def _shown_and_asked(plan: "Plan", invocation: Invocation, *, ask: bool) -> bool:
    """Show the plan, ask if `ask` is set, and return whether somebody was asked.

    Does not ask about a plan that a guard refuses. Raises NotConfirmed for any answer but yes.
    """
    from reconciler.cli.showing import TO_TERMINAL, show_plan
    from reconciler.report.output import REDIRECT
    from reconciler.report.words import deletes_text

    show_plan(plan, TO_TERMINAL, invocation, hint=REDIRECT)
    # Nobody should agree to what will be refused anyway.
    if not ask or not plan.changes or plan.refusals:
        return False
    number = len(plan.changes)
    changes = "this change" if number == 1 else f"these {number} changes"
    # Deletes cannot be taken back, so the question itself names them.
    if deletes := deletes_text(plan.changes):
        changes += f" ({deletes})"
    if not invocation.console.agreed(f"Apply {changes} to the store {plan.store!r}?"):
        raise NotConfirmed("Not confirmed, so nothing was applied.")
    return True


def _print_calls(plan: "Plan", invocation: Invocation, path: str) -> None:
    """Print the exact calls, one per line, and warn of what apply would refuse."""
    from reconciler.cli.showing import say_refusals
    from reconciler.report.calls_text import call_lines
    from reconciler.report.output import write_stdout

    invocation.progress.finish()
    # The plan's store: for a saved plan it may not be the one of the command line.
    batch = invocation.settings.for_store(plan.store).requests.batch
    write_stdout("".join(f"{line}\n" for line in call_lines(plan, path, batch)))
    say_refusals(plan, invocation)


def _account(
    report: "Report", file: Path | None, invocation: Invocation, *, told: Sequence["Finding"]
) -> int:
    """Write the report to its file and as text, and return the exit code of the apply.

    Prints its warnings on stderr, except those that were `told` with the plan. If one of the two
    cannot be written the other still is, and the exit code is not 0.
    """
    from reconciler.cli.failures import tell
    from reconciler.cli.showing import say_warnings
    from reconciler.report.output import write_file, write_stdout
    from reconciler.report.report_json import report_json
    from reconciler.report.report_text import report_text

    invocation.progress.finish()
    console, code = invocation.console, report.exit_code
    try:
        if file is not None:
            write_file(file, report_json(report))
    except OutputError as error:
        lost = tell(_after_writes(error, report), console)
        # A failed apply stays the more important result.
        code = code or lost
    say_warnings([warning for warning in report.warnings if warning not in told], invocation)
    report = replace(report, warnings=())
    try:
        write_stdout(report_text(report, color=console.stdout_color, width=console.width))
    except OutputError as error:
        lost = tell(_after_writes(error, report), console)
        code = code or lost
    return code


def _after_writes(error: OutputError, report: "Report") -> OutputError:
    """The error, with the number of applied changes: exit 1 alone would say: none."""
    applied, total = report.summary.applied, len(report.outcomes)
    if not applied:
        return error
    count = "All" if applied == total else f"{applied} of {total}"
    return OutputError(
        f"{error.message} {count} changes were applied all the same.",
        hint="`reconciler log` lists this apply, and its journal in .reconciler/journal holds "
        "every call: `reconciler show FILE` shows it.",
    )
