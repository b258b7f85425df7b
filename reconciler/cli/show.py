"""`reconciler show`."""

from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, Rendering, pass_invocation, rendering
from reconciler.cli.target import sandbox_option, store_option
from reconciler.errors import UsageError


@named("show")
@click.argument("planfile", type=FILE, required=False)
@rendering(summary=True)
@click.option(
    "--without-records",
    is_flag=True,
    help="Leave out what deletes would destroy, for a page that others can read.",
)
@store_option
@sandbox_option
@pass_invocation
def command(
    invocation: Invocation,
    planfile: Path | None,
    rendering: Rendering,
    without_records: bool,
    store: str | None,
    sandbox: bool,
) -> int:
    """Show a saved plan in any format, or a journal: what an apply did, and what it removed.

    Journals are in .reconciler/journal. Without PLANFILE it shows the removed products that the
    store's ledger keeps. Journals and removed products are shown as text or json. Needs no key, and
    the network only if the ledger is in git.
    """
    from reconciler import reconcile
    from reconciler.cli.showing import made_line, show_journal, show_removed, show_saved

    if planfile is None:
        from reconciler.reconcile import history

        kept = history.ledger_store(invocation.settings, store, sandbox=sandbox)
        removed = kept.removed()
        if not removed and store is None and not sandbox:
            raise click.UsageError(
                f"Missing argument 'PLANFILE'. (No delete is known in {kept.describe()}.)"
            )
        show_removed(removed, kept, rendering, invocation)
        return 0
    if store is not None or sandbox:
        raise UsageError(
            "--store and --sandbox have no effect on a file, which names its store.",
            hint="Leave them out, or leave out the file to show what the store's deletes removed.",
        )
    # Plans and journals are passed alike, so the content of the file decides.
    journal = reconcile.read_journal(planfile)
    if journal is not None:
        show_journal(journal, rendering, invocation)
    else:
        saved = reconcile.read_plan(planfile)
        if without_records:
            # A page for others must not show what was entered by hand at Robosize.
            from reconciler.planning.bare import bare

            if rendering.format == "json":
                raise UsageError(
                    "A plan without its records cannot be applied, so it has no JSON.",
                    hint="Choose another format.",
                )
            saved = replace(saved, plan=bare(saved.plan))
        if rendering.format == "text":
            invocation.console.say("info", made_line(saved))
        show_saved(saved, rendering, invocation)
    return 0
