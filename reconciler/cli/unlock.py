"""`reconciler unlock`."""

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import pass_invocation
from reconciler.cli.target import sandbox_option, store_option


@named("unlock")
@store_option
@sandbox_option
@pass_invocation
def command(invocation: Invocation, store: str | None, sandbox: bool) -> int:
    """Free a lock that a dead run left.

    Asks nothing. What that run began stays in the ledger: the next apply looks before it sends.
    """
    from reconciler import reconcile
    from reconciler.reconcile import history
    from reconciler.report.escape import escape
    from reconciler.report.output import write_stdout

    ledger = history.ledger_store(invocation.settings, store, sandbox=sandbox)
    # Refused only if that run lives on this machine: from another one nobody can tell.
    holder = reconcile.unlock(ledger)
    if holder is None:
        write_stdout("There was no lock to free.\n")
    else:
        write_stdout(f"Freed the lock of {escape(str(holder))}.\n")
        invocation.console.say(
            "warning",
            "Make sure that this run is over before the next apply: two runs at once undo each "
            "other's work. Values that it had begun to send are in doubt, and are sent again.",
        )
    return 0
