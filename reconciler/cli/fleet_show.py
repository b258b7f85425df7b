"""`reconciler fleet show`."""

from pathlib import Path

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, Rendering, pass_invocation, rendering
from reconciler.errors import PlanFileError, UsageError


@named("show")
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@rendering(["text", "json", "markdown"])
@pass_invocation
def command(invocation: Invocation, files: tuple[Path, ...], rendering: Rendering) -> int:
    """Show the results of several runs as those of one fleet.

    Each FILE is what `fleet plan` or `fleet apply` wrote with --format json, for instance in a job
    of its own. Exits with 0, whatever is in them.
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
    results = [result for found, _ in read for result in found]
    stores = [result.store for result in results]
    account = FleetAccount(invocation, actions.pop(), rendering, stores)
    account.take(results)
    account.close()
    return 0


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PlanFileError(
            f"The file {file} cannot be read: {error.strerror or error}.",
            hint="Make it with `reconciler fleet plan --format json --output FILE`.",
        ) from None
