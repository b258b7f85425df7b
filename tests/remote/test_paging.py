"""The proof that a list is whole, against lists that change while they are read."""

from collections.abc import Callable, Generator, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UnstableList
from reconciler.progress import Silent
from reconciler.remote.paging import read_whole
from reconciler.remote.wire import Page
from tests.model.making import listed

Edit = tuple[str, int]


class MovingList:
    """A list that others edit: before the n-th call, the n-th group of edits."""

    def __init__(self, size: int, most: int, edits: Sequence[Sequence[Edit]]) -> None:
        self.ids = [f"old-{n}" for n in range(size)]
        self.before = set(self.ids)
        self.most = most
        self.edits = [*reversed(edits)]
        self.made = 0

    def fetch(self, offset: int, limit: int | None) -> Page:
        """One window, after somebody was at work."""
        for way, place in self.edits.pop() if self.edits else ():
            if way == "insert":
                self.made += 1
                self.ids.insert(place % (len(self.ids) + 1), f"new-{self.made}")
            elif self.ids:
                del self.ids[place % len(self.ids)]
        end = offset + min(limit or self.most, self.most)
        products = tuple(listed(id, id) for id in self.ids[offset:end])
        return Page(len(self.ids), products, b"", end < len(self.ids))


FetchAll = Callable[[MovingList], Callable[[Iterable[int], int | None], Generator[Page]]]


def in_turn(remote: MovingList) -> Callable[[Iterable[int], int | None], Generator[Page]]:
    """Windows one after the other."""

    def fetch_all(offsets: Iterable[int], limit: int | None) -> Generator[Page]:
        yield from [remote.fetch(offset, limit) for offset in offsets]

    return fetch_all


def backwards(remote: MovingList) -> Callable[[Iterable[int], int | None], Generator[Page]]:
    """Windows from the last to the first, as racing calls may come."""

    def fetch_all(offsets: Iterable[int], limit: int | None) -> Generator[Page]:
        yield from reversed([remote.fetch(offset, limit) for offset in reversed([*offsets])])

    return fetch_all


edits = st.lists(
    st.lists(st.tuples(st.sampled_from(["insert", "delete"]), st.integers(0, 20)), max_size=2),
    max_size=12,
)


@given(st.integers(0, 12), st.integers(1, 5), edits, st.sampled_from([in_turn, backwards]))
def test_a_product_that_stayed_is_never_missing(
    size: int, most: int, edits: list[list[Edit]], order: FetchAll
) -> None:
    """Whatever comes and goes in between: a list that is believed holds all that were there."""
    remote = MovingList(size, most, edits)
    try:
        listing = read_whole(
            remote.fetch, order(remote), page_size=5, progress=Silent(), pause=lambda seconds: None
        )
    except UnstableList:
        return
    seen = [product.id for product in listing.products]
    assert len(seen) == len(set(seen))
    assert remote.before & set(remote.ids) <= set(seen)


@given(st.integers(0, 12), st.integers(1, 5), st.integers(1, 6))
def test_a_list_that_holds_still_is_read_at_once(size: int, most: int, page_size: int) -> None:
    """Without a change there is one reading, in order, and no pause."""
    remote = MovingList(size, most, ())
    pauses: list[float] = []
    listing = read_whole(
        remote.fetch, in_turn(remote), page_size=page_size, progress=Silent(), pause=pauses.append
    )
    assert [product.id for product in listing.products] == remote.ids
    assert pauses == []


def test_readings_are_further_and_further_apart() -> None:
    """A list that moves is given longer to settle each time."""
    remote = MovingList(9, 3, [[("delete", 0), ("insert", 8)]] * 99)
    pauses: list[float] = []
    with pytest.raises(UnstableList):
        read_whole(
            remote.fetch, in_turn(remote), page_size=3, progress=Silent(), pause=pauses.append
        )
    assert len(pauses) == 4
    assert pauses == sorted(set(pauses))
