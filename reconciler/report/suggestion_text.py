"""A suggested policy: as YAML for the settings, and as JSON."""

import json
from collections.abc import Iterable

from reconciler.policy.suggest import Suggestion, Used
from reconciler.report.json_text import json_text


def suggestion_text(found: Suggestion) -> str:
    """The suggestion as YAML for the settings, with counts and doubts as comments."""
    lines = [
        f"# From {found.products} products. Read it, remove mistakes, and put the rest into",
        "# reconciler.yaml. `level: warning` lets a rule warn before it refuses.",
        "policy:",
    ]
    for field, kind, used in (
        ("type", "one_of", found.types),
        ("tags", "one_of", found.tags),
        ("image_url", "host", found.hosts),
    ):
        if used:
            lines += [f"  - field: {field}", f"    {kind}:", *map(_line, used)]
    if found.ids is not None:
        lines += ["  - field: store_id", f"    pattern: {_quoted(found.ids)}"]
    # `policy:` with nothing behind it would be null, and not an empty list.
    return "\n".join(lines if lines[-1] != "policy:" else [*lines[:-1], "policy: []"]) + "\n"


def _line(used: Used) -> str:
    products = "1 product" if used.count == 1 else f"{used.count} products"
    doubt = f"; or is it {_quoted(used.near)}?" if used.near else ""
    return f"      - {_quoted(used.value)}  # {products}{doubt}"


def _quoted(text: str) -> str:
    """Text as YAML that every reader takes for text, and that holds nothing invisible."""
    # A JSON string is a YAML string too, with everything beyond ASCII spelled out.
    return json.dumps(text)


def suggestion_json(found: Suggestion) -> str:
    """The same as JSON: each value with the number of its products, and what it is near to."""

    def listed(used: Iterable[Used]) -> list[dict[str, object]]:
        return [{"value": u.value, "products": u.count, "near": u.near} for u in used]

    document = {
        "products": found.products,
        "type": listed(found.types),
        "tags": listed(found.tags),
        "hosts": listed(found.hosts),
        "store_id_pattern": found.ids,
    }
    return json_text(document)
