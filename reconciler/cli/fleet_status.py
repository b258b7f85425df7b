"""`reconciler fleet status`."""

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.command import command as named
from reconciler.cli.fleet_options import (
    Running,
    StoreChoice,
    choosing,
    fleet_format,
    running,
)
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import pass_invocation

if TYPE_CHECKING:
    from reconciler.fleet.task import Checkout, StoreTask


@named("status")
@choosing()
@running()
@fleet_format(["text", "json", "markdown", "html"])
@pass_invocation
def command(
    invocation: Invocation, stores: StoreChoice, running: Running, format: str, output: Path | None
) -> int:
    """Show each remote catalogue at a glance.

    Counts each store's products and their problems, as `reconciler status` does.
    """
    from reconciler.cli.fleet_running import FleetAccount, run_tasks
    from reconciler.fleet.task import StoreTask

    account = FleetAccount(invocation, "status", format, output, stores.of(invocation))

    def task_of(store: str, checkout: "Checkout") -> "StoreTask":
        return StoreTask(run=account.run, action="status", store=store, checkout=checkout)

    return run_tasks(account, running, task_of)
