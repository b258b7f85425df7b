"""`reconciler fleet plan`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.command import command as named
from reconciler.cli.fleet_options import Running, StoreChoice, choosing, details_option, running
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import (
    FOLDER,
    Rendering,
    detailed_exitcode,
    pass_invocation,
    planning,
    rendering,
)
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler import reconcile


@named("plan")
@choosing()
@planning()
@click.option("--catalog", type=FOLDER, metavar="DIR", help="One catalogue for all stores.")
@running()
@rendering(["text", "json", "markdown", "html"])
@click.option(
    "--out", type=FOLDER, metavar="DIR", help="Save the plans, for `reconciler fleet apply DIR`."
)
@details_option
@detailed_exitcode
@pass_invocation
def command(
    invocation: Invocation,
    stores: StoreChoice,
    options: "reconcile.Options",
    catalog: Path | None,
    running: Running,
    rendering: Rendering,
    out: Path | None,
    details: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what would change in each store.

    Plans the stores side by side, `fleet: {parallel: N}` at once, and tells of each as it ends.
    A store that fails stops no other. Exits with the worst of their exit codes.
    """
    from reconciler.cli.fleet_running import FleetAccount, run_tasks
    from reconciler.cli.showing import repository_url

    names = stores.of(invocation)
    if out is not None:
        # A store that fails now must not be applied from the plan of last week.
        _clear(out, names)
    account = FleetAccount(invocation, "plan", rendering, names, out, details)
    return run_tasks(
        account,
        running,
        options=options,
        catalog=catalog,
        detailed=detailed_exitcode,
        repository_url=repository_url(invocation.environ),
    )


def _clear(folder: Path, stores: "Sequence[str]") -> None:
    """Remove these stores' earlier plans; UsageError if there are plans of other stores."""
    own = {f"{store}.json" for store in stores}
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if others := [path.name for path in found if path.name not in own]:
        raise UsageError(
            f"{folder} holds other files, such as {others[0]}: `fleet apply {folder}` would take "
            "them for plans of this run.",
            hint="Name a folder of its own, or remove them.",
        )
    for path in found:
        path.unlink()
