"""`reconciler fleet unlock`."""

from reconciler.cli.command import command as named
from reconciler.cli.fleet_options import StoreChoice, choosing
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Rendering, pass_invocation, rendering


@named("unlock")
@choosing()
@rendering(["text", "json"])
@pass_invocation
def command(invocation: Invocation, stores: StoreChoice, rendering: Rendering) -> int:
    """Free the locks that dead runs left.

    Asks nothing. A run that is alive on this machine keeps its lock, and is told.
    """
    from reconciler.cli.fleet_running import FleetAccount
    from reconciler.fleet.unlock import unlock_stores

    names = stores.of(invocation)
    account = FleetAccount(invocation, "unlock", rendering, names)
    account.take(unlock_stores(invocation.settings, names))
    return account.close()
