"""The event loop: one pass over the parser's events makes the nodes of each document.

Nothing is resolved to numbers, dates or objects: every scalar stays the event that the parser
made, whose value is the text as written. libyaml's parser (package ruamel.yaml.clib) is used
if it is installed, ruamel.yaml's own if it is not, with the same results.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.codes import Code
from reconciler.model import pack_location
from reconciler.yamltext import pure
from reconciler.yamltext.findings import START, Faults
from reconciler.yamltext.nodes import Map, Mark, Node, Repeat, Seq, start_of
from reconciler.yamltext.source import Source, conflict_in, pair_up, reword

try:
    from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # has no stubs
# Some platforms have no wheel of it, and there must be no need of a compiler.
except ImportError:
    CParser = None

LIBYAML: Any = CParser
"""libyaml's parser, or None if it is not installed."""

MAX_DEPTH: Final = 64
"""How deep collections may nest; a catalogue needs five levels."""

ALIAS_FLOOR: Final = 4_000_000
ALIAS_RATIO: Final = 50
"""Aliases may repeat ALIAS_FLOOR characters of a file, or ALIAS_RATIO times its length."""

Pull = Callable[[], Any]
Reduce = Callable[[list[Any], Mark], Any]
"""Makes something of a mapping: of its keys and values by turns, and of its start."""
Stack = list[tuple[Any, list[Any], int]]
"""The collections around a node: start event, the items around it, aliases counted before it."""

_IN_PRODUCTS: Final = 2
"""How many collections are around an entry of a list of products: the document's, and the list."""

_STRING_TAG: Final = "tag:yaml.org,2002:str"
_OPEN: Final = Seq([], None)  # type: ignore[arg-type]  # never asked for its location
"""Stands for an anchored collection that is still being read."""

_REMEDIES: Final = (
    ("tab character", "Indent with spaces; YAML allows no tabs there."),
    ("'\\t'", "Write spaces for the tab, or put the text in quotes."),
    ("cannot start any token", "Put text that begins with @, `, % or a tab in quotes."),
    ("mapping values are not", "Put text that contains `: ` in quotes, or fix the indent."),
    ("sequence entries are not", "Put text that begins with `- ` in quotes, or start a new line."),
    ("alphabetic or numeric", "Put text that begins with * or & in quotes."),
    ("unexpected end of stream", "Close the quote or bracket that is still open."),
    ("unexpected document", "Close the quote that is still open."),
    ("',' or '", "Separate the entries with commas and close the bracket."),
    ("expected ':'", "Put a colon and a space after the key."),
    ("document start", "Indent all keys alike; put `---` between documents."),
    ("expected key", "Indent the keys of a product alike."),
    ("block end", "Indent the keys of a product alike."),
    ("'-' indicator", "Indent the entries of a list alike, each with `- ` before it."),
    ("escape", "Write a backslash twice, or use single quotes."),
    ("tag handle", "Remove the tag; every value is text."),
)
_REMEDY: Final = "Fix the file here; text in quotes is always safe."


class _StopReadingError(Exception):
    """The rest of this file is not read; the finding that says why is reported already."""


def pull_from(source: Source) -> Pull:
    """A function that returns the parser's next event of `source` each time it is called."""
    pull: Pull
    if LIBYAML is not None:
        pull = LIBYAML(source.text).get_event
    else:
        pull = pure.parse(source.text).__next__
    return _restoring(pull, source) if source.aliases else pull


def _restoring(pull: Pull, source: Source) -> Pull:
    """`pull`, with what `source` renamed put back."""
    aliases, escapes = source.aliases, source.escapes

    def restored() -> Any:
        event = pull()
        if event.__class__ is ScalarEvent:
            if escapes and event.style != '"':  # there a backslash stands for itself
                for stand_in, written in escapes.items():
                    event.value = event.value.replace(stand_in, written)
            event.value = event.value.translate(aliases)
        return event

    return restored


class Composer:
    """Reads one file's documents into nodes.

    `reduce`, if given, is called with each mapping of a root key `products` as soon as it is
    complete, and its result replaces the mapping, so that a large file is never held
    as nodes.
    """

    def __init__(self, source: Source, faults: Faults, reduce: Reduce | None = None) -> None:
        self._source = source
        self._faults = faults
        self._reduce = reduce
        self._anchors: dict[str, Node] = {}
        self._weights: dict[str, int] = {}
        self._repeated = 0
        self._budget = max(ALIAS_FLOOR, ALIAS_RATIO * len(source.text))

    def documents(self) -> Iterator[Node]:
        """The root node of each document, until the file ends or can be read no further."""
        source: Source = self._source
        done = 0
        while True:
            try:
                # Documents that were yielded before the second try are not yielded twice.
                for root in islice(self._roots(source), done, None):
                    done += 1
                    yield root
            except _StopReadingError:
                return
            except YAMLError as error:
                reworded = pair_up(source) or reword(source)
                if reworded is None:
                    self._report(error)
                    return
                # What was read so far is read again, with the same result.
                source = reworded
            else:
                return

    def _roots(self, source: Source) -> Iterator[Node]:
        """The root node of each document of `source`."""
        self._repeated = 0
        pull = pull_from(source)
        while (event := pull()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                self._anchors = {}
                self._weights = {}
                yield self._document(pull)

    def _document(self, pull: Pull) -> Node:  # noqa: C901  # one hot loop, one branch an event
        """The root node of the document that has just begun.

        One loop with its own stack: deep nesting costs no recursion, and one test of the event's
        class decides for most events.
        """
        reduce = self._reduce
        items: list[Any] = []
        stack: Stack = []
        reducing = False
        while True:
            event = pull()
            kind = event.__class__
            if kind is ScalarEvent:
                if event.anchor is not None or event.ctag is not None or not event.value:
                    self._unusual(event, stack, items)
                items.append(event)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                start, outer, repeated = stack.pop()
                depth = len(stack)
                is_map = kind is MappingEndEvent
                if is_map and reducing and depth == _IN_PRODUCTS:
                    made = reduce(items, start.start_mark)  # type: ignore[misc]  # reducing tells
                    # An alias may repeat it later, so its nodes are kept although a product was
                    # made of them.
                    if start.anchor is not None:
                        self._close(start, event, Map(items, start.start_mark), repeated)
                else:
                    made = (Map if is_map else Seq)(items, start.start_mark)
                    reducing = reducing and depth > 1
                    if start.anchor is not None:
                        self._close(start, event, made, repeated)
                items = outer
                items.append(made)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if event.anchor is not None or event.ctag is not None or len(stack) >= MAX_DEPTH:
                    self._begin(event, len(stack))
                if len(stack) == 1:
                    reducing = reduce is not None and _begins_products(event, stack, items)
                stack.append((event, items, self._repeated))
                items = []
            elif kind is AliasEvent:
                items.append(self._alias(event, stack))
            else:
                root: Node = items[0]
                return root

    def _begin(self, event: Any, depth: int) -> None:
        """Look closer at a collection that is anchored, tagged or deep."""
        if event.anchor is not None:
            self._anchors[event.anchor] = _OPEN
        if event.ctag is not None:
            self._report_tag(event)
        if depth >= MAX_DEPTH:
            message = f"Nested more than {MAX_DEPTH} levels deep. Close the brackets before this."
            self._faults.error(Code.BAD_YAML, message, start_of(event))
            raise _StopReadingError

    def _close(self, start: Any, end: Any, node: Node, repeated: int) -> None:
        """Remember an anchored collection, with its length once its aliases are written out."""
        length = end.end_mark.index - start.start_mark.index
        self._anchors[start.anchor] = node
        # Aliases of aliases grow like powers; only the length written out tells (the "billion
        # laughs").
        self._weights[start.anchor] = length + self._repeated - repeated

    def _unusual(self, event: ScalarEvent, stack: Stack, items: list[Any]) -> None:
        """Look closer at a scalar that is anchored, tagged or empty."""
        if event.anchor is not None:
            self._anchors[event.anchor] = event
            self._weights[event.anchor] = len(event.value) + 1
        if event.ctag is not None and event.tag != _STRING_TAG:
            self._report_tag(event)
        if not event.value and event.implicit[0] and len(items) % 2 and _in_mapping(stack):
            # Parsers disagree about the location of a value that is not written; its key has one.
            event.start_mark = items[-1].start_mark

    def _alias(self, event: Any, stack: Stack) -> Node:
        """The node that an alias stands for."""
        node = self._anchors.get(event.anchor)
        # A collection within itself has no end, and nothing that reads it could stop.
        if node is None or node is _OPEN:
            what = "stands inside what it names" if node is _OPEN else "names no anchor before it"
            message = (
                f"Alias *{event.anchor} {what}. Write &{event.anchor} before a complete value "
                "above, in the same document, or put the text in quotes."
            )
            self._faults.error(Code.BAD_YAML, message, start_of(event))
            raise _StopReadingError
        self._repeated += self._weights[event.anchor]
        if self._repeated > self._budget:
            message = (
                f"Aliases repeat more than {self._budget:,} characters of this file. "
                "Write the values out, or split the file."
            )
            self._faults.error(Code.ALIAS_BUDGET, message, start_of(event))
            raise _StopReadingError
        if len(stack) == _IN_PRODUCTS and isinstance(node, Map) and not _in_mapping(stack):
            # A finding about the product should name the alias, not the anchor.
            return Repeat(node.items, event.start_mark)
        return node

    def _report_tag(self, event: Any) -> None:
        message = f"Explicit tag {_short(str(event.tag))}. Remove it: every value is text."
        self._faults.error(Code.EXPLICIT_TAG, message, start_of(event))

    def _report(self, error: YAMLError) -> None:
        """Report the syntax error at which the parser gave up."""
        # The parser complains of something else, at another line.
        if (at := conflict_in(self._source.text)) is not None:
            message = (
                "A merge conflict was left in the file. Decide between its two sides, and delete "
                "the lines that begin with <<<<<<<, ======= and >>>>>>>."
            )
            self._faults.error(Code.BAD_YAML, message, at)
            return
        mark: Mark | None = None
        problem, context = str(error), ""
        if isinstance(error, MarkedYAMLError):
            mark = error.problem_mark or error.context_mark
            problem, context = error.problem or "", _context(error)
        # Words of both parsers, libyaml's and ruamel's own, since either may be at work.
        remedy = next((remedy for part, remedy in _REMEDIES if part in problem), _REMEDY)
        at = START if mark is None else pack_location(mark.line + 1, mark.column + 1)
        self._faults.error(Code.BAD_YAML, f"Bad YAML: {problem}{context}. {remedy}", at)


def _in_mapping(stack: Stack) -> bool:
    """Whether the innermost collection is a mapping."""
    return bool(stack) and stack[-1][0].__class__ is MappingStartEvent


def _begins_products(event: Any, stack: Stack, items: list[Any]) -> bool:
    """Whether `event` begins the list below a root mapping's key `products`.

    An anchored list is kept as nodes, since an alias may name it.
    """
    return (
        event.__class__ is SequenceStartEvent
        and event.anchor is None
        and _in_mapping(stack)
        and len(items) % 2 == 1
        and items[-1].value == "products"
    )


def _context(error: MarkedYAMLError) -> str:
    """The construct that the parser was reading, and its location."""
    mark: Mark | None = error.context_mark
    if not error.context or mark is None:
        return ""
    return f" ({error.context} that begins at line {mark.line + 1}, column {mark.column + 1})"


def _short(tag: str) -> str:
    """A tag as people write it."""
    return tag.replace("tag:yaml.org,2002:", "!!")
