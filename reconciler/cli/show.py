"""`reconciler show`."""

from pathlib import Path

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, Rendering, pass_invocation, rendering


@named("show")
@click.argument("planfile", type=FILE)
@rendering()
@pass_invocation
def command(invocation: Invocation, planfile: Path, rendering: Rendering) -> int:
    """Show a saved plan in any format, or a journal: what an apply did, and what it removed.

    Journals are in .reconciler/journal, and are shown as text or json. Needs neither key nor
    network.
    """
    from reconciler import reconcile
    from reconciler.cli.showing import made_line, show_journal, show_saved

    journal = reconcile.read_journal(planfile)
    if journal is not None:
        show_journal(journal, rendering, invocation)
    else:
        saved = reconcile.read_plan(planfile)
        if rendering.format == "text":
            invocation.console.say("info", made_line(saved))
        show_saved(saved, rendering, invocation)
    return 0
