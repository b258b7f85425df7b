"""Every format of exports, the most specific first, and how a file's format is recognised."""

from pathlib import Path
from typing import Final

from reconciler.authoring.imports import (
    bigcommerce,
    google_feed,
    magento,
    matrixify,
    plain,
    prestashop,
    sfcc,
    shopify_csv,
    shopify_json,
    shopware,
    woocommerce,
)
from reconciler.authoring.imports.elements import names_of_root
from reconciler.authoring.imports.export import (
    ExportFaults,
    ExportFile,
    ExportFormat,
    ImportChoice,
)
from reconciler.authoring.imports.objects import objects
from reconciler.authoring.imports.tables import check_encoding, open_table
from reconciler.authoring.imports.workbooks import open_workbook
from reconciler.errors import ExportError, UsageError
from reconciler.wording import few

EXPORT_FORMATS: Final[dict[str, ExportFormat]] = {
    each.name: each
    for each in (
        shopify_csv.FORMAT,
        shopify_json.FORMAT,
        matrixify.FORMAT,
        woocommerce.FORMAT,
        magento.FORMAT,
        prestashop.FORMAT,
        bigcommerce.FORMAT,
        shopware.FORMAT,
        google_feed.FORMAT,
        sfcc.FORMAT,
        plain.CSV,
        plain.JSONL,
    )
}
"""The formats by name."""
_PLAIN: Final = ("csv", "jsonl")
_HEAD: Final = 1 << 12
_ZIP: Final = b"PK\x03\x04"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"


def look_at(path: Path, name: str) -> ExportFile:
    """A file with the names at its head; UsageError or ExportError if it cannot be read."""
    # A pipe can be read once only, and a device may never end.
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(
            f"{name} is a pipe or a device, not a file.",
            hint="Save the export to a file, and name that: it is looked at before it is read.",
        )
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise UsageError(
            f"The file {name} cannot be read: {error.strerror or error}.",
            hint="Name the file that the shop exported.",
        ) from None
    check_encoding(head, name)
    # By its content: the ending of its name may be missing or wrong.
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith((_ZIP, _OLD_WORKBOOK)):
        table = open_workbook(path, name, ExportFaults())
        return ExportFile(path, name, "workbook", table.header.names)
    if start.startswith((b"{", b"[")):
        first = next(objects(path, name), {})
        return ExportFile(path, name, "json", frozenset(first))
    if start.startswith(b"<"):
        return ExportFile(path, name, "xml", frozenset(names_of_root(path, name)))
    table = open_table(path, name, ExportFaults())
    return ExportFile(path, name, "text", table.header.names)


def format_of(file: ExportFile, choice: ImportChoice) -> ExportFormat:
    """The format that was chosen, or that the file is recognised as; ExportError if it is not."""
    if choice.format is not None:
        return EXPORT_FORMATS[choice.format]
    for each in EXPORT_FORMATS.values():
        # Any table fits the plain formats, so they count only if somebody names the id.
        if each.name not in _PLAIN and each.recognises(file):
            return each
    if "store_id" in choice.columns:
        return next(each for name in _PLAIN if (each := EXPORT_FORMATS[name]).recognises(file))
    seen = few(sorted(file.names), 12)
    raise ExportError.at(
        file.name,
        f"The file is not recognised as the export of a shop by its head: {seen}.",
        hint="If its first row holds no titles, remove it. If not, say what it is: --from FORMAT, "
        "or --id COLUMN and --map FIELD=COLUMN for any table.",
    )
