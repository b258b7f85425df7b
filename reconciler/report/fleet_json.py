"""A fleet as JSON: what became of each store, or the stores themselves."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from reconciler.codes import Code
from reconciler.errors import PlanFileError
from reconciler.report.fleet_results import FleetAction, StoreResult, by_exit_code, sums, worst_code
from reconciler.report.json_text import json_text

_FORMAT: Final = "reconciler.fleet/1"
MOST_JOBS: Final = 256
"""The most jobs that a matrix of GitHub may have."""


def fleet_json(
    results: Sequence[StoreResult], action: FleetAction, *, tool: str, seconds: float
) -> str:
    """The results as `reconciler.fleet/1`, one line a store."""
    return json_text(
        {
            "format": _FORMAT,
            "tool": tool,
            "action": action,
            "exit_code": worst_code(results),
            "seconds": round(seconds, 3),
            "stores": [_store(result, action) for result in results],
            "summary": {
                **sums(results),
                "stores": len(results),
                "exit_codes": {str(code): count for code, count in by_exit_code(results).items()},
            },
        }
    )


def _store(result: StoreResult, action: FleetAction) -> dict[str, Any]:
    document: dict[str, Any] = {
        "store": result.store,
        "exit_code": result.exit_code,
        "summary": dict(result.summary),
        "error": result.error,
        "code": result.code,
        "hint": result.hint,
        "notes": list(result.notes),
        "takeovers": result.takeovers,
        "seconds": result.seconds,
    }
    if action == "plan":
        document["refused"] = result.refused
    if action == "apply":
        document["converged"] = result.converged
    if "calls" in result.texts:
        document["calls"] = result.calls
    # Only on request: the rendered changes make the file many times larger.
    if "details" in result.texts:
        document["details"] = result.texts["details"]
    return document


def read_fleet(data: bytes, name: str) -> tuple[list[StoreResult], FleetAction]:
    """The results in a `reconciler.fleet/1`; PlanFileError if the file called `name` is not one."""
    try:
        document = json.loads(data)
        if document["format"] != _FORMAT or document["action"] not in get_args(FleetAction):
            raise ValueError(f"its format is {document['format']!r}")
        return [_read(store) for store in document["stores"]], document["action"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PlanFileError(
            f"The file {name} holds no results of a fleet: {error}",
            hint="Make it with `reconciler fleet plan --format json --output FILE`.",
        ) from error


def _read(store: Mapping[str, Any]) -> StoreResult:
    # Keys that are not known are passed over: a job may run a later version.
    details = store.get("details")
    return StoreResult(
        str(store["store"]),
        int(store["exit_code"]),
        summary={str(key): int(count) for key, count in store["summary"].items()},
        error=_text(store.get("error")),
        code=Code(store["code"]) if store.get("code") else None,
        hint=_text(store.get("hint")),
        seconds=float(store["seconds"]),
        notes=tuple(map(str, store.get("notes", ()))),
        refused=store.get("refused") is True,
        converged=store.get("converged"),
        takeovers=int(store.get("takeovers", 0)),
        texts={} if details is None else {"details": str(details)},
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def stores_json(stores: Sequence[dict[str, Any]]) -> str:
    """The stores of the settings, one line each."""
    return json_text({"format": "reconciler.fleet.stores/1", "stores": list(stores)})


def github_matrix(stores: Sequence[str]) -> str:
    """A `strategy.matrix` of GitHub: a job for each store, or for several if there are too many.

    Each job has a `name` for people and `stores`, names with blanks between. One line, as
    $GITHUB_OUTPUT takes it.
    """
    # Rounded up: one job too many and GitHub refuses the whole matrix.
    size = max(1, -(-len(stores) // MOST_JOBS))
    batches = [stores[start : start + size] for start in range(0, len(stores), size)]
    jobs = [
        {"name": batch[0] if len(batch) == 1 else f"{batch[0]} to {batch[-1]}",
         "stores": " ".join(batch)}
        for batch in batches
    ]  # fmt: skip
    return json.dumps({"include": jobs}) + "\n"
