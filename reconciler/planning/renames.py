"""Renames that depend on each other: in lines, and in rings, which park one product meanwhile."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_PARKED: Final = "~moving-"
"""A ring of renames parks one product under its target's store_id, this, and its own id."""
_ASIDE: Final = re.compile(f"(.*){_PARKED}.*", re.DOTALL | re.IGNORECASE)
"""A parked store_id, also if the server keeps store_ids in another case."""


def parked_name(target: str, id: str) -> str:
    """The store_id under which the product `id` is parked on its way to `target`."""
    return f"{target}{_PARKED}{id}"


def parked_target(store_id: str | None) -> str | None:
    """The target of a parked product; None if this is an ordinary store_id."""
    # Every store_id of a shop comes through here, and next to none has the mark.
    if store_id is None or _PARKED[0] not in store_id:
        return None
    found = _ASIDE.fullmatch(store_id)
    return found[1] if found else None


def lines(moves: Mapping[str, str]) -> Iterator[tuple[list[str], bool]]:
    """Store_ids in lines, each before the one that it maps to; and whether the line is a ring."""
    left, ends = dict(moves), set(moves.values())
    heads = [store_id for store_id in moves if store_id not in ends]
    # Lines with a head first: what is left after them can only be rings.
    for is_ring, starts in ((False, heads), (True, moves)):
        for start in starts:
            line: list[str] = []
            while start in left:
                line.append(start)
                start = left.pop(start)
            if line:
                yield line, is_ring
