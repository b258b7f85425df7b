"""The JSON Schemas of the tool's documents, each made from the code that reads or writes them."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.linting.vocabulary import Vocabulary


def _product(vocabulary: "Vocabulary") -> dict[str, Any]:
    from reconciler.catalog.schema import product_schema

    return product_schema(vocabulary)


def _defaults(vocabulary: "Vocabulary") -> dict[str, Any]:
    from reconciler.catalog.schema import defaults_schema

    return defaults_schema(vocabulary)


def _catalog(vocabulary: "Vocabulary") -> dict[str, Any]:
    from reconciler.catalog.schema import file_schema

    return file_schema(vocabulary)


def _settings(vocabulary: "Vocabulary") -> dict[str, Any]:
    from reconciler.settings.schema import settings_schema

    return settings_schema()


def _plan(vocabulary: "Vocabulary") -> dict[str, Any]:
    from reconciler.report.document_schema import plan_schema

    return plan_schema()


def _report(vocabulary: "Vocabulary") -> dict[str, Any]:
    from reconciler.report.document_schema import report_schema

    return report_schema()


_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCHEMAS: Final[Mapping[str, Callable[["Vocabulary"], dict[str, Any]]]] = {
    "product": _product,
    "defaults": _defaults,
    "catalog": _catalog,
    "settings": _settings,
    "plan": _plan,
    "report": _report,
}
OF_CATALOG: Final = frozenset({"product", "defaults", "catalog"})
"""The schemas that a shop's vocabulary is part of."""
SCHEMAS: Final = tuple(_SCHEMAS)
"""The names of all schemas."""


def schema(kind: str, vocabulary: "Vocabulary | None" = None) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one of SCHEMAS; UsageError for anything else.

    Those of the catalogue have the `vocabulary` of a shop in them.
    """
    make = _SCHEMAS.get(kind)
    if make is None:
        raise UsageError(f"There is no schema {kind!r}.", hint=f"One of {', '.join(SCHEMAS)}.")
    return {"$schema": _DIALECT, **make(vocabulary or {})}


def schema_text(kind: str, vocabulary: "Vocabulary | None" = None) -> str:
    """The JSON Schema of `kind` as text, indented, ASCII only."""
    return json.dumps(schema(kind, vocabulary), indent=2) + "\n"
