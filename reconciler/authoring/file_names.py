"""Names of files for products: readable, and safe on every file system."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import count
from typing import Final

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 80
# On Windows these name devices, with any extension.
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


class FileNames:
    """Gives each product a name of its own; `taken` are the names that are there already."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        # Windows and macOS take names that differ in case only for the same file.
        self._taken = {name.casefold() for name in taken}

    def name(self, store_id: str, handle: str | None = None) -> str:
        """A new name, from the handle if there is one, else from the store_id."""
        stems = _stems(_slug(handle or ""), _slug(store_id))
        # Beside x.yml a file x.yaml would be legal, and a puzzle.
        stem = next(s for s in stems if not self._taken & {f"{s}.yaml", f"{s}.yml"})
        self._taken.add(f"{stem}.yaml")
        return f"{stem}.yaml"


def _stems(handle: str, store_id: str) -> Iterator[str]:
    """Names to try, the best ones first."""
    stems = dict.fromkeys(filter(None, (handle, f"{handle}-{store_id}".strip("-"), store_id)))
    for stem in stems:
        if stem not in _RESERVED:
            yield stem
    # Of a name without any Latin letter or digit nothing is left.
    last = next(iter(stems), "product")
    yield from (f"{last}-{number}" for number in count(2))


def _slug(text: str) -> str:
    """`text` in lower-case ASCII letters, digits and single dashes; perhaps nothing."""
    # What the remote calls a product may hold slashes, dots, control characters: only letters and
    # digits that are known to be safe stay.
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _UNSAFE.sub("-", plain).strip("-")[:_LONGEST].rstrip("-")
