"""The JSON Schemas of the tool's documents, each made from the code that reads or writes them."""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.linting.vocabulary import Vocabulary


_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
# Imported when they are asked for: each needs much that the others do not.
_SCHEMAS: Final[Mapping[str, tuple[str, str]]] = {
    "product": ("reconciler.catalog.schema", "product_schema"),
    "defaults": ("reconciler.catalog.schema", "defaults_schema"),
    "catalog": ("reconciler.catalog.schema", "file_schema"),
    "settings": ("reconciler.settings.schema", "settings_schema"),
    "plan": ("reconciler.report.document_schema", "plan_schema"),
    "report": ("reconciler.report.document_schema", "report_schema"),
}
OF_CATALOG: Final = frozenset({"product", "defaults", "catalog"})
"""The schemas that a shop's vocabulary is part of."""
SCHEMAS: Final = tuple(_SCHEMAS)
"""The names of all schemas."""


def schema(kind: str, vocabulary: "Vocabulary | None" = None) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one of SCHEMAS; UsageError for anything else.

    Those of the catalogue have the `vocabulary` of a shop in them.
    """
    if kind not in _SCHEMAS:
        raise UsageError(f"There is no schema {kind!r}.", hint=f"One of {', '.join(SCHEMAS)}.")
    module, name = _SCHEMAS[kind]
    make = getattr(import_module(module), name)
    return {"$schema": _DIALECT, **(make(vocabulary or {}) if kind in OF_CATALOG else make())}


def schema_text(kind: str, vocabulary: "Vocabulary | None" = None) -> str:
    """The JSON Schema of `kind` as text, indented, ASCII only."""
    return json.dumps(schema(kind, vocabulary), indent=2) + "\n"
