"""Changes of files as a unified diff, as git writes them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from reconciler.report.escape import escape
from reconciler.report.style import Style

_CONTEXT: Final = 3
_NOWHERE: Final = "/dev/null"


class _Step(NamedTuple):
    """A stretch of lines, `i1` to `i2` of the old text and `j1` to `j2` of the new one."""

    tag: str
    i1: int
    i2: int
    j1: int
    j2: int


def unified_diff(
    name: str, before: bytes | None, after: bytes | None, *, color: bool = False
) -> str:
    """What changes in the file `name`; None stands for no file. Both must be UTF-8.

    Lines are shown with control characters escaped, carriage returns at their ends left out.
    """
    style = Style(color)
    old, new = _lines(before), _lines(after)
    shown = escape(name)
    lines = [
        style.bold(f"--- {_NOWHERE if before is None else f'a/{shown}'}"),
        style.bold(f"+++ {_NOWHERE if after is None else f'b/{shown}'}"),
    ]
    for hunk in _hunks(_steps(old, new)):
        first, last = hunk[0], hunk[-1]
        lines.append(style.cyan(f"@@ -{_span(first.i1, last.i2)} +{_span(first.j1, last.j2)} @@"))
        for tag, i1, i2, j1, j2 in hunk:
            if tag == "equal":
                lines += [f" {_shown(line)}" for line in old[i1:i2]]
            else:
                lines += [style.red(f"-{_shown(line)}") for line in old[i1:i2]]
                lines += [style.green(f"+{_shown(line)}") for line in new[j1:j2]]
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def _lines(data: bytes | None) -> list[str]:
    # Not splitlines(), which also breaks lines at form feeds and other characters that git keeps.
    *whole, rest = (data or b"").decode("utf-8", "replace").split("\n")
    return [f"{line}\n" for line in whole] + [rest] * bool(rest)


def _shown(line: str) -> str:
    text = line.removesuffix("\n").removesuffix("\r")
    # A tab is harmless and part of the layout, but would be spelled out.
    shown = "\t".join(map(escape, text.split("\t")))
    return shown if line.endswith("\n") else f"{shown}\n\\ No newline at end of file"


def _span(start: int, stop: int) -> str:
    length = stop - start
    # For a stretch without lines the format names the line before it.
    begin = start + 1 if length else start
    return str(begin) if length == 1 else f"{begin},{length}"


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterator[_Step]:
    """How `old` becomes `new`.

    Lines that are unique in both texts part them into short pieces, each compared on its own: on
    the whole of a large file difflib would take hours.
    """
    once = {line for line, count in Counter(old).items() if count == 1}
    places = {line: j for j, line in enumerate(new)}
    twice = {line for line, count in Counter(new).items() if count > 1}
    i = j = 0
    for place, line in enumerate(old):
        other = places.get(line, -1)
        if line in once and line not in twice and other >= j:
            yield from _compared(old, new, _Step("", i, place, j, other))
            yield _Step("equal", place, place + 1, other, other + 1)
            i, j = place + 1, other + 1
    yield from _compared(old, new, _Step("", i, len(old), j, len(new)))


def _compared(old: Sequence[str], new: Sequence[str], piece: _Step) -> Iterator[_Step]:
    _, i1, i2, j1, j2 = piece
    if i1 == i2 or j1 == j2:
        if i1 != i2 or j1 != j2:
            yield _Step("delete" if j1 == j2 else "insert", i1, i2, j1, j2)
        return
    # False: in long texts difflib would else ignore frequent lines and show too much as changed.
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, old[i1:i2], new[j1:j2], False).get_opcodes():
        yield _Step(tag, i1 + a1, i1 + a2, j1 + b1, j1 + b2)


def _hunks(steps: Iterator[_Step]) -> Iterator[list[_Step]]:
    """The changes in groups, each with a few lines around it; equal neighbours are joined."""
    joined: list[_Step] = []
    for step in steps:
        if joined and joined[-1].tag == step.tag == "equal":
            joined[-1] = _Step("equal", joined[-1].i1, step.i2, joined[-1].j1, step.j2)
        else:
            joined.append(step)
    hunk: list[_Step] = []
    for position, step in enumerate(joined):
        tag, i1, i2, j1, j2 = step
        if tag != "equal":
            hunk.append(step)
            continue
        if hunk:
            if i2 - i1 <= 2 * _CONTEXT and position + 1 < len(joined):
                hunk.append(step)
                continue
            shown = min(_CONTEXT, i2 - i1)
            yield [*hunk, _Step(tag, i1, i1 + shown, j1, j1 + shown)]
        shown = min(_CONTEXT, i2 - i1)
        hunk = [_Step(tag, i2 - shown, i2, j2 - shown, j2)]
    if any(step.tag != "equal" for step in hunk):
        yield hunk
