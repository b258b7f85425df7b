"""`reconciler fmt`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import catalog_option, has_catalog, if_present, pass_invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.authoring.folder import Left
    from reconciler.reconcile.files import Formatted

WOULD_CHANGE: Final = 2
"""The exit code of --check if a file is not in canonical form."""
# The most unformatted locations to list.
_MOST_LEFT: Final = 20


@named("fmt")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, metavar="[PATH]...")
@catalog_option
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 2 if a file would be changed."
)
@click.option("--diff", is_flag=True, help="Write nothing; print what would be changed.")
@if_present
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[Path, ...],
    catalog: Path | None,
    check: bool,
    diff: bool,
    if_present: bool,
) -> int:
    """Bring the catalogue's files into canonical form.

    One order of fields, one indentation, sorted tags, on one line if they fit, and quotes only if
    another YAML tool could misread a value. Comments and the order of products stay, and no value
    changes. Prints the names of the files that it changed. Files with errors are told and left
    alone; what has an anchor, an alias or a tag keeps its text.
    """
    from reconciler.authoring.folder import write_changes
    from reconciler.errors import CatalogError
    from reconciler.reconcile.files import format_files
    from reconciler.report.escape import escape
    from reconciler.report.output import write_stdout
    from reconciler.report.unified import unified_diff

    if if_present and not has_catalog(invocation, catalog):
        return 0
    done = format_files(invocation.settings, catalog, paths)
    if not (check or diff):
        write_changes(done.files)
    for change in done.files:
        if diff:
            color = invocation.console.stdout_color
            write_stdout(unified_diff(change.file, change.before, change.after, color=color))
        else:
            write_stdout(f"{escape(change.file)}\n")
    _tell_left(invocation, done.left)
    _sum_up(invocation, done, written=not (check or diff))
    # After all else, so that sound files are formatted in the same run.
    if done.errors:
        hint = "Files with errors were left as they are: fix them first."
        raise CatalogError(done.errors, hint=hint)
    return WOULD_CHANGE if check and done.files else 0


def _tell_left(invocation: Invocation, left: "Sequence[Left]") -> None:
    """Warn of what was left as it is, and why; the exit code stays the same."""
    for location, why in left[:_MOST_LEFT]:
        invocation.console.say("warning", f"{location}: left as it is, since {why}.")
    if len(left) > _MOST_LEFT:
        message = f"{len(left) - _MOST_LEFT} more locations were left as they are."
        invocation.console.say("warning", message)


def _sum_up(invocation: Invocation, done: "Formatted", *, written: bool) -> None:
    from reconciler.report.words import plural

    if invocation.quiet:
        return
    changed, seen, left = len(done.files), done.seen, len({at.file for at, _ in done.left})
    if not changed and left:
        message = f"{plural(seen - left, 'file')} in canonical form, {left} in part or not at all."
    elif not changed:
        message = f"{plural(seen, 'file')} in canonical form."
    elif written:
        message = f"Formatted {changed} of {plural(seen, 'file')}."
    else:
        message = f"{changed} of {plural(seen, 'file')} would be formatted."
    invocation.console.say("info", message)
