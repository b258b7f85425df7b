"""`reconciler import`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import (
    FILE,
    Decorator,
    catalog_option,
    detailed_files,
    gathered,
    into_option,
    pass_invocation,
    write_option,
)
from reconciler.cli.pull import FILES_DIFFER, show_files, summary_of
from reconciler.cli.target import store_option
from reconciler.errors import UsageError
from reconciler.model.exports import EXPORT_NAMES
from reconciler.wording import did_you_mean, nearest_word

if TYPE_CHECKING:
    from reconciler.authoring.imports.export import ImportChoice
    from reconciler.reconcile.imports import ImportedFiles

_FIELDS: Final = ("name", "tags", "image_url", "type")
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the flags say of the export's format and columns; None or empty if nothing."""

    format: str | None
    id: str | None
    ids: tuple[Path, ...]
    mapped: tuple[str, ...]
    only: tuple[str, ...]

    def over(self, choice: "ImportChoice") -> "ImportChoice":
        """The choice of the settings with that of the flags."""
        columns = {**choice.columns, **_pairs("--map", self.mapped)}
        for key in columns.keys() - {*_FIELDS, "store_id"}:
            raise UsageError(
                f"--map {key}=…: {key!r} is not a field that can be mapped.",
                hint=f"{did_you_mean(key, _FIELDS)}Fields: {', '.join(_FIELDS)}. "
                "--id COLUMN names the column of the store_id.",
            )
        if self.id:
            columns["store_id"] = self.id
        format = {None: choice.format, "auto": None}.get(self.format, self.format)
        only = {**choice.only, **_pairs("--only", self.only)}
        return replace(choice, format=format, columns=columns, only=only)


_COLUMNS: Final[dict[str, Decorator]] = {
    "format": click.option(
        "--from",
        "format",
        type=Choice(["auto", *EXPORT_NAMES]),
        metavar="FORMAT",
        help=f"The format of the files: auto (by their heads), {', '.join(EXPORT_NAMES)}.",
    ),
    "id": click.option(
        "--id",
        metavar="COLUMN",
        help="The column with the ids that product pages pass to the size script.",
    ),
    "ids": click.option(
        "--ids",
        type=FILE,
        multiple=True,
        metavar="FILE",
        help="Shopify's products.json with the ids for a CSV by handle. Repeatable.",
    ),
    "mapped": click.option(
        "--map",
        "mapped",
        multiple=True,
        metavar="FIELD=COLUMN",
        help="Take name, tags, image_url or type from this column. Repeatable.",
    ),
    "only": click.option(
        "--only",
        multiple=True,
        metavar="COLUMN=GLOB",
        help="Only products whose column matches, such as Status=active. Repeatable.",
    ),
}


@named("import")
@click.argument("words", nargs=-1, required=True, metavar="[NAME] FILE...")
@gathered("columns", _Columns, _COLUMNS)
@write_option
@click.option("--prune", is_flag=True, help="Remove declared products that the export lacks.")
@click.option(
    "--renames",
    is_flag=True,
    help="Give a product whose picture or name has another id now a renamed_from.",
)
@into_option
@store_option
@catalog_option
@detailed_files
@pass_invocation
def command(
    invocation: Invocation,
    words: tuple[str, ...],
    columns: _Columns,
    write: bool,
    prune: bool,
    renames: bool,
    into: Path | None,
    store: str | None,
    catalog: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Bring a shop's own export into the catalogue's files; offline, without a key.

    Reads what Shopify, Matrixify, WooCommerce, Magento, PrestaShop, BigCommerce, Shopware, Google
    Merchant feeds and Salesforce Commerce Cloud export, and any other table with --id and --map.
    Variants become one product. Declared products are edited in their files, others are added.
    Prints the difference, and writes it with --write. NAME is an entry of `imports` in the
    settings, which says what is usual: format, id, types, fields.
    """
    from reconciler.reconcile.imports import ImportRequest, choice_of, import_exports, with_ids

    settings, folder = invocation.settings, invocation.folder
    name, files = _name_and_files(words, invocation, store)
    choice = columns.over(choice_of(settings, store, name))
    choice = with_ids(choice, columns.ids, folder)
    # An offline command, so only the store's folder is asked for, never its key.
    home = folder / catalog if catalog else settings.store(store).catalog
    request = ImportRequest(home, folder, into, prune, renames)
    done = import_exports(files, choice, request, invocation.progress)
    invocation.progress.finish()
    _tell(done, name, invocation)
    summary = summary_of(done.pulled, nothing="There is nothing to import.")
    show_files(done.pulled.files, summary, invocation, write=write)
    if not invocation.quiet:
        _suggest(invocation, store)
    return FILES_DIFFER if detailed_exitcode and done.pulled.files else 0


def _name_and_files(
    words: Sequence[str], invocation: Invocation, store: str | None
) -> tuple[str | None, list[Path]]:
    """The entry of `imports` that is meant, if any, and the files."""
    settings = invocation.settings
    imports = settings.for_store(settings.store_name(store)).imports
    first, *others = words
    if first not in imports:
        # The first word may be an entry or a file, so a slip in one looks like the other.
        near = nearest_word(first, imports)
        if near and not (invocation.folder / first).exists():
            raise UsageError(
                f"There is no file {first}, and no entry {first!r} of `imports` in the settings.",
                hint=f"Did you mean {near!r}?",
            )
        return None, [Path(word) for word in words]
    if not others:
        raise UsageError(
            f"Which file? `imports` in the settings has an entry {first!r}, but no file is named.",
            hint=f"reconciler import {first} FILE",
        )
    return first, [Path(word) for word in others]


def _pairs(flag: str, words: Sequence[str]) -> dict[str, str]:
    """The two sides of each KEY=VALUE."""
    pairs = {}
    for word in words:
        key, _, value = word.partition("=")
        if not key or not value:
            raise UsageError(f"{flag} {word}: there must be text on both sides of `=`.")
        pairs[key] = value
    return pairs


def _tell(done: "ImportedFiles", name: str | None, invocation: Invocation) -> None:
    """Say how the files were read, and what the reader should look at."""
    from reconciler.cli.showing import say_warnings
    from reconciler.codes import Code
    from reconciler.report.escape import break_commands
    from reconciler.report.words import plural

    console = invocation.console
    if not invocation.quiet:
        parted = (
            f", {_DELIMITERS.get(done.delimiter, 'another sign')} between cells"
            if done.delimiter
            else ""
        )
        left = f", {done.left_out} left out by --only" if done.left_out else ""
        read = f"{plural(done.rows, 'row')}, {plural(done.products, 'product')}{left}"
        console.say("info", f"Read as {done.format}{parted}: {read}.", format=done.format)
    say_warnings(done.pulled.warnings, invocation)
    if not done.unmapped:
        return
    where = f"imports: {{{name or 'shop'}: {{types: …}}}}"
    kinds = dict(sorted(done.unmapped.items(), key=lambda each: (-each[1], each[0])))
    message = (
        f"{plural(len(kinds), 'kind')} of product without a type, since `types` has no entry: give "
        f"each its type under `{where}` in reconciler.yaml: [{Code.UNMAPPED_TYPE}]"
    )
    console.say("warning", message, code=Code.UNMAPPED_TYPE, kinds=kinds)
    for kind, count in kinds.items():
        # As JSON, which is YAML too; what a terminal could obey is escaped.
        written = json.dumps(kind, ensure_ascii=not kind.isprintable())
        written = break_commands(written, "\\u0023")
        console.line(f'  {written}: ""  # {plural(count, "product")}')


def _suggest(invocation: Invocation, store: str | None) -> None:
    """Suggest to ask whether product pages know the ids."""
    settings = invocation.settings
    name = settings.store_name(store)
    flag = f" --store {name}" if len(settings.stores) > 1 else ""
    first = "" if settings.stores[name].domain else "set `domain:` in the store's settings, then "
    invocation.console.say(
        "info",
        f"Are these the ids that product pages pass? To see: {first}`reconciler status{flag} "
        "--live` asks once the products are applied.",
    )
