"""`reconciler fleet status`."""

from reconciler.cli.command import command as named
from reconciler.cli.fleet_options import Running, StoreChoice, choosing, running
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Rendering, detailed_drift, pass_invocation, rendering


@named("status")
@choosing()
@running()
@rendering(["text", "json", "markdown", "html"])
@detailed_drift
@pass_invocation
def command(
    invocation: Invocation,
    stores: StoreChoice,
    running: Running,
    rendering: Rendering,
    detailed_exitcode: bool,
) -> int:
    """Show each remote catalogue at a glance.

    Counts each store's products and their problems, as `reconciler status` does.
    """
    from reconciler.cli.fleet_running import FleetAccount, run_tasks

    account = FleetAccount(invocation, "status", rendering, stores.of(invocation))
    return run_tasks(account, running, detailed=detailed_exitcode)
