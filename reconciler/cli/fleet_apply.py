"""`reconciler fleet apply`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.apply import check_report, check_saved
from reconciler.cli.command import command as named
from reconciler.cli.fleet_options import Running, StoreChoice, choosing, details_option, running
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import (
    FOLDER,
    Rendering,
    detailed_exitcode,
    lock_timeout_option,
    pass_invocation,
    planning,
    rendering,
    yes_option,
)
from reconciler.errors import NotConfirmed, UsageError
from reconciler.report.words import plural
from reconciler.wording import few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler import reconcile


@named("apply")
@click.argument("folder", metavar="[DIR]", type=FOLDER, required=False)
@choosing()
@planning(applying=True)
@click.option("--catalog", type=FOLDER, metavar="DIR", help="One catalogue for all stores.")
@yes_option
@click.option("--dry-run", is_flag=True, help="Print the calls; make none but the lists.")
@lock_timeout_option
@running()
@rendering(["text", "json", "markdown", "html"])
@click.option(
    "--report", type=FOLDER, metavar="DIR", help="Write what became of each change, by store."
)
@details_option
@detailed_exitcode
@pass_invocation
def command(
    invocation: Invocation,
    folder: Path | None,
    stores: StoreChoice,
    options: "reconcile.Options",
    catalog: Path | None,
    yes: bool,
    dry_run: bool,
    lock_timeout: float,
    running: Running,
    rendering: Rendering,
    report: Path | None,
    details: bool,
    detailed_exitcode: bool,
) -> int:
    """Make each remote equal to its catalogue.

    With DIR it applies the plans that `fleet plan --out DIR` saved, each as it was reviewed or not
    at all. Without, it plans and applies; it asks nothing, so --yes is needed. With --dry-run it
    shows each store's plan and the calls that would be made.
    """
    from reconciler.cli.fleet_running import FleetAccount, run_tasks

    check_saved(options, folder)
    if dry_run:
        _check_dry_run(rendering.format, report)
    # A hundred plans that scroll by are not a review.
    elif folder is None and not yes:
        raise NotConfirmed(
            "A fleet is applied without a question, so nothing was applied.",
            hint="Review the plans first: `reconciler fleet plan --out DIR`, then `reconciler "
            "fleet apply DIR`; or give --yes.",
        )
    names = stores.of(invocation)
    if folder is not None:
        names = _with_plans(invocation.folder / folder, names, invocation)
    account = FleetAccount(
        invocation,
        "plan" if dry_run else "apply",
        rendering,
        names,
        report,
        details,
        calls=dry_run,
    )
    return run_tasks(
        account,
        running,
        plans=folder,
        options=options,
        catalog=catalog,
        lock_timeout=lock_timeout,
        detailed=detailed_exitcode,
    )


def _check_dry_run(format: str, report: Path | None) -> None:
    """Raise UsageError for what a dry run cannot give."""
    check_report(report, dry_run=True)
    if format not in ("text", "json"):
        raise UsageError(
            f"--dry-run has no {format} format.",
            hint="Use --format text or json; `reconciler fleet plan` has the others.",
        )


def _with_plans(folder: Path, stores: "Sequence[str]", invocation: Invocation) -> list[str]:
    """The stores with a plan in the folder, the others told; UsageError if no store has one."""
    found = {path.stem for path in folder.glob("*.json")}
    # In the order of the settings, not of the folder (P8).
    names = [store for store in stores if store in found]
    if not names:
        raise UsageError(
            f"There is no plan of these stores in {folder}.",
            hint="Make them with `reconciler fleet plan --out DIR`.",
        )
    if without := [store for store in stores if store not in found]:
        told = f"{plural(len(without), 'store')} without a plan there: {few(without)}."
        invocation.console.say("warning", f"Not applied, {told}")
    return names
