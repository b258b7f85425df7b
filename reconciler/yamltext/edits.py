"""Edits of a file's text, made in the file's own bytes."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_BOM: Final = "\ufeff"
_DROPPED: Final = re.compile("\r(?=\n)|(?<=[\r\n])\ufeff")


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `end` (not included) become `text`."""

    start: int
    end: int
    text: str


class FileText:
    """The text of a file as its editors see it, and the way back to the file's own bytes.

    `text` has line feeds only and no byte-order mark; `edited` puts edits into the file's own
    bytes, so that all else, line breaks included, stays as it is.
    """

    def __init__(self, data: bytes) -> None:
        raw = data.decode("utf-8")
        self._mark = _BOM if raw.startswith(_BOM) else ""
        self._raw = raw.removeprefix(_BOM)
        # A search for one sign is much faster than the pattern, and few files have either.
        odd = "\r" in self._raw or _BOM in self._raw
        dropped = [match.start() for match in _DROPPED.finditer(self._raw)] if odd else []
        self._dropped = [offset - earlier for earlier, offset in enumerate(dropped)]
        self.text = _DROPPED.sub("", self._raw).replace("\r", "\n") if odd else self._raw
        crlf, breaks = self._raw.count("\r\n"), self.text.count("\n")
        # A file of mixed line breaks gets new lines as most of it has them.
        self.newline = "\r\n" if crlf * 2 > breaks else "\n"

    def edited(self, edits: list[Edit]) -> bytes:
        """The file's bytes with `edits`, which must not overlap, made in them."""
        ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
        if any(left.end > right.start for left, right in pairwise(ordered)):
            raise ValueError("edits overlap")
        pieces: list[str] = [self._mark]
        last = 0
        for edit in ordered:
            pieces += (self._raw[last : self._at(edit.start)], self._spelled(edit.text))
            last = self._at(edit.end)
        return "".join([*pieces, self._raw[last:]]).encode()

    def replaced(self, text: str) -> bytes:
        """The bytes of the file with `text` instead of all its text."""
        return (self._mark + self._spelled(text)).encode()

    def _spelled(self, text: str) -> str:
        return text.replace("\n", self.newline)

    def _at(self, index: int) -> int:
        """The offset in the file of the character at `index` of `text`."""
        # Each offset has the characters before it taken off already, so their number is what to
        # add.
        return index + bisect_left(self._dropped, index)
