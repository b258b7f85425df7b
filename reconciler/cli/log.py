"""`reconciler log`."""

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import format_option, pass_invocation
from reconciler.cli.target import sandbox_option, store_option


@named("log")
@store_option
@sandbox_option
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=100_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Show up to N applies, the newest first.",
)
@format_option(["text", "json"])
@pass_invocation
def command(
    invocation: Invocation, store: str | None, sandbox: bool, limit: int, format: str
) -> int:
    """Show what was applied, when, and from which commit.

    Reads the history of the ledger if that is kept in git, otherwise the journals in
    .reconciler/journal. `show` prints a journal in full.
    """
    from reconciler.reconcile import history
    from reconciler.report.log_text import log_json, log_text
    from reconciler.report.output import write_stdout

    # The ledger opens without a key, so the log can be read by those who may not apply.
    kept = history.ledger_store(invocation.settings, store, sandbox=sandbox)
    entries = history.log(invocation.settings, kept, limit=limit)
    if format == "json":
        write_stdout(log_json(entries, store=kept.store))
    else:
        write_stdout(log_text(entries, color=invocation.console.stdout_color))
    return 0
