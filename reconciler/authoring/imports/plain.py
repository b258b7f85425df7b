"""Any other table or JSON Lines file: --id and --map say which column is which field."""

from typing import Final

from reconciler.authoring.imports.export import (
    Export,
    ExportFaults,
    ExportFile,
    ExportFormat,
    ImportChoice,
)
from reconciler.authoring.imports.object_format import export_of
from reconciler.authoring.imports.objects import objects
from reconciler.authoring.imports.table_format import TableLayout, table_format


def _open(file: ExportFile, choice: ImportChoice, faults: ExportFaults) -> Export:
    items = ((row, item, ()) for row, item in enumerate(objects(file.path, file.name), 1))
    return export_of(items, {}, file, choice)


CSV: Final = table_format("csv", [()], TableLayout({}))
JSONL: Final = ExportFormat("jsonl", lambda file: file.kind == "json", _open)
