"""A catalogue's files, read in parts, each by whichever process is free.

A Part is what some files say, and nothing in it depends on another part. What products say against
each other is found when the parts are put together, in the order of the files.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from reconciler.catalog.files import is_defaults
from reconciler.catalog.folder_defaults import FolderDefaults
from reconciler.catalog.products import FileReader
from reconciler.catalog.values import Interned
from reconciler.model import Location, Names, Product
from reconciler.processes import spare_processes, spread
from reconciler.yamltext import events
from reconciler.yamltext.findings import Faults, Findings
from reconciler.yamltext.source import decode

Content: TypeAlias = Callable[[int, Findings], bytes | None]
"""The bytes of the file at a position; None, with a finding, if it cannot be read."""

_MOST_PARTS: Final = 128
"""Enough that all processes end together, few enough that each is worth handing over."""
_WORTH_PROCESSES: Final = 512 * 1024
"""Bytes of YAML that take ten times as long to read as a process to make."""


def _is_large(sizes: Iterable[int]) -> bool:
    return any(total >= _WORTH_PROCESSES for total in accumulate(sizes))


@cache
def _tell_of_slow_parser() -> None:
    """Say once why reading takes long."""
    import logging  # most readings have nothing to tell

    logging.getLogger("reconciler.catalog").warning(
        "The catalogue is read by ruamel.yaml alone, which takes six times as long: "
        "the package ruamel.yaml.clib is not installed."
    )


class Part(NamedTuple):
    """What some files say.

    `tags` are the spellings that whoever read them had not met before, each with its location;
    `unused` are the defaults in documents that no product takes, each field with its location;
    `used` are the indexes in `PartReader.folder_defaults` of defaults that a product takes.
    """

    products: list[Product]
    digests: Mapping[str, bytes]
    findings: Findings
    tags: Sequence[tuple[str, Location]]
    unused: Sequence[tuple[str, Location]]
    used: Sequence[int]


class PartReader:
    """Reads files, each named by its way `below` the catalogue's folder.

    The files with defaults, which all others need, come first and are read at once: `defaults` is
    what they say, and `folder_defaults` is each default in them, its field with its location.
    """

    def __init__(self, names: Names, below: Sequence[str], content: Content) -> None:
        self._names = names
        self._below = below
        self._content = content
        self._interned = Interned()
        self._folders = FolderDefaults()
        self._reached = 0
        self._first = sum(map(is_defaults, below))
        # Rounded up: a rest would make one part too many.
        self._size = max(1, -(-(len(below) - self._first) // _MOST_PARTS))
        # Read before any child process is made, so that each child has them without a message.
        self.defaults = self._read(range(self._first))._replace(unused=())
        self.folder_defaults = tuple(
            (default.key, default.location) for default in self._folders.written
        )

    def parts(
        self, sizes: Iterable[int], *, alone: bool = True
    ) -> AbstractContextManager[Iterator[Part]]:
        """The parts of all other files, in order, read by several processes if it is worth it.

        `sizes` are the files' bytes, asked for until there are enough. A single part is left to a
        child only if reading is not `alone` in keeping this process busy.
        """
        count = -(-(len(self._below) - self._first) // self._size)
        # One part is read sooner here than a process is made, unless this process has other work.
        children = min(spare_processes(), count) if count > alone else 0
        if (children or events.LIBYAML is None) and _is_large(sizes):
            if events.LIBYAML is None:
                _tell_of_slow_parser()
        else:
            children = 0
        return spread(self._part, count, children=children)

    def read_again(self, below: str) -> bytes | None:
        """The bytes of one of the files; None if it cannot be read."""
        return self._content(self._below.index(below), Findings())

    @property
    def below(self) -> tuple[str, ...]:
        """The files, by their paths below the catalogue's folder."""
        return tuple(self._below)

    def _part(self, task: int) -> Part:
        if task < self._reached:
            # Another process died with this part: tags that it had met first must be met again.
            self._interned = Interned()
        self._reached = task
        start = self._first + task * self._size
        part = self._read(range(start, min(start + self._size, len(self._below))))
        used = [number for number, default in enumerate(self._folders.written) if default.used]
        return part._replace(used=used)

    def _read(self, positions: Iterable[int]) -> Part:
        """Read the files at `positions`."""
        products: list[Product] = []
        digests: dict[str, bytes] = {}
        findings = Findings()
        interned = self._interned
        for position in positions:
            data = self._content(position, findings)
            if data is None:
                continue
            below = self._below[position]
            # Of the bytes, before they are decoded: a digest must tell every change of a file.
            digests[below] = hashlib.sha256(data).digest()
            faults = Faults(self._names.of(below), findings)
            source = decode(data, faults)
            # Told as a finding; the other files are read all the same (P7).
            if source is None:
                continue
            folder = below.rpartition("/")[0]
            if is_defaults(below):
                self._folders.add(
                    folder, FileReader(faults, interned).folder_defaults(source), faults
                )
            else:
                products += FileReader(faults, interned, self._folders.of(folder)).products(source)
        written, tags = interned.taken()
        unused = [(default.key, default.location) for default in written if not default.used]
        return Part(products, digests, findings, tags, unused, ())
