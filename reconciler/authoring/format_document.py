"""The lines of one document in canonical form: fields, lists, products, and their comments.

Every method returns the lines of a node and the trivia (comments and blank lines) that follow it
and belong to what comes next. Trivia belongs to the innermost node that it is indented like.
"""

from typing import Final

from reconciler.authoring.format_trivia import (
    LeaveAsItIsError,
    Left,
    Lines,
    Trivia,
    lines_at,
    split,
)
from reconciler.authoring.format_values import (
    WIDTH,
    flow_scalar,
    is_single_line,
    scalar_lines,
    shifted,
)
from reconciler.catalog.values import POSITIONS
from reconciler.yamltext.layout import Layout, Node

_STEP: Final = 2
_ODD_KEY: Final = "a field is not written as `key: value`"
_ODD_LINE: Final = "something else stands on the same line"
_INNER_COMMENT: Final = "a comment stands within the value"
_SEVERAL_LINES: Final = "text of several lines stands between brackets"
_PRODUCTS_IN_BRACKETS: Final = "the products stand between brackets"
_SHAPE: Final = {"defaults": 0, "products": 1}


Pair = tuple[Node, Node]


class Formatter:
    """Lays out the nodes of one document anew; `left` are those whose text it kept."""

    def __init__(self, layout: Layout) -> None:
        self.left: list[Left] = []
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
            # After `? ` the first key alone stands further to the right.
            odd = node.items[0] if self._text[node.content] == "?" else key
            self._expect(self._layout.column(key.start) == own, odd.start, _ODD_KEY)
            last = number + 1 == len(pairs)
            gap = after if last else self._trivia(value.end, pairs[number + 1][0].start)
            lines, rest = self._pair(key, value, column, gap)
            chunks.append((_rank(key), leading, lines))
            leading = rest
        chunks.sort(key=lambda chunk: chunk[0])
        inner, outer = split(leading, own) if own else ([], leading)
        result: Lines = []
        for _, above, lines in chunks:
            result += [*lines_at(column, above), *lines]
        return [*result, *lines_at(column, inner)], outer

    def _pair(
        self, key: Node, value: Node, column: int, gap: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        """A key with its value; the key shall stand at `column`."""
        between = self._text[key.end : value.start]
        plain = key.kind == "scalar" and not key.is_special and between.lstrip()[:1] == ":"
        self._expect(plain, key.start, _ODD_KEY)
        if value.is_special_itself:
            return self._as_it_is(key, value, column), gap
        if self._is_odd(key, value):
            self.left.append(Left(key.start, _INNER_COMMENT))
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
        self._expect(tail.strip()[:1] in ("", "#"), key.start, _ODD_LINE)
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
        above = lines_at(column + _STEP, self._trivia(key.end, value.start))
        lines, rest = self._map(value, column + _STEP, gap)
        return [name + self._mark(key), *above, *lines], rest

    def _products(
        self, name: str, key: Node, value: Node, column: int, gap: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        if value.flow:
            if value.items:
                self.left.append(Left(value.start, _PRODUCTS_IN_BRACKETS))
            return self._as_it_is(key, value, column), gap
        lines = [name + self._mark(key)]
        at = column + _STEP
        dashes = self._dashes(value)
        own = self._layout.column(dashes[0])
        leading = self._trivia(key.end, dashes[0])
        for number, (dash, item) in enumerate(zip(dashes, value.items, strict=True)):
            self._expect(self._layout.column(dash) == own, dash, _ODD_LINE)
            last = number + 1 == len(dashes)
            after = gap if last else self._trivia(item.end, dashes[number + 1])
            item_lines, rest = self._product(dash, item, at, after)
            lines += [*lines_at(at, leading), *item_lines]
            leading = rest
        inner, outer = self._within(key, own, leading)
        return [*lines, *lines_at(at, inner)], outer

    def _within(
        self, key: Node, column: int, trivia: list[Trivia]
    ) -> tuple[list[Trivia], list[Trivia]]:
        """The trivia after a list at `column` below `key` that is the list's own, and the rest."""
        return split(trivia, column) if column > self._layout.column(key.start) else ([], trivia)

    def _product(
        self, dash: int, item: Node, column: int, after: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        """An entry of a list of products, whose dash shall stand at `column`."""
        kept = len(self.left)
        try:
            if item.kind == "map" and not item.is_special:
                return self._plain_product(dash, item, column, after)
        except LeaveAsItIsError as error:
            self.left[kept:] = [error.left]
        return self._verbatim(dash, item.end, column), after

    def _plain_product(
        self, dash: int, item: Node, column: int, after: list[Trivia]
    ) -> tuple[Lines, list[Trivia]]:
        self._expect("#" not in self._text[dash + 1 : item.start], dash, _INNER_COMMENT)
        if not item.flow:
            lines, rest = self._map(item, column + _STEP, after)
            first = next(n for n, line in enumerate(lines) if line.strip(" ")[:1] not in ("", "#"))
            above = [line[_STEP:] for line in lines[:first]]
            lines[first] = f"{' ' * column}- {lines[first].lstrip()}"
            return [*above, *lines[first:]], rest
        inner = self._layout.has_comments(item.start, item.end)
        self._expect(not inner, item.start, _INNER_COMMENT)
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
            plain = key.kind == "scalar" and value.kind in ("scalar", "seq")
            self._expect(plain, key.start, _ODD_KEY)
            name = f"{' ' * column}{key.value}:"
            if value.kind == "seq":
                lines += self._tag_lines(name, [self._flow(item) for item in value.items], column)
            else:
                self._expect(is_single_line(self._text, value), value.start, _SEVERAL_LINES)
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
        lines = [name + self._mark(key), *lines_at(at, self._trivia(key.end, dashes[0]))]
        for number, (dash, item) in enumerate(zip(dashes, value.items, strict=True)):
            shown = scalar_lines(self._text, item, at, 0)[0]
            lines.append(f"{' ' * at}- {shown}{self._tail(item)}")
            self._expect("#" not in self._text[dash + 1 : item.start], dash, _INNER_COMMENT)
            if number + 1 < len(dashes):
                lines += lines_at(at, self._trivia(item.end, dashes[number + 1]))
        return [*lines, *lines_at(at, inner)], outer

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
        self._expect(node.kind in ("scalar", "seq"), node.start, _ODD_KEY)
        self._expect(is_single_line(self._text, node), node.start, _SEVERAL_LINES)
        if node.kind == "seq":
            return f"[{', '.join(self._flow(item) for item in node.items)}]"
        return flow_scalar(self._text, node)

    def _dashes(self, node: Node) -> list[int]:
        """Where the dash of each entry of a block list stands."""
        dashes: list[int] = []
        index = node.content
        for item in node.items:
            dash = self._layout.after_trivia(index)
            before = self._text[self._layout.line_start(dash) : dash]
            self._expect(self._text[dash] == "-" and not before.strip(), item.start, _ODD_LINE)
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
        self._expect(tail.strip()[:1] in ("", "#"), node.start, _ODD_LINE)
        return tail

    def _trivia(self, start: int, end: int) -> list[Trivia]:
        """The comments and blank lines on the lines between two nodes."""
        begin = self._layout.line_end(start) + 1
        stop = self._layout.line_start(end) if end < len(self._text) else end
        found: list[Trivia] = []
        for line in self._text[begin:stop].removesuffix("\n").split("\n") if begin < stop else ():
            text = line.strip()
            self._expect(text[:1] in ("", "#"), start, _ODD_LINE)
            if text or not found or found[-1].text:
                found.append(Trivia(len(line) - len(line.lstrip()), text))
        return found

    def _expect(self, holds: bool, index: int, why: str) -> None:
        if not holds:
            raise LeaveAsItIsError(index, why)


def _rank(key: Node) -> int:
    """Where a field stands among the others."""
    return _SHAPE.get(key.value, POSITIONS.get(key.value, len(POSITIONS)))
