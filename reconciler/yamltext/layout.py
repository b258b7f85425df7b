"""The layout of a file: nodes with the exact span of their text, and comments.

The reader asks what a file says; whoever edits one must know which characters say it. The same
parser answers both, so that what is edited here is what was read there.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from reconciler.yamltext.events import pull_from
from reconciler.yamltext.findings import Faults, Findings
from reconciler.yamltext.source import Source, decode, reword

PieceKind: TypeAlias = Literal["scalar", "map", "seq", "alias"]

_NO_ITEMS: Final[list["Piece"]] = []
"""Shared by all scalars; nothing is ever added to it."""

_PROPERTIES: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*(?:\s|#[^\n]*\n)*)*")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)


class NotLaidOutError(Exception):
    """The file is not YAML, so its parts cannot be located."""


@dataclass(slots=True, eq=False)
class Piece:
    """A piece of YAML: `start` is the offset of its anchor or tag, `content` of what follows those.

    `items` are the entries of a sequence, or keys and values of a mapping in turn. `name` is the
    anchor's, or for an alias that of the anchor it repeats.
    """

    kind: PieceKind
    start: int
    content: int
    end: int
    value: str = ""
    flow: bool = False
    name: str | None = None
    tagged: bool = False
    items: "list[Piece]" = field(default_factory=list)
    is_special: bool = False
    """Whether it, or anything below it, is an alias or has an anchor or a tag."""

    @property
    def pairs(self) -> "list[tuple[Piece, Piece]]":
        """The keys and values of a mapping."""
        return list(zip(self.items[::2], self.items[1::2], strict=True))

    def walk(self) -> "Iterator[Piece]":
        """The node and all below it, in the order in which they stand in the file."""
        yield self
        for item in self.items:
            yield from item.walk()

    @property
    def is_special_itself(self) -> bool:
        """Whether it is an alias, or has an anchor or a tag."""
        return self.kind == "alias" or self.name is not None or self.tagged


@dataclass(slots=True)
class Document:
    """One document: its root (None if it has no content), and its marks.

    It starts with its `---`, or with its content if it has none.
    """

    start: int
    explicit: bool
    directives: bool
    root: Piece | None = None
    ended: bool = False

    @property
    def products(self) -> list[Piece]:
        """The nodes of its products, in the order in which the reader makes products of them."""
        listed = self.listed
        if listed is not None:
            return listed.items if listed.kind == "seq" else []
        return [] if self.root is None or self.root.kind != "map" else [self.root]

    @property
    def listed(self) -> Piece | None:
        """What stands below `products:` or, without that, below `defaults:`."""
        if self.root is None or self.root.kind != "map":
            return None
        shape = {key.value: value for key, value in self.root.pairs}
        return shape.get("products", shape.get("defaults"))


class Layout:
    """The documents of one text, whose line breaks are line feeds."""

    def __init__(self, text: str) -> None:
        self.text = text
        source = decode(text.encode(), Faults("", Findings()))
        # Edits use offsets of `text`, so a source with others would cut in the wrong place.
        if source is None or len(source.text) != len(text):
            raise NotLaidOutError
        try:
            self.documents = _Builder(text).build(source)
        except YAMLError:
            # Its characters are renamed one for one, so all offsets stay true.
            reworded = reword(source)
            if reworded is None:
                raise NotLaidOutError from None
            try:
                self.documents = _Builder(text).build(reworded)
            except YAMLError:
                raise NotLaidOutError from None

    def line_start(self, index: int) -> int:
        """The start of the line of the character at `index`."""
        return self.text.rfind("\n", 0, index) + 1

    def line_end(self, index: int) -> int:
        """The end of the line of the character at `index`: its line break, or the text's end."""
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end

    def column(self, index: int) -> int:
        """How many characters stand before the one at `index` on its line."""
        return index - self.line_start(index)

    def dash(self, node: Piece, position: int) -> int:
        """The offset of the dash of an entry of a block list."""
        return self.after_trivia(node.items[position - 1].end if position else node.content)

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Every comment with its offset, in order, without the white space at its end."""
        found: list[tuple[int, str]] = []
        if "#" not in self.text:
            return found
        for start, end in self._gaps():
            # Most gaps hold no comment, and a search for one sign is much faster than a pattern.
            if self.text.find("#", start, end) >= 0:
                for match in _COMMENT.finditer(self.text, start, end):
                    found.append((match.start(), match[0].rstrip()))
        return found

    def has_comments(self, start: int, end: int) -> bool:
        """Whether a comment begins between these offsets."""
        first = bisect_left(self._comment_places, start)
        return first < len(self._comment_places) and self._comment_places[first] < end

    @cached_property
    def _comment_places(self) -> list[int]:
        return [offset for offset, _ in self.comments]

    def _gaps(self) -> Iterator[tuple[int, int]]:
        """The stretches of text between scalars: marks, brackets, comments."""
        last = 0
        for document in self.documents:
            for node in document.root.walk() if document.root else ():
                if node.kind == "scalar" and node.end > node.content:
                    block = self.text[node.content] in "|>"
                    yield last, self.line_end(node.content) if block else node.content
                    last = node.end
        yield last, len(self.text)

    def after_trivia(self, index: int) -> int:
        """The first offset from `index` on that is neither white space nor comment."""
        while index < len(self.text):
            if self.text[index] == "#":
                index = self.line_end(index)
            elif self.text[index].isspace():
                index += 1
            else:
                break
        return index


class _Builder:
    """Makes nodes of the parser's events; their spans are those of `text`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def build(self, source: Source) -> list[Document]:
        """The documents of `source`, whose characters have the offsets of those of `text`."""
        documents: list[Document] = []
        pull = pull_from(source)
        stack: list[Piece] = []
        while (kind := (event := pull()).__class__) is not StreamEndEvent:
            if kind is DocumentStartEvent:
                documents.append(self._document(event))
            elif kind is DocumentEndEvent:
                documents[-1].ended = bool(event.explicit)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                node = stack.pop()
                # The parser ends a block collection where the next token begins, after comments
                # that are not its own.
                node.end = event.end_mark.index if node.flow else node.items[-1].end
                if node.is_special and stack:
                    stack[-1].is_special = True
            elif kind is not StreamStartEvent:
                node = self._scalar(event) if kind is ScalarEvent else self._node(event)
                if not stack:
                    documents[-1].root = None if _is_nothing(node) else node
                else:
                    parent = stack[-1]
                    parent.items.append(node)
                    parent.is_special = parent.is_special or node.is_special
                if node.kind in ("map", "seq"):
                    stack.append(node)
        return documents

    def _document(self, event: Any) -> Document:
        # libyaml begins an explicit document at its directives; the dashes are the last three
        # characters.
        start = event.end_mark.index - 3 if event.explicit else event.start_mark.index
        directives = event.version is not None or bool(event.tags)
        return Document(start, bool(event.explicit), directives)

    def _scalar(self, event: Any) -> Piece:
        start, end, anchor = event.start_mark.index, event.end_mark.index, event.anchor
        tagged = event.ctag is not None
        special = tagged or anchor is not None
        content = self._content(event) if special else start
        # A block scalar ends before the line breaks that follow it.
        if end > content and self._text[content] in "|>":
            end = content + len(self._text[content:end].rstrip())
        return Piece(
            "scalar", start, content, end, event.value, False, anchor, tagged, _NO_ITEMS, special
        )

    def _node(self, event: Any) -> Piece:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            return Piece("alias", start, start, end, name=event.anchor, is_special=True)
        kind: PieceKind = "map" if isinstance(event, MappingStartEvent) else "seq"
        flow, tagged = bool(event.flow_style), event.ctag is not None
        special = tagged or event.anchor is not None
        content = self._content(event)
        return Piece(kind, start, content, end, "", flow, event.anchor, tagged, [], special)

    def _content(self, event: Any) -> int:
        """The offset of what follows the anchor and the tag of a node."""
        start: int = event.start_mark.index
        if event.anchor is None and event.ctag is None:
            return start
        match = _PROPERTIES.match(self._text, start)
        return match.end() if match else start


def _is_nothing(node: Piece) -> bool:
    """Whether a root says nothing: only `---`, or comments."""
    return node.kind == "scalar" and node.start == node.end
