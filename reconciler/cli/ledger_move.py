"""`reconciler ledger move`."""

from typing import TYPE_CHECKING

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import pass_invocation
from reconciler.cli.target import store_option

if TYPE_CHECKING:
    from reconciler.model import LedgerKind

_KINDS = Choice(["file", "git"])


@named("move")
@click.argument("source", type=_KINDS, metavar="FROM")
@click.argument("target", type=_KINDS, metavar="TO")
@store_option
@pass_invocation
def command(
    invocation: Invocation, source: "LedgerKind", target: "LedgerKind", store: str | None
) -> int:
    """Move the ledger from file to git, or back.

    FROM and TO are `file` and `git`. Nothing is kept at FROM. Set `ledger` in the settings to TO
    afterwards.
    """
    from reconciler.reconcile import history
    from reconciler.report.output import write_stdout
    from reconciler.report.words import plural

    settings = invocation.settings
    ledger, moved_to = history.move_ledger(settings, source, target, store)
    count = plural(len(ledger.products), "product")
    write_stdout(f"Moved the ledger of {count} to {moved_to.describe()}.\n")
    # Settings are the shop's file, which no command edits.
    if settings.ledger != target:
        invocation.console.say(
            "warning",
            f"The settings still say `ledger: {settings.ledger}`: write `ledger: {target}`, or the "
            "next run starts with an empty ledger.",
        )
    return 0
