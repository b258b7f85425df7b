"""Any other table or JSON Lines file: --id and --map say which column is which field."""

from collections.abc import Iterator
from typing import Final

from reconciler.authoring.imports.export import ExportFile
from reconciler.authoring.imports.object_format import Item, object_format
from reconciler.authoring.imports.objects import objects
from reconciler.authoring.imports.table_format import TableLayout, table_format


def _items(file: ExportFile) -> Iterator[Item]:
    return ((row, item, ()) for row, item in enumerate(objects(file.path, file.name), 1))


CSV: Final = table_format("csv", [()], TableLayout({}))
JSONL: Final = object_format("jsonl", lambda file: file.kind == "json", _items, {})
