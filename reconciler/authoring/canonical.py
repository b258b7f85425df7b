"""The canonical form of a product: the one that `pull` writes and that `fmt` brings files into."""

from collections.abc import Sequence
from typing import Final

from reconciler.model import FIELDS, Value, Values
from reconciler.yamltext.scalars import scalar_text

WIDTH: Final = 100
"""The longest line, in characters, that a list of tags is written on."""
STEP: Final = "  "
"""How far the entries of a list, and the fields of an entry, are indented."""


def inline(value: Value, *, flow: bool) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return scalar_text(value, flow=flow)
    return f"[{', '.join(scalar_text(tag, flow=True) for tag in value)}]"


def field_lines(key: str, value: Value, indent: str = "") -> list[str]:
    """A field as lines, each after `indent`: text on one line, tags too if they fit."""
    line = f"{indent}{key}: {inline(value, flow=False)}"
    if isinstance(value, str) or len(line) <= WIDTH:
        return [line]
    return [
        f"{indent}{key}:",
        *(f"{indent}{STEP}- {scalar_text(tag, flow=False)}" for tag in value),
    ]


def product_lines(values: Values, indent: str = "") -> list[str]:
    """A product as lines, each after `indent`."""
    return [
        line
        for field, value in zip(FIELDS, values, strict=True)
        if value is not None
        for line in field_lines(field.key, value, indent)
    ]


def one_product(values: Values) -> str:
    """The text of a file that declares one product."""
    return "\n".join([*product_lines(values), ""])


def entry_lines(lines: Sequence[str], indent: str, mark: str = "- ") -> list[str]:
    """A product's lines, indented by `indent` and the width of `mark`, as an entry of a list."""
    return [indent + mark + lines[0].lstrip(), *lines[1:]]
