"""`reconciler ledger move`."""

from typing import TYPE_CHECKING

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import pass_invocation, store_option

if TYPE_CHECKING:
    from reconciler.ledger.open import LedgerKind

_KINDS = Choice(["file", "git"])


@named("move")
@click.argument("source", type=_KINDS, metavar="FROM")
@click.argument("target", type=_KINDS, metavar="TO")
@store_option
@pass_invocation
def command(
    invocation: Invocation, source: "LedgerKind", target: "LedgerKind", store: str | None
) -> int:
    """Carry what is remembered from file to git, or back.

    FROM and TO are `file` and `git`. Nothing stays behind at FROM; set `ledger` in the settings to
    TO afterwards.
    """
    from reconciler.reconcile import history
    from reconciler.report.output import write_stdout
    from reconciler.report.words import plural

    settings = invocation.settings
    ledger, place = history.move_ledger(settings, source, target, store)
    count = plural(len(ledger.products), "product")
    write_stdout(f"Moved what is remembered of {count} to {place.describe()}.\n")
    if settings.ledger != target:
        invocation.console.say(
            "warning",
            f"The settings still say `ledger: {settings.ledger}`: write `ledger: {target}`, or the "
            "next run starts with nothing remembered.",
        )
    return 0
