"""`reconciler pull`."""

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import detailed_files, into_option, pass_invocation, write_option
from reconciler.cli.target import Target, target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.authoring.folder import FileChange
    from reconciler.reconcile.files import Pulled

FILES_DIFFER: Final = 2
"""The exit code of --detailed-exitcode if files differ from the remote."""


@named("pull")
@target()
@into_option
@click.option("--prune", is_flag=True, help="Remove declared products that the remote lacks.")
@write_option
@detailed_files
@pass_invocation
def command(
    invocation: Invocation,
    target: Target,
    into: Path | None,
    prune: bool,
    write: bool,
    detailed_exitcode: bool,
) -> int:
    """Bring the catalogue's files up to the remote.

    Declared products are edited in their files: only values that differ are changed; comments and
    order stay, and fields that are left out stay unmanaged. Undeclared products are added. Prints
    the difference, and writes it with --write. The API never returns type and image_url, so they
    are not pulled.
    """
    from reconciler.cli.showing import say_warnings
    from reconciler.cli.signals import stopping
    from reconciler.reconcile.files import pull

    stop = Event()
    with stopping(stop, invocation.console), target.open(invocation, stop) as store:
        pulled = pull(store, into=into, prune=prune)
    invocation.progress.finish()
    say_warnings(pulled.warnings, invocation)
    summary = summary_of(pulled, nothing="There is nothing to pull.")
    show_files(pulled.files, summary, invocation, write=write)
    return FILES_DIFFER if detailed_exitcode and pulled.files else 0


def show_files(
    files: "Sequence[FileChange]", summary: str, invocation: Invocation, *, write: bool
) -> None:
    """Write the changed files, or print how they differ; the `summary` is a sentence about them."""
    from reconciler.authoring.folder import write_changes
    from reconciler.report.output import write_stdout
    from reconciler.report.unified import unified_diff

    if write:
        write_changes(files)
        write_stdout(f"{summary}\n")
        return
    color = invocation.console.stdout_color
    for change in files:
        write_stdout(unified_diff(change.file, change.before, change.after, color=color))
    if not invocation.quiet:
        # The difference looks as if it were done.
        more = " Nothing was written; --write does it." if files else ""
        invocation.console.say("info", summary + more)


def summary_of(pulled: "Pulled", *, nothing: str) -> str:
    """The changes in one sentence, which is `nothing` if there are none."""
    from reconciler.report.words import plural

    if not pulled.files:
        return nothing
    counts = f"{pulled.changed} changed, {pulled.added} added, {pulled.removed} removed"
    return f"Products: {counts}, in {plural(len(pulled.files), 'file')}."
