"""`reconciler ledger show`."""

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Rendering, format_option, pass_invocation
from reconciler.cli.target import sandbox_option, store_option
from reconciler.errors import UnmatchedPattern


@named("show")
@click.argument("store_id", required=False)
@store_option
@sandbox_option
@format_option(["text", "json"])
@pass_invocation
def command(
    invocation: Invocation, store_id: str | None, store: str | None, sandbox: bool, format: str
) -> int:
    """Show what the ledger holds.

    That is the last value sent to each field that the API never returns, and how certain it is:
    confirmed, assumed, or in doubt. With STORE_ID (or the remote id) only of that product; if it
    was deleted, its copy.
    """
    from reconciler.reconcile import history
    from reconciler.report.ledger_text import ledger_json, ledger_text, narrowed
    from reconciler.report.output import write_stdout

    # Opened without a key: whoever may read the files may read what they hold.
    kept = history.ledger_store(invocation.settings, store, sandbox=sandbox)
    ledger = kept.load()
    if store_id is not None:
        ledger = narrowed(ledger, store_id)
        if not ledger.products and not ledger.creates:
            # A delete takes the product out of the ledger, and its copy into the archive.
            removed = [p for p in kept.removed() if store_id in (p.id, p.store_id)]
            if removed:
                from reconciler.cli.showing import show_removed

                show_removed(removed, kept, Rendering(format, None), invocation)
                return 0
            raise UnmatchedPattern(
                f"The ledger does not know {store_id!r}: {kept.describe()}.",
                hint="`reconciler ledger show` lists all that it holds.",
            )
    if format == "json":
        write_stdout(ledger_json(ledger, store=kept.store, place=kept.describe()))
    else:
        write_stdout(ledger_text(ledger, color=invocation.console.stdout_color))
    return 0
