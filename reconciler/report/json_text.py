"""JSON text that people can read, line-based tools can compare, and every terminal survives."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.report.escape import break_commands


def json_text(document: Mapping[str, Any]) -> str:
    """`document` as JSON: one line a key, one line an element of a list, ASCII only.

    The elements are encoded whole, which keeps 100,000 of them quick; everything beyond ASCII is
    escaped, so that no encoding of stdout can damage the text and no character of it can act.
    """
    lines = []
    for key, value in document.items():
        if isinstance(value, list) and value:
            elements = ",\n".join("    " + _encode(element) for element in value)
            lines.append(f"  {_encode(key)}: [\n{elements}\n  ]")
        else:
            lines.append(f"  {_encode(key)}: {_encode(value)}")
    # Within JSON a `#` can only be part of a string, which may also spell it \u0023.
    return break_commands("{\n" + ",\n".join(lines) + "\n}\n", "\\u0023")


def canonical_text(document: Mapping[str, Any]) -> str:
    """`document` as JSON on one line, its keys sorted: the same text for the same values."""
    return _canonical(document)


def _plain(value: object) -> object:
    """A read-only mapping or another iterable as JSON knows it."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


# A number that JSON lacks would be an error of ours: what is read from elsewhere has none.
_encode = json.JSONEncoder(default=_plain, allow_nan=False).encode
_canonical = json.JSONEncoder(
    default=_plain, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
