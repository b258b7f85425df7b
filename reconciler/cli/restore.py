"""`reconciler restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, pass_invocation, write_option
from reconciler.cli.pull import show_files
from reconciler.cli.target import Target, target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.reconcile.files import Restored

# The most products to warn of.
_MOST: Final = 20


@named("restore")
@click.argument("store_ids", nargs=-1, metavar="[STORE_ID]...")
@target()
@click.option(
    "--from",
    "journal",
    type=FILE,
    metavar="JOURNAL",
    help="Read the removed products from this journal, not from the ledger.",
)
@write_option
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    store_ids: tuple[str, ...],
    journal: Path | None,
    write: bool,
) -> int:
    """Bring what deletes removed back into the catalogue's files.

    Takes every product that was removed and is not declared, or only those given as STORE_ID (or
    remote id). Each gets a file of its own, as with `pull`, with the type and image_url that the
    ledger knew. Prints the difference, and writes it with --write; the next apply then creates
    the products again. Data that was entered by hand at Robosize does not come back. Needs no key.
    """
    from reconciler.reconcile import history
    from reconciler.reconcile.files import restore

    settings = invocation.settings
    kept = history.ledger_store(settings, target.store, sandbox=target.sandbox)
    removed = history.removed_products(kept, journal)
    catalog = target.catalog or settings.store(target.store).catalog
    restored = restore(settings, removed, store_ids, catalog=catalog)
    _tell(restored, invocation)
    show_files(restored.files, _summary(restored), invocation, write=write)
    return 0


def _tell(restored: "Restored", invocation: Invocation) -> None:
    """Warn of products that are not restored, and of data that is lost."""
    from reconciler.cli.showing import say_warnings

    say_warnings(restored.warnings, invocation)
    told = list(_left_out(restored))
    # A mass delete may have taken thousands.
    for message in told[:_MOST]:
        invocation.console.say("warning", message)
    if len(told) > _MOST:
        invocation.console.say("warning", f"And {len(told) - _MOST} more like these.")


def _left_out(restored: "Restored") -> "Iterator[str]":
    from reconciler.report.removed_text import losses
    from reconciler.report.words import shown

    for product, other in restored.declared:
        now = "is declared again" if other.store_id == product.store_id else "was renamed"
        yield f"{shown(product.store_id)} {now} at {other.location}: left as it is."
    yield from map(losses, restored.products)


def _summary(restored: "Restored") -> str:
    """The restored products in one sentence."""
    from reconciler.report.words import plural

    if not restored.files:
        return "There is nothing to restore."
    count = len(restored.files)
    return f"Products: {count} restored, in {plural(count, 'file')}."
