"""Reads an XML file element by element, each with its line, without keeping the file in memory.

Built on expat, because ElementTree's iterparse tells no lines and cannot refuse a DOCTYPE: entities
could make a small file huge, or read another one.
"""

import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from xml.parsers import expat

from reconciler.errors import ExportError

_CHUNK: Final = 1 << 18
# Separates a namespace from a name; no name can hold it.
_PARTED: Final = "\n"


def elements(path: Path, name: str, wanted: Collection[str]) -> Iterator[tuple[int, ET.Element]]:
    """The elements with one of the `wanted` names, each with its line; not those within another.

    Namespaces are dropped. Raises ExportError if the file is not XML, or has a DOCTYPE.
    """
    parser = _parser(name)
    builder = _Builder(wanted)
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, more: builder.start(tag, more, parser)
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    problem = None
    with path.open("rb") as stream:
        ended = False
        while not ended and problem is None:
            data = stream.read(_CHUNK)
            ended = not data
            try:
                parser.Parse(data, ended)
            except expat.ExpatError as error:
                problem = str(error)
            yield from builder.taken()
    if problem is not None:
        line = parser.CurrentLineNumber
        raise ExportError.at(name, f"The file cannot be read as XML: {problem}.", row=line)


def names_of_root(path: Path, name: str) -> set[str]:
    """The root element's name and the namespaces declared in it; ExportError for a DOCTYPE."""
    found: set[str] = set()
    parser = _parser(name)

    def begin(tag: str, _: object) -> None:
        found.add(_local(tag))
        # The root alone is asked for: the rest of the file may be no XML.
        parser.StartElementHandler = None
        parser.StartNamespaceDeclHandler = None

    parser.StartElementHandler = begin
    parser.StartNamespaceDeclHandler = lambda _, uri: found.add(str(uri))
    with path.open("rb") as stream, suppress(expat.ExpatError):
        parser.Parse(stream.read(_CHUNK), False)
    return found


def _parser(name: str) -> expat.XMLParserType:
    """A parser that refuses a DOCTYPE as soon as it begins."""
    parser = expat.ParserCreate(namespace_separator=_PARTED)

    def refuse(*_: object) -> None:
        raise ExportError.at(
            name,
            "The file has a DOCTYPE, which is not read: it can make a small file huge. Remove it.",
            row=parser.CurrentLineNumber,
        )

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _local(name: str) -> str:
    return name.rpartition(_PARTED)[2]


class _Builder:
    """Builds the wanted elements while a file is parsed, and nothing around them."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = wanted
        self._open: list[ET.Element] = []
        self._line = 0
        self._whole: list[tuple[int, ET.Element]] = []

    def taken(self) -> list[tuple[int, ET.Element]]:
        """The elements that became whole since the last call."""
        whole, self._whole = self._whole, []
        return whole

    def start(self, tag: str, more: dict[str, str], parser: expat.XMLParserType) -> None:
        name = _local(tag)
        if not self._open and name not in self._wanted:
            return
        element = ET.Element(name, {_local(key): value for key, value in more.items()})
        if self._open:
            self._open[-1].append(element)
        else:
            self._line = parser.CurrentLineNumber
        self._open.append(element)

    def end(self, tag: str) -> None:
        if not self._open:
            return
        element = self._open.pop()
        if not self._open:
            self._whole.append((self._line, element))

    def data(self, text: str) -> None:
        if not self._open:
            return
        element = self._open[-1]
        if len(element):
            element[-1].tail = (element[-1].tail or "") + text
        else:
            element.text = (element.text or "") + text
