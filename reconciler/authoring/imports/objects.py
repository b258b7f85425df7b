"""Reads JSON object by object: from lists, from pages with a list of products, or JSON Lines.

An object is decoded as soon as it is whole, so memory never holds the file.
"""

import re
from collections.abc import Iterator, Mapping
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, Final, TextIO

from reconciler.errors import ExportError

_CHUNK: Final = 1 << 18
_SKIPPED: Final = re.compile(r"[\s,\ufeff]*")
_PAGE: Final = re.compile(r'\{\s*"products"\s*:\s*\[')
# Numbers stay text: as a float an id of sixteen digits would become another product's.
_DECODER: Final = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def objects(path: Path, name: str) -> Iterator[Mapping[str, Any]]:
    """Every object of the file; ExportError at anything else, with its number."""
    # A byte that is not UTF-8 becomes a lone surrogate, to be reported if the text is used.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as stream:
        yield from _objects(_Text(stream), name)


def _objects(stream: "_Text", name: str) -> Iterator[Mapping[str, Any]]:
    within = ""
    number = 0
    while stream.skip():
        if within and stream.starts("]"):
            stream.at += 1
            if within == "page":
                stream.rest_of_object(name, number)
            within = ""
        elif not within and stream.starts("["):
            stream.at += 1
            within = "list"
        elif not within and (page := _PAGE.match(stream.text, stream.at)):
            # Entered, and not decoded as one value: a single page may be the whole file.
            stream.at = page.end()
            within = "page"
        else:
            number += 1
            yield from _items(stream.value(name, number), name, number)
    if within:
        raise ExportError.at(name, "The file ends within a list: it was cut off.", row=number or 1)


def _items(value: Any, name: str, number: int) -> Iterator[Mapping[str, Any]]:
    """A page's products, or the object itself."""
    inner = value.get("products") if isinstance(value, dict) else None
    for item in inner if isinstance(inner, list) else [value]:
        if not isinstance(item, dict):
            raise ExportError.at(name, f"Entry {number} is not an object.", row=number)
        yield item


class _Text:
    """A file's text from `at` on, read on as it is used up."""

    def __init__(self, stream: TextIO) -> None:
        self.text = ""
        self.at = 0
        self._stream = stream
        self._ended = False

    def skip(self) -> bool:
        """Skip spaces and commas; whether there is anything."""
        while True:
            match = _SKIPPED.match(self.text, self.at)
            self.at = match.end() if match else self.at
            # A page's head must be whole to be recognised.
            if len(self.text) - self.at >= 64 or not self._more(_CHUNK):
                return self.at < len(self.text)

    def starts(self, character: str) -> bool:
        """Whether this character is next."""
        return self.text.startswith(character, self.at)

    def value(self, name: str, number: int) -> Any:
        """The next value."""
        size = _CHUNK
        while True:
            try:
                value, self.at = _DECODER.raw_decode(self.text, self.at)
            except RecursionError:
                problem = "it is nested too deeply"
            except JSONDecodeError as error:
                problem = error.msg
                # It may only not be whole yet; reading more each time keeps this linear.
                if self._more(size):
                    size *= 2
                    continue
            else:
                return value
            raise ExportError.at(
                name, f"Entry {number} cannot be read as JSON: {problem}.", row=number
            )

    def rest_of_object(self, name: str, number: int) -> None:
        """Pass over what follows a list within an object, such as the address of the next page."""
        self.skip()
        # The brace that opened the page was used up with its list, so another one stands for it.
        self.text, self.at = "{" + self.text[self.at :], 0
        self.value(name, number)

    def _more(self, size: int) -> bool:
        if self._ended:
            return False
        more = self._stream.read(size)
        self._ended = not more
        self.text, self.at = self.text[self.at :] + more, 0
        return not self._ended
