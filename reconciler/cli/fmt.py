"""`reconciler fmt`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FOLDER, pass_invocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.model import Location
    from reconciler.reconcile.files import Formatted

WOULD_CHANGE: Final = 2
"""The exit code of --check where a file has not the canonical form."""
_MOST_KEPT: Final = 20
"""How many places that were left as they are the log names."""


@named("fmt")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, metavar="[PATH]...")
@click.option("--catalog", type=FOLDER, metavar="DIR", help="The catalogue's folder.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 2 where a file would be changed."
)
@click.option("--diff", is_flag=True, help="Write nothing; print what would be changed.")
@pass_invocation
def command(
    invocation: Invocation, paths: tuple[Path, ...], catalog: Path | None, check: bool, diff: bool
) -> int:
    """Bring the catalogue's files into canonical form.

    One order of fields, one indentation, short tags on one line, and quotes where another YAML tool
    could misread a value. Comments and the order of products stay, and no value changes. Prints the
    names of the files that it changed. Files with errors are told and left alone, and so is what
    cannot be laid out anew.
    """
    from reconciler.errors import CatalogError
    from reconciler.reconcile.files import write_changes
    from reconciler.report.escape import escape
    from reconciler.report.output import write_stdout
    from reconciler.report.unified import unified_diff

    done = _formatted(invocation, paths, catalog)
    files = {change.file: change for formatted in done for change in formatted.files}
    if not (check or diff):
        write_changes(list(files.values()))
    for change in files.values():
        if diff:
            color = invocation.console.stdout_color
            write_stdout(unified_diff(change.file, change.before, change.after, color=color))
        else:
            write_stdout(f"{escape(change.file)}\n")
    kept = dict(place for formatted in done for place in formatted.kept)
    _tell_kept(invocation, kept)
    _sum_up(
        invocation,
        len(files),
        sum(each.seen for each in done),
        kept=len({place.file for place in kept}),
        written=not (check or diff),
    )
    errors = [error for formatted in done for error in formatted.errors]
    if errors:
        raise CatalogError(errors, hint="Files with errors were left as they are: mend them first.")
    return WOULD_CHANGE if check and files else 0


def _formatted(
    invocation: Invocation, paths: "Sequence[Path]", catalog: Path | None
) -> "list[Formatted]":
    """Each catalogue formatted; a path that is in none of them goes to the first, which says so."""
    from reconciler.catalog.paths import home_of
    from reconciler.reconcile.files import format_files

    settings = invocation.settings
    if catalog is not None:
        catalogs = [settings.folder / catalog]
    else:
        catalogs = list(dict.fromkeys(settings.store(name).catalog for name in settings.stores))
    if not paths:
        return [format_files(settings, folder) for folder in catalogs]
    shares: dict[Path, list[Path]] = {}
    for path in (settings.folder / path for path in paths):
        shares.setdefault(home_of(path, catalogs) or catalogs[0], []).append(path)
    return [format_files(settings, folder, within) for folder, within in shares.items()]


def _tell_kept(invocation: Invocation, kept: "Mapping[Location, str]") -> None:
    """Say what was left as it is, and why; the exit code is none the worse for it."""
    for place, why in list(kept.items())[:_MOST_KEPT]:
        invocation.console.say("warning", f"{place}: left as it is, since {why}.")
    if len(kept) > _MOST_KEPT:
        message = f"{len(kept) - _MOST_KEPT} more places were left as they are."
        invocation.console.say("warning", message)


def _sum_up(invocation: Invocation, changed: int, seen: int, *, kept: int, written: bool) -> None:
    from reconciler.report.words import plural

    if invocation.quiet:
        return
    if not changed and kept:
        message = f"{plural(seen - kept, 'file')} in canonical form, {kept} in part or not at all."
    elif not changed:
        message = f"{plural(seen, 'file')} in canonical form."
    elif written:
        message = f"Formatted {changed} of {plural(seen, 'file')}."
    else:
        message = f"{changed} of {plural(seen, 'file')} would be formatted."
    invocation.console.say("info", message)
