"""One document in canonical form: its values written anew, its comments hung back on.

A comment behind a value stays behind it. A comment on a line of its own stays above what followed
it, or at the end of what it is indented like. What has an anchor, an alias or a tag keeps its text,
since other text depends on it.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from reconciler.authoring.canonical import STEP, field_lines
from reconciler.catalog.values import POSITIONS
from reconciler.model import canonical_tags
from reconciler.yamltext.layout import Layout, Piece
from reconciler.yamltext.scalars import scalar_text

# In YAML a # begins a comment only at the start of a line or behind white space.
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")
_SHAPE: Final = {"defaults": 0, "products": 1}

Lines = list[str]


class Trivia(NamedTuple):
    """A comment on a line of its own, or a blank line (`text` is empty), and its column."""

    column: int
    text: str


class Gap(NamedTuple):
    """What stands between two nodes: the comment behind the first, and the lines below it."""

    tail: str
    lines: Sequence[Trivia]


class _Entry(NamedTuple):
    """A tag with its comments."""

    above: Lines
    text: str
    tail: str


_NOTHING: Final = Gap("", ())


class Formatter:
    """Writes the nodes of one layout anew.

    Each method gets the offset `stop` at which what follows its node begins. It returns the node's
    lines, and the comments and blank lines before `stop` that belong to what follows.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._text = layout.text

    def document(self, root: Piece, stop: int) -> Lines:
        """The lines of a document's root, a mapping, and of what stands between it and `stop`."""
        lines, rest = self._mapping(root, "", stop)
        return [*lines, *_placed(rest, "")]

    def _mapping(self, node: Piece, indent: str, stop: int) -> tuple[Lines, list[Trivia]]:
        """A mapping whose keys shall stand behind `indent`."""
        pairs = node.pairs
        end = node.end if node.flow else stop
        opening = _NOTHING
        if node.flow:
            opening = self._gap(node.content, pairs[0][0].start if pairs else end)
        leading = opening.lines
        fields: list[tuple[int, Lines]] = []
        for number, (key, value) in enumerate(pairs):
            following = pairs[number + 1][0].start if number + 1 < len(pairs) else end
            lines, rest = self._field(key, value, indent, following)
            fields.append((_rank(key), [*_placed(leading, indent), *lines]))
            leading = rest
        # The sort is stable: the shop's own keys, which share a rank, keep their order.
        fields.sort(key=lambda field: field[0])
        above: Lines = []
        if node.flow:
            inner, closing = leading, self._gap(node.end, stop)
            above = [indent + tail for tail in (opening.tail, closing.tail) if tail]
            rest = [*closing.lines]
        else:
            inner, rest = _split(leading, self._layout.column(node.content))
        lines = [line for _, field in fields for line in field]
        return [*above, *lines, *_placed(inner, indent)], rest

    def _field(
        self, key: Piece, value: Piece, indent: str, stop: int
    ) -> tuple[Lines, list[Trivia]]:
        """A key with its value."""
        if key.value in POSITIONS:
            if value.kind == "seq":
                return self._tags(key, value, indent, stop)
            gap = self._gap(value.end, stop)
            tails = [*self._comments_in(key, value), gap.tail]
            return _noted(field_lines(key.value, value.value, indent), tails), [*gap.lines]
        if not (key.is_special_itself or value.is_special_itself):
            if value.kind == "seq" and key.value == "products":
                return self._products(key, value, indent, stop)
            if value.kind == "map" and key.value == "defaults" and not value.is_special:
                return self._defaults(key, value, indent, stop)
        gap = self._gap(value.end, stop)
        return self._as_it_is(key.start, value.end, indent), [*gap.lines]

    def _comments_in(self, key: Piece, value: Piece) -> Lines:
        """The comments between a key and its text, and in the header of a block scalar."""
        end = value.content
        if self._text[end : end + 1] in ("|", ">"):
            end = self._layout.line_end(end)
        return self._comments(key.end, end)

    def _defaults(
        self, key: Piece, value: Piece, indent: str, stop: int
    ) -> tuple[Lines, list[Trivia]]:
        """The defaults of a document's products."""
        head = self._gap(key.end, value.content)
        lines, rest = self._mapping(value, indent + STEP, stop)
        # `defaults:` with nothing behind it would be null, which is an error.
        if not value.items:
            return [*(line.strip() for line in lines), f"{indent}{key.value}: {{}}"], rest
        name = _noted([f"{indent}{key.value}:"], [head.tail])
        return [*name, *_placed(head.lines, indent + STEP), *lines], rest

    def _products(
        self, key: Piece, value: Piece, indent: str, stop: int
    ) -> tuple[Lines, list[Trivia]]:
        """A list of products, an entry each."""
        starts = self._starts(value)
        head = self._gap(key.end, starts[0] if starts else value.end)
        if not starts:
            gap = self._gap(value.end, stop)
            lines = [f"{indent}{key.value}: []"]
            return _noted(lines, [*self._comments(key.end, value.end), gap.tail]), [*gap.lines]
        lines, leading = [f"{indent}{key.value}:"], head.lines
        at = indent + STEP
        for number, item in enumerate(value.items):
            last = value.end if value.flow else stop
            following = starts[number + 1] if number + 1 < len(starts) else last
            entry, rest = self._product(starts[number], item, at, following)
            lines += [*_placed(leading, at), *entry]
            leading = rest
        tails = [head.tail]
        if value.flow:
            closing = self._gap(value.end, stop)
            inner, rest, tails = leading, [*closing.lines], [head.tail, closing.tail]
        else:
            inner, rest = self._within(key, starts[0], leading)
        return _noted([*lines, *_placed(inner, at)], tails), rest

    def _product(
        self, start: int, item: Piece, indent: str, stop: int
    ) -> tuple[Lines, list[Trivia]]:
        """An entry of a list of products, which begins at `start`."""
        # Other text may depend on an anchor, so such a product is moved as it stands.
        if item.kind != "map" or not item.items or item.is_special:
            gap = self._gap(item.end, stop)
            if self._text[start] == "-":
                return self._as_it_is(start, item.end, indent), [*gap.lines]
            lines = self._shifted(item.start, item.end, indent + STEP)
            return _noted([f"{indent}- {lines[0].lstrip()}", *lines[1:]], [gap.tail]), [*gap.lines]
        lines, rest = self._mapping(item, indent + STEP, stop)
        above = [*self._comments(start, item.content)]
        # A comment cannot stand between a dash and its first field, so it moves above the entry.
        while lines[0].lstrip()[:1] in ("", "#"):
            above.append(lines.pop(0).strip())
        first = f"{indent}- {lines[0].lstrip()}"
        return [*(indent + line if line else "" for line in above), first, *lines[1:]], rest

    def _tags(self, key: Piece, value: Piece, indent: str, stop: int) -> tuple[Lines, list[Trivia]]:
        """A list of tags: sorted, and on one line if they fit; as they stand if any has a comment.

        A comment may be about several tags, so that their order is left to whoever wrote it.
        """
        if self._text.find("#", key.end, value.end if value.flow else stop) < 0:
            gap = self._gap(value.end, stop)
            tags = canonical_tags([item.value for item in value.items])
            return _noted(field_lines(key.value, tags, indent), [gap.tail]), [*gap.lines]
        starts = self._starts(value)
        head = self._gap(key.end, starts[0] if starts else value.end)
        leading: Sequence[Trivia] = head.lines
        entries: list[_Entry] = []
        for number, item in enumerate(value.items):
            last = value.end if value.flow else stop
            following = starts[number + 1] if number + 1 < len(starts) else last
            gap = self._gap(item.end, following)
            above = [text for _, text in leading if text]
            above += self._comments(starts[number], item.content)
            tails = [gap.tail] if gap.tail else []
            # A gap begins behind the block, so a comment in its header is not in the gap.
            if self._text[item.content : item.content + 1] in ("|", ">"):
                tails = self._comments(item.content, self._layout.line_end(item.content))
            entries.append(_Entry(above, item.value, " ".join(tails)))
            leading = gap.lines
        tails = [head.tail]
        if value.flow or not starts:
            closing = self._gap(value.end, stop)
            inner, rest, tails = leading, [*closing.lines], [head.tail, closing.tail]
        else:
            inner, rest = self._within(key, starts[0], leading)
        notes = [text for _, text in inner if text]
        if not starts:
            return _noted([f"{indent}{key.value}: []"], [*notes, *tails]), rest
        if not notes and not any(entry.above or entry.tail for entry in entries):
            tags = canonical_tags([entry.text for entry in entries])
            return _noted(field_lines(key.value, tags, indent), tails), rest
        at = indent + STEP
        lines = [f"{indent}{key.value}:"]
        for entry in entries:
            lines += [at + text for text in entry.above]
            lines += _noted([f"{at}- {scalar_text(entry.text, flow=False)}"], [entry.tail])
        return _noted([*lines, *(at + text for text in notes)], tails), rest

    def _within(
        self, key: Piece, dash: int, trivia: Sequence[Trivia]
    ) -> tuple[list[Trivia], list[Trivia]]:
        """The trivia after a block list that is the list's own, and the rest."""
        column = self._layout.column(dash)
        # A list may stand at the column of its key: then a comment there goes with what follows.
        deeper = column > self._layout.column(key.start)
        return _split(trivia, column) if deeper else ([], [*trivia])

    def _starts(self, node: Piece) -> list[int]:
        """The offset at which each entry of a list begins: with its dash, if it has one."""
        if node.flow:
            return [item.start for item in node.items]
        return [self._layout.dash(node, number) for number in range(len(node.items))]

    def _as_it_is(self, start: int, end: int, indent: str) -> Lines:
        """The text from `start` to the end of the line of `end`, moved as a whole."""
        return self._shifted(start, self._layout.line_end(end), indent)

    def _shifted(self, start: int, end: int, indent: str) -> Lines:
        by = len(indent) - self._layout.column(start)
        first, *others = self._text[start:end].split("\n")
        lines = [indent + first.rstrip()]
        for line in others:
            blank = len(line) - len(line.lstrip(" "))
            lines.append(" " * max(0, blank + by) + line.lstrip(" ") if line.strip() else "")
        return lines

    def _comments(self, start: int, end: int) -> Lines:
        """The comments between two offsets, between which no value may be."""
        if self._text.find("#", start, end) < 0:
            return []
        return [match[0].rstrip() for match in _COMMENT.finditer(self._text[start:end])]

    def _gap(self, start: int, stop: int) -> Gap:
        """What stands between a node that ends at `start` and one that begins at `stop`."""
        between = self._text[start:stop]
        # Nearly every gap is a mere line break, and the search below is slow.
        if "#" not in between and between.count("\n") < 2:
            return _NOTHING
        first, *others = between.split("\n")
        if others and stop < len(self._text):
            # What follows begins on this line.
            others.pop()
        found: list[Trivia] = []
        for line in others:
            comment = _COMMENT.search(line)
            if comment or not line.strip():
                column = len(line) - len(line.lstrip())
                found.append(Trivia(column, comment[0].rstrip() if comment else ""))
        tail = _COMMENT.search(first)
        return Gap(tail[0].rstrip() if tail else "", found)


def _split(trivia: Sequence[Trivia], column: int) -> tuple[list[Trivia], list[Trivia]]:
    """The trivia that is indented by `column` at least, and the rest."""
    inner = 0
    for number, item in enumerate(trivia):
        if item.text and item.column < column:
            break
        # Blank lines behind the last such comment belong to what follows.
        if item.text:
            inner = number + 1
    return [*trivia[:inner]], [*trivia[inner:]]


def _placed(trivia: Sequence[Trivia], indent: str) -> Lines:
    """Trivia as lines behind `indent`."""
    return [indent + item.text if item.text else "" for item in trivia]


def _noted(lines: Lines, comments: Sequence[str]) -> Lines:
    """A field's lines with its comments: the last one behind the first line, others above it."""
    if not any(comments):
        return lines
    *above, tail = [text for text in comments if text]
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    return [*(indent + text for text in above), f"{lines[0]}  {tail}", *lines[1:]]


def _rank(key: Piece) -> int:
    """The position of a field among the others."""
    return _SHAPE.get(key.value, POSITIONS.get(key.value, len(POSITIONS)))
