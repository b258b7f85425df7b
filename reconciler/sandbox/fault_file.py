"""Fault files: a Schedule as JSON, for `reconciler sandbox --faults FILE`.

Either a list of faults or `{"seed": 7, "faults": [...]}`; a fault's keys are the fields of Fault:
`{"kind": "status", "method": "PATCH", "nth": [1, 3], "status": 429, "retry_after": "2"}`.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from reconciler.errors import UsageError
from reconciler.sandbox.faults import Fault, Schedule, suggestion

_HINT: Final = 'A fault reads like {"kind": "status", "method": "GET", "nth": [1], "status": 503}.'


def read_schedule(path: str | Path) -> Schedule:
    """The Schedule in a file; UsageError lists every mistake in it."""
    try:
        # Some editors begin a file with a byte-order mark, which JSON does not allow.
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The fault file {path} cannot be read: {error}.", hint="Check the name and its rights."
        ) from error
    return parse_schedule(text, str(path))


def parse_schedule(text: str, name: str = "faults") -> Schedule:
    """The Schedule in a JSON text; UsageError, which calls it `name`, lists every mistake."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}.", hint=_HINT) from error
    complaints: list[str] = []
    seed, entries = _top(data, complaints)
    faults: list[Fault] = []
    for number, entry in enumerate(entries):
        at = f"faults[{number}]"
        found, options = _options(entry, at)
        complaints += found
        if found:
            continue
        try:
            faults.append(Fault(**options))
        except UsageError as error:
            complaints.append(f"{at}: {error.message}")
    if complaints:
        # In one line: a line break in a message is shown as what it is, and breaks nothing.
        told = "; ".join(complaint.rstrip(".") for complaint in complaints)
        raise UsageError(f"The fault file {name} cannot be used: {told}.", hint=_HINT)
    return Schedule(faults, seed)


def _top(data: object, complaints: list[str]) -> tuple[int, list[Any]]:
    """The seed and the list of faults; mistakes are added to `complaints`."""
    if isinstance(data, list):
        return 0, data
    if not isinstance(data, dict):
        complaints.append("the file: expected a list of faults")
        return 0, []
    for key in data.keys() - {"seed", "faults"}:
        complaints.append(f"{key}: unknown key{suggestion(key, ('seed', 'faults'))}")
    seed, entries = data.get("seed", 0), data.get("faults", [])
    if not _is_a(seed, int):
        complaints.append(f"seed: expected a whole number, not {seed!r}")
        seed = 0
    if not isinstance(entries, list):
        complaints.append("faults: expected a list")
        entries = []
    return seed, entries


def _options(entry: object, at: str) -> tuple[list[str], dict[str, Any]]:
    """The complaints about one entry, and its keys as arguments of Fault."""
    if not isinstance(entry, dict):
        return [f"{at}: expected an object, not {entry!r}"], {}
    complaints = [] if "kind" in entry else [f"{at}: kind is missing"]
    options: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in _TYPES:
            complaints.append(f"{at}.{key}: unknown key{suggestion(key, _TYPES)}")
        elif key == "nth":
            options[key] = tuple(value) if isinstance(value, list) else (value,)
            if not all(_is_a(number, int) for number in options[key]):
                complaints.append(f"{at}.nth: expected whole numbers, not {value!r}")
        elif not _is_a(value, *_TYPES[key]):
            wanted = " or ".join(kind.__name__ for kind in _TYPES[key])
            complaints.append(f"{at}.{key}: expected {wanted}, not {value!r}")
        else:
            options[key] = value
    return complaints, options


def _is_a(value: object, *kinds: type) -> bool:
    """Whether a JSON value is of one of these types; true and false do not count as numbers."""
    return isinstance(value, kinds) and not isinstance(value, bool)


def _types() -> Mapping[str, tuple[type, ...]]:
    """The JSON types of each field of Fault, from its annotations."""
    known: dict[str, tuple[type, ...]] = {}
    hints = get_type_hints(Fault)
    for field in fields(Fault):
        hint = hints[field.name]
        parts = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        kinds = tuple(p for p in parts if isinstance(p, type) and p is not types.NoneType)
        # JSON may write 1 for 1.0. A Literal of texts has no types among its arguments: it is text.
        known[field.name] = (int, float) if float in kinds else (kinds or (str,))
    return known


_TYPES: Final = _types()
