"""`reconciler fleet show`."""

from pathlib import Path

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, Rendering, pass_invocation, rendering
from reconciler.codes import Code
from reconciler.errors import PlanFileError, UsageError
from reconciler.report.fleet_results import StoreResult


@named("show")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--all-stores",
    is_flag=True,
    help="Also tell of the stores in the settings that no FILE tells of: their runs were lost.",
)
@rendering(["text", "json", "markdown"])
@pass_invocation
def command(
    invocation: Invocation, files: tuple[Path, ...], all_stores: bool, rendering: Rendering
) -> int:
    """Show the results of several runs as those of one fleet.

    Each FILE is what `fleet plan` or `fleet apply` wrote with --format json, for instance in a job
    of its own; if several tell of a store, the last one counts. Exits with 0, whatever is in them.
    """
    from reconciler.cli.fleet_running import FleetAccount
    from reconciler.report.fleet_json import read_fleet

    read = [read_fleet(_content(invocation.folder / file), str(file)) for file in files]
    actions = {action for _, action in read}
    if len(actions) > 1:
        raise UsageError(
            f"The files are of different commands: {', '.join(sorted(actions))}.",
            hint="Show those of one command together.",
        )
    results = {result.store: result for found, _ in read for result in found}
    if all_stores:
        # What nobody tells of would look as if there was nothing to tell.
        lost = (store for store in invocation.settings.stores if store not in results)
        results |= {store: _lost(store) for store in lost}
    account = FleetAccount(invocation, actions.pop(), rendering, [*results])
    account.take(results.values())
    account.close()
    return 0


def _lost(store: str) -> StoreResult:
    return StoreResult(
        store,
        1,
        error="No run has told of this store.",
        code=Code.WORKER_LOST,
        hint="Look at the log of its job.",
    )


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PlanFileError(
            f"The file {file} cannot be read: {error.strerror or error}.",
            hint="Make it with `reconciler fleet plan --format json --output FILE`.",
        ) from None
