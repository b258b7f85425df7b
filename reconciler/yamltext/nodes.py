"""The nodes of a YAML document: the parser's own scalar events, Map and Seq."""

from typing import Any, ClassVar, Final, Protocol, TypeAlias

from ruamel.yaml.events import ScalarEvent

from reconciler.codes import Code
from reconciler.model import pack_location, unpack_location
from reconciler.yamltext.findings import Faults

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
"""The texts of plain scalars that mean null in YAML."""


class Mark(Protocol):
    """The start of a node: both numbers are 0-based and count characters."""

    line: int
    column: int
    index: int


class Collection:
    """A mapping (keys and values alternate in `items`) or a sequence.

    `items` are nodes, or what the reader made of them as they passed.
    """

    __slots__ = ("items", "start_mark")

    # A collection is not text: this lets the reader ask any key for its value.
    value: ClassVar[None] = None

    def __init__(self, items: list[Any], start_mark: Mark) -> None:
        self.items = items
        self.start_mark = start_mark


class Map(Collection):
    """A mapping: keys and values alternate in `items`."""

    __slots__ = ()


class Repeat(Map):
    """A mapping that an alias puts into a list: it begins at the alias."""

    __slots__ = ()


class Seq(Collection):
    """A sequence."""

    __slots__ = ()


Node: TypeAlias = ScalarEvent | Map | Seq
Pairs: TypeAlias = dict[str, tuple[ScalarEvent, Node]]
"""A mapping's keys and values by the key's text."""


def start_of(node: Node) -> int:
    """The packed location at which `node` begins."""
    mark: Mark = node.start_mark
    return pack_location(mark.line + 1, mark.column + 1)


def is_plain(node: Node) -> bool:
    """Whether `node` is a scalar without quotes, without a tag and not a block."""
    return isinstance(node, ScalarEvent) and bool(node.implicit[0])


def is_null(node: Node) -> bool:
    """Whether `node` is YAML's null: empty, `~` or `null` without quotes."""
    return node.value in NULLS and is_plain(node)


def is_nothing(root: Node) -> bool:
    """Whether a document has no content: only a `---`, or comments."""
    return root.value == "" and is_plain(root)


def fields_of(node: Map, faults: Faults) -> Pairs:
    """The keys of `node` with their values, merge keys (`<<`) resolved.

    A key written in the mapping wins over a merged one, an earlier merged mapping over a later
    one. Repeated keys, keys that are not text and merges of anything but mappings are reported.
    """
    found: Pairs = {}
    pending = [node]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        # Merges may name one mapping many times over: each is looked at once.
        if id(current) in seen:
            continue
        seen.add(id(current))
        own, merged = _own_fields(current, faults)
        for text, pair in own.items():
            found.setdefault(text, pair)
        # A stack, so the first one that is merged must be the last one pushed.
        pending.extend(reversed(merged))
    return found


def _own_fields(node: Map, faults: Faults) -> tuple[Pairs, list[Map]]:
    """The keys written in `node` itself, and the mappings that it merges, in their order."""
    own: Pairs = {}
    merge: ScalarEvent | None = None
    merged: list[Map] = []
    for key, value in zip(node.items[::2], node.items[1::2], strict=True):
        if not isinstance(key, ScalarEvent):
            message = "A key is a list or a mapping. Write a field's name before the colon."
            faults.error(Code.WRONG_KIND, message, start_of(key))
        # In quotes it is text, as any other scalar.
        elif key.value == "<<" and is_plain(key):
            if merge is not None:
                _report_repeat(merge, key, faults)
            merge = key
            merged += _mappings_in(value, faults)
        elif key.value in own:
            _report_repeat(own[key.value][0], key, faults)
        else:
            own[key.value] = key, value
    return own, merged


def _mappings_in(value: Node, faults: Faults) -> list[Map]:
    """The mappings that a merge key names."""
    mappings: list[Map] = []
    for item in value.items if isinstance(value, Seq) else [value]:
        if isinstance(item, Map):
            mappings.append(item)
        else:
            message = (
                "A merge key `<<` takes a mapping or a list of mappings. "
                "Give it an alias of a mapping, as in `<<: *base`."
            )
            faults.error(Code.WRONG_KIND, message, start_of(item))
    return mappings


def _report_repeat(first: ScalarEvent, again: ScalarEvent, faults: Faults) -> None:
    where = unpack_location(faults.file, start_of(first))
    message = f"Key {again.value!r} is there already, at {where}. Keep one of them."
    faults.error(Code.DUPLICATE_KEY, message, start_of(again))
