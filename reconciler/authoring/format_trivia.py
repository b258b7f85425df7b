"""What stands between the nodes of a document, and what is left as it is there."""

from typing import NamedTuple

Lines = list[str]


class Left(NamedTuple):
    """Something that no rule covers, so that it keeps its text: where it begins, and why."""

    start: int
    why: str


class LeaveAsItIsError(Exception):
    """There is something here that no rule covers: the text around it is left alone."""

    def __init__(self, start: int, why: str) -> None:
        super().__init__(why)
        self.left = Left(start, why)


class Trivia(NamedTuple):
    """A comment of its own line, or a blank line (`text` is empty), and its column."""

    column: int
    text: str


def split(trivia: list[Trivia], column: int) -> tuple[list[Trivia], list[Trivia]]:
    """The trivia that is indented by `column` at least, and the rest."""
    inner = 0
    for number, item in enumerate(trivia):
        if item.text and item.column < column:
            break
        if item.text:
            inner = number + 1
    return trivia[:inner], trivia[inner:]


def lines_at(column: int, trivia: list[Trivia]) -> Lines:
    """Trivia as lines, indented by `column`."""
    return [f"{' ' * column}{item.text}" if item.text else "" for item in trivia]


def squeezed(lines: Lines) -> Lines:
    """`lines` with no more than one blank line in a row."""
    return [
        line
        for number, line in enumerate(lines)
        if line.strip() or not number or lines[number - 1].strip()
    ]
