"""A small general loader for settings: text, lists and mappings, with the location of each.

The rules are those of the catalogue: every scalar is text as written, no tags, no repeated keys,
aliases within a budget. What the text means is the caller's to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.codes import Code
from reconciler.model import Finding, Location, unpack_location
from reconciler.yamltext.events import Composer
from reconciler.yamltext.findings import START, Faults, Findings
from reconciler.yamltext.nodes import Map, Node, Seq, fields_of, is_nothing, is_null, start_of
from reconciler.yamltext.source import decode

TreeValue: TypeAlias = "str | list[TreeValue] | dict[str, TreeValue]"
TreePath: TypeAlias = tuple[str | int, ...]
"""The keys and list positions (from 0) that lead from the root to a value."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One settings file: its value, None if it is empty or unreadable, and its findings.

    `keys` and `values` hold the Location of each key and value by path; `nulls` are the paths of
    values that are empty, `~` or `null` without quotes (their text is in `value`).
    """

    name: str
    value: "TreeValue | None" = None
    findings: tuple[Finding, ...] = ()
    keys: Mapping[TreePath, Location] = field(default_factory=dict)
    values: Mapping[TreePath, Location] = field(default_factory=dict)
    nulls: frozenset[TreePath] = frozenset()

    def location(self, path: Sequence[str | int]) -> Location:
        """The location of the value at `path`, or of the nearest thing around it."""
        at = tuple(path)
        while at and at not in self.values:
            at = at[:-1]
        return self.values.get(at) or unpack_location(self.name, START)


def load_tree(name: str, data: bytes) -> Tree:
    """The settings in `data`, a file that findings call `name`; faults become findings."""
    findings = Findings()
    faults = Faults(name, findings)
    source = decode(data, faults)
    roots = [] if source is None else list(Composer(source, faults).documents())
    # Settings in a second document would else be ignored without a word.
    for extra in roots[1:]:
        message = "A second document. Put all settings into the first."
        faults.error(Code.WRONG_KIND, message, start_of(extra))
    if not roots or is_nothing(roots[0]):
        return Tree(name, findings=findings.sorted())
    builder = _Builder(faults)
    value = builder.build(roots[0], ())
    nulls = frozenset(builder.nulls)
    return Tree(name, value, findings.sorted(), builder.keys, builder.values, nulls)


class _Builder:
    """Builds a tree's value and notes its locations. Nesting is bounded by the Composer."""

    def __init__(self, faults: Faults) -> None:
        self.keys: dict[TreePath, Location] = {}
        self.values: dict[TreePath, Location] = {}
        self.nulls: set[TreePath] = set()
        self._faults = faults

    def build(self, node: Node, path: TreePath) -> TreeValue:
        """The value of `node`, which stands at `path`."""
        self.values[path] = unpack_location(self._faults.file, start_of(node))
        if isinstance(node, Map):
            return self._mapping(node, path)
        if isinstance(node, Seq):
            return [self.build(item, (*path, n)) for n, item in enumerate(node.items)]
        if is_null(node):
            self.nulls.add(path)
        text: str = node.value
        return text

    def _mapping(self, node: Map, path: TreePath) -> TreeValue:
        mapping: dict[str, TreeValue] = {}
        for text, (key, value) in fields_of(node, self._faults).items():
            below = (*path, text)
            self.keys[below] = unpack_location(self._faults.file, start_of(key))
            mapping[text] = self.build(value, below)
        return mapping
