"""The calls of a plan as lines, for `apply --dry-run`: exact except for the key."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from reconciler.planning.operations import Operation, Patch, Remove, operation_json, operations
from reconciler.planning.plan import Plan
from reconciler.report.escape import escape


def call_lines(plan: Plan, path: str, batch: int) -> Iterator[str]:
    """One line per call, in order: method, path, and body as JSON."""
    for operation in operations(plan, batch=batch):
        # A product's name may hold what a terminal or a pipeline obeys.
        yield escape(_line(operation, path))


def _line(operation: Operation, path: str) -> str:
    if isinstance(operation, Remove):
        return f"DELETE {path}?hash={quote(operation.change.id, safe='')}"
    body = operation_json(operation)["body"]
    if isinstance(operation, Patch):
        body = {"products": list(operation.ids), **body}
    return f"{operation.method} {path} {json.dumps(body, ensure_ascii=False)}"
