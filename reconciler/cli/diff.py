"""`reconciler diff`."""

from pathlib import Path

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import (
    Rendering,
    catalog_option,
    detailed_exitcode,
    pass_invocation,
    rendering,
    selecting,
)
from reconciler.cli.plan import CHANGES
from reconciler.cli.target import store_option


@named("diff")
@click.argument("revisions", metavar="REV[..REV]")
@store_option
@catalog_option
@selecting
@rendering(summary=True)
@detailed_exitcode
@pass_invocation
def command(
    invocation: Invocation,
    revisions: str,
    store: str | None,
    catalog: Path | None,
    select: tuple[str, ...],
    rendering: Rendering,
    detailed_exitcode: bool,
) -> int:
    """Show what the catalogue changes between git revisions; needs no key and no network.

    Compares REV with the files as they are, or two revisions with each other: REV..REV, or
    REV...REV to begin at their common past. What is shown is the plan for a remote that equals
    the first. Robosize's ids are not known here, so each product has its store_id in their place.
    """
    from reconciler.cli.showing import show_plan
    from reconciler.reconcile import history

    plan = history.diff_revisions(
        invocation.settings, revisions, store=store, catalog=catalog, select=select
    )
    # One revision is compared with the files as they are, commit or not.
    words = revisions if ".." in revisions else f"{revisions} and the files as they are"
    show_plan(plan, rendering, invocation, compared=words)
    return CHANGES if detailed_exitcode and plan.changes else 0
