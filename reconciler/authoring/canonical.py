"""Scalars in canonical form: one line where they fit, quotes where plain text could be misread."""

from typing import Final

from reconciler.yamltext.layout import Node
from reconciler.yamltext.scalars import is_safe_plain, spelled

WIDTH: Final = 100
"""The longest line, in characters, that text of several lines or a list is joined into."""

_STEP: Final = 2


def is_single_line(text: str, node: Node) -> bool:
    """Whether a node begins and ends on one line."""
    return "\n" not in text[node.start : node.end]


def flow_scalar(text: str, node: Node) -> str:
    """A scalar of one line as it stands between brackets."""
    source = text[node.content : node.end]
    if source[:1] in ('"', "'") or is_safe_plain(node.value, flow=True):
        return source
    return spelled(node.value, flow=True)


def scalar_lines(text: str, node: Node, column: int, used: int) -> list[str]:
    """The lines of a scalar whose key stands at `column`; the first follows that key.

    `used` characters of the line are taken. Raises ValueError where the text must stay as it is.
    """
    source = text[node.content : node.end]
    if source[:1] in ("|", ">"):
        return _block_lines(source, column)
    quote = source[0] if source[:1] in ('"', "'") else ""
    if "\n" not in source:
        if quote or is_safe_plain(node.value, flow=False):
            return [source]
        return [spelled(node.value, flow=False)]
    joined = spelled(node.value, flow=False, quote=quote)
    if "\n" in node.value or used + len(joined) > WIDTH:
        raise ValueError("text of several lines that would not fit one")
    return [joined]


def _block_lines(source: str, column: int) -> list[str]:
    """A block scalar, its text indented by two more than its key."""
    header, _, body = source.partition("\n")
    if any(character.isdigit() for character in header.partition("#")[0]) or not body:
        raise ValueError("an indentation given in the header, or no text")
    lines = body.split("\n")
    first = next(line for line in lines if line.strip())
    indent = len(first) - len(first.lstrip(" "))
    return [
        header.rstrip(),
        *(" " * (column + _STEP) + line[indent:] if line.strip() else "" for line in lines),
    ]


def shifted(source: str, by: int, column: int) -> list[str]:
    """The lines of `source`, which begins at `column`, each moved to the right `by` characters."""
    first, *rest = source.split("\n")
    lines = [" " * column + first.rstrip()]
    for line in rest:
        blank = len(line) - len(line.lstrip(" "))
        lines.append(" " * max(0, blank + by) + line.lstrip(" ") if line.strip() else "")
    return lines
