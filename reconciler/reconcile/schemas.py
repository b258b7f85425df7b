"""The JSON Schemas of the tool's documents, each made from the code that reads or writes them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.errors import UsageError


def _product() -> dict[str, Any]:
    from reconciler.catalog.schema import product_schema

    return product_schema()


def _defaults() -> dict[str, Any]:
    from reconciler.catalog.schema import defaults_schema

    return defaults_schema()


def _catalog() -> dict[str, Any]:
    from reconciler.catalog.schema import file_schema

    return file_schema()


def _settings() -> dict[str, Any]:
    from reconciler.settings.schema import settings_schema

    return settings_schema()


def _plan() -> dict[str, Any]:
    from reconciler.report.document_schema import plan_schema

    return plan_schema()


def _report() -> dict[str, Any]:
    from reconciler.report.document_schema import report_schema

    return report_schema()


_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "product": _product,
    "defaults": _defaults,
    "catalog": _catalog,
    "settings": _settings,
    "plan": _plan,
    "report": _report,
}
SCHEMAS: Final = tuple(_SCHEMAS)
"""The names of all schemas."""


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one of SCHEMAS; UsageError for anything else."""
    make = _SCHEMAS.get(kind)
    if make is None:
        raise UsageError(f"There is no schema {kind!r}.", hint=f"One of {', '.join(SCHEMAS)}.")
    return {"$schema": _DIALECT, **make()}


def schema_text(kind: str) -> str:
    """The JSON Schema of `kind` as text, indented, ASCII only."""
    return json.dumps(schema(kind), indent=2) + "\n"
