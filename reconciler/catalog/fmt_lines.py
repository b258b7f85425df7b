"""The lines of one document in canonical form: fields, lists, products, and their comments.

Every method returns the lines of a node and the trivia (comments and blank lines) that follow it
and belong to what comes next. Trivia belongs to the innermost node that it is indented like.
"""

from typing import Final, NamedTuple, NoReturn

from reconciler.catalog.fmt_values import (
    WIDTH,
    flow_scalar,
    is_single_line,
    scalar_lines,
    shifted,
)
from reconciler.catalog.layout import Layout, Node
from reconciler.catalog.values import POSITIONS

_STEP: Final = 2
_SHAPE: Final = {"defaults": 0, "products": 1}


class LeaveAsItIsError(Exception):
    """There is something here that no rule covers: the text around it is left alone."""


class Trivia(NamedTuple):
    """A comment of its own line, or a blank line (`text` is empty), and its column."""

    column: int
    text: str


Lines = list[str]
Pair = tuple[Node, Node]


class Formatter:
    """Lays out the nodes of one document anew."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._text = layout.text

    def root(self, root: Node) -> tuple[Lines, Lines]:
        """The lines of a document's mapping, and the comments that end the document."""
        lines, rest = self._map(root, 0, self._trivia(root.end, len(self._text)))
        return lines, [item.text for item in rest]

    def _map(self, node: Node, column: int, after: list[Trivia]) -> tuple[Lines, list[Trivia]]:
        """A block mapping whose keys shall stand at `column`."""
        own = self._layout.column(node.items[0].start)
        chunks: list[tuple[int, list[Trivia], Lines]] = []
        leading: list[Trivia] = []
        pairs = node.pairs
        for number, (key, value) in enumerate(pairs):
            self._expect(self._layout.column(key.start) == own)
            last = number + 1 == len(pairs)
            gap = after if last else self._trivia(value.end, pairs[number + 1][0].start)
            lines, rest = self._pair(key, value, column, gap)
            chunks.append((_rank(key), leading, lines))
            leading = rest
        chunks.sort(key=lambda chunk: chunk[0])
        inner, outer = _split(leading, own) if own else ([], leading)
        result: Lines = []
        for _, above, lines in chunks:
            result += [*_at(column, above), *lines]
        return [*result, *_at(column, inner)], outer

    def _pair(
        self, key: Node, value: Node, column: int, gap: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        """A key with its value; the key shall stand at `column`."""
        between = self._text[key.end : value.start]
        self._expect(key.kind == "scalar" and not key.is_special and between.lstrip()[:1] == ":")
        if value.is_special_itself or self._is_odd(key, value):
            return self._as_it_is(key, value, column), gap
        name = f"{' ' * column}{key.value}:"
        if value.kind == "scalar":
            tail = self._tail(value)
            try:
                shape = scalar_lines(self._text, value, column, len(name) + 1 + len(tail))
            except ValueError:
                return self._as_it_is(key, value, column), gap
            shape = [f"{name} {shape[0]}", *shape[1:]]
            shape[-1] += tail
            return shape, gap
        if value.kind == "map":
            return self._mapping_value(name, key, value, column, gap)
        if key.value == "products":
            return self._products(name, key, value, column, gap)
        return self._tags(name, key, value, column, gap)

    def _mark(self, key: Node) -> str:
        """The comment behind a key whose value begins on a later line."""
        tail = self._text[key.end : self._layout.line_end(key.end)].partition(":")[2].rstrip()
        self._expect(not tail.strip() or tail.strip()[0] == "#")
        return tail

    def _is_odd(self, key: Node, value: Node) -> bool:
        """Whether comments stand where no rule expects them."""
        between = self._text[key.end : value.content]
        if value.kind != "scalar" and not value.flow:
            return False
        return "#" in between or (value.flow and self._layout.has_comments(value.start, value.end))

    def _mapping_value(
        self, name: str, key: Node, value: Node, column: int, gap: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        if value.is_special:
            return self._as_it_is(key, value, column), gap
        if value.flow and (is_single_line(self._text, value) or not value.items):
            return [f"{name} {self._flow_map(value)}{self._tail(value)}"], gap
        if value.flow:
            return [f"{name}{self._tail(value)}", *self._opened(value, column + _STEP)], gap
        above = _at(column + _STEP, self._trivia(key.end, value.start))
        lines, rest = self._map(value, column + _STEP, gap)
        return [name + self._mark(key), *above, *lines], rest

    def _products(
        self, name: str, key: Node, value: Node, column: int, gap: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        if value.flow:
            return self._as_it_is(key, value, column), gap
        lines = [name + self._mark(key)]
        at = column + _STEP
        dashes = self._dashes(value)
        own = self._layout.column(dashes[0])
        leading = self._trivia(key.end, dashes[0])
        for number, (dash, item) in enumerate(zip(dashes, value.items, strict=True)):
            self._expect(self._layout.column(dash) == own)
            last = number + 1 == len(dashes)
            after = gap if last else self._trivia(item.end, dashes[number + 1])
            item_lines, rest = self._product(dash, item, at, after)
            lines += [*_at(at, leading), *item_lines]
            leading = rest
        inner, outer = self._within(key, own, leading)
        return [*lines, *_at(at, inner)], outer

    def _within(
        self, key: Node, column: int, trivia: list[Trivia]
    ) -> tuple[list[Trivia], list[Trivia]]:
        """The trivia after a list at `column` below `key` that is the list's own, and the rest."""
        return _split(trivia, column) if column > self._layout.column(key.start) else ([], trivia)

    def _product(
        self, dash: int, item: Node, column: int, after: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        """An entry of a list of products, whose dash shall stand at `column`."""
        dashed = self._text[dash + 1 : item.start]
        if item.kind != "map" or item.is_special or "#" in dashed:
            return self._verbatim(dash, item.end, column), after
        if not item.flow:
            try:
                lines, rest = self._map(item, column + _STEP, after)
            except LeaveAsItIsError:
                return self._verbatim(dash, item.end, column), after
            first = next(n for n, line in enumerate(lines) if line.strip(" ")[:1] not in ("", "#"))
            above = [line[_STEP:] for line in lines[:first]]
            lines[first] = f"{' ' * column}- {lines[first].lstrip()}"
            return [*above, *lines[first:]], rest
        if self._layout.has_comments(item.start, item.end):
            return self._verbatim(dash, item.end, column), after
        lead, tail = f"{' ' * column}- ", self._tail(item)
        if is_single_line(self._text, item) or not item.items:
            return [f"{lead}{self._flow_map(item)}{tail}"], after
        opened = self._opened(item, column + _STEP)
        opened[0] = lead + opened[0].lstrip()
        return ([f"{' ' * column}{tail.lstrip()}"] if tail else []) + opened, after

    def _opened(self, node: Node, column: int) -> Lines:
        """A flow mapping of several lines as a block mapping."""
        lines: Lines = []
        for key, value in sorted(node.pairs, key=lambda pair: _rank(pair[0])):
            self._expect(key.kind == "scalar" and value.kind in ("scalar", "seq"))
            name = f"{' ' * column}{key.value}:"
            if value.kind == "seq":
                lines += self._tag_lines(name, [self._flow(item) for item in value.items], column)
            else:
                self._expect(is_single_line(self._text, value))
                lines += [f"{name} {scalar_lines(self._text, value, column, 0)[0]}"]
        return lines

    def _tags(
        self, name: str, key: Node, value: Node, column: int, gap: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        if value.is_special or any(item.kind != "scalar" for item in value.items):
            return self._as_it_is(key, value, column), gap
        if value.flow:
            lines = self._tag_lines(name, [self._flow(item) for item in value.items], column)
            lines[0] += self._tail(value)
            return lines, gap
        dashes = self._dashes(value)
        inner, outer = self._within(key, self._layout.column(dashes[0]), gap)
        if not all(is_single_line(self._text, item) for item in value.items):
            return self._as_it_is(key, value, column), gap
        noted = self._layout.has_comments(key.end, value.end)
        if not (noted or self._tail(value) or any(item.text for item in inner)):
            items = [self._flow(item) for item in value.items]
            return self._tag_lines(name, items, column), gap
        at = column + _STEP
        lines = [name + self._mark(key), *_at(at, self._trivia(key.end, dashes[0]))]
        for number, (dash, item) in enumerate(zip(dashes, value.items, strict=True)):
            shown = scalar_lines(self._text, item, at, 0)[0]
            lines.append(f"{' ' * at}- {shown}{self._tail(item)}")
            self._expect("#" not in self._text[dash + 1 : item.start])
            if number + 1 < len(dashes):
                lines += _at(at, self._trivia(item.end, dashes[number + 1]))
        return [*lines, *_at(at, inner)], outer

    def _tag_lines(self, name: str, items: list[str], column: int) -> Lines:
        """Tags on one line where that is short enough, else one a line."""
        line = f"{name} [{', '.join(items)}]"
        if len(line) <= WIDTH:
            return [line]
        return [name, *(f"{' ' * (column + _STEP)}- {item}" for item in items)]

    def _flow_map(self, node: Node) -> str:
        """A flow mapping on one line."""
        pairs = sorted(node.pairs, key=lambda pair: _rank(pair[0]))
        return "{" + ", ".join(f"{key.value}: {self._flow(value)}" for key, value in pairs) + "}"

    def _flow(self, node: Node) -> str:
        """A scalar or a list of scalars as it stands between brackets."""
        self._expect(node.kind in ("scalar", "seq") and is_single_line(self._text, node))
        if node.kind == "seq":
            return f"[{', '.join(self._flow(item) for item in node.items)}]"
        return flow_scalar(self._text, node)

    def _dashes(self, node: Node) -> list[int]:
        """Where the dash of each entry of a block list stands."""
        dashes: list[int] = []
        index = node.content
        for item in node.items:
            dash = self._layout.after_trivia(index)
            self._expect(self._text[dash] == "-")
            before = self._text[self._layout.line_start(dash) : dash]
            self._expect(not before.strip())
            dashes.append(dash)
            index = item.end
        return dashes

    def _as_it_is(self, key: Node, value: Node, column: int) -> Lines:
        return self._verbatim(key.start, value.end, column)

    def _verbatim(self, start: int, end: int, column: int) -> Lines:
        """The text from `start` to the end of the line of `end`, moved to `column` as a whole."""
        end = self._layout.line_end(end)
        return shifted(self._text[start:end], column - self._layout.column(start), column)

    def _tail(self, node: Node) -> str:
        """The comment behind a node on its line, with the white space before it."""
        tail = self._text[node.end : self._layout.line_end(node.end)].rstrip()
        self._expect(not tail.strip() or tail.strip()[0] == "#")
        return tail

    def _trivia(self, start: int, end: int) -> list[Trivia]:
        """The comments and blank lines on the lines between two nodes."""
        begin = self._layout.line_end(start) + 1
        stop = self._layout.line_start(end) if end < len(self._text) else end
        found: list[Trivia] = []
        for line in self._text[begin:stop].removesuffix("\n").split("\n") if begin < stop else ():
            text = line.strip()
            self._expect(not text or text[0] == "#")
            if text or not found or found[-1].text:
                found.append(Trivia(len(line) - len(line.lstrip()), text))
        return found

    def _expect(self, holds: bool) -> None:
        if not holds:
            _leave()


def _leave() -> NoReturn:
    raise LeaveAsItIsError


def _rank(key: Node) -> int:
    """Where a field stands among the others."""
    return _SHAPE.get(key.value, POSITIONS.get(key.value, len(POSITIONS)))


def _split(trivia: list[Trivia], column: int) -> tuple[list[Trivia], list[Trivia]]:
    """The trivia that is indented by `column` at least, and the rest."""
    inner = 0
    for number, item in enumerate(trivia):
        if item.text and item.column < column:
            break
        if item.text:
            inner = number + 1
    return trivia[:inner], trivia[inner:]


def _at(column: int, trivia: list[Trivia]) -> Lines:
    """Trivia as lines, indented by `column`."""
    return [f"{' ' * column}{item.text}" if item.text else "" for item in trivia]


def squeezed(lines: Lines) -> Lines:
    """`lines` with no more than one blank line in a row."""
    return [
        line
        for number, line in enumerate(lines)
        if line.strip() or not number or lines[number - 1].strip()
    ]
