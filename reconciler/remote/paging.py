"""Read the whole list, and prove that it is whole.

Pages are offset windows over a list that others may be changing (product-sync-api.txt, "List
products"). A product that slips from one window into another while the list is read would look
deleted, or missing and so to be created again. A reading is believed only if every page tells the
same `count`, that many distinct ids were seen, and each window begins with the product that the
one before it ended with. The shared product costs one call in fifty at the API's default page
size; without it, one product deleted and one added between two calls goes unseen. A page that holds
one product only shares none: such a list is read twice.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from itertools import chain
from typing import Final, TypeAlias

from reconciler.errors import Rejected, RemoteError, UnstableList
from reconciler.model import Listing, RemoteProduct
from reconciler.progress import Progress
from reconciler.remote.wire import Page

Fetch: TypeAlias = Callable[[int, int | None], Page]
"""Fetch the window at an offset, with a limit, or with the server's own limit."""

FetchAll: TypeAlias = Callable[[Iterable[int], int | None], Generator[Page]]
"""Fetch the windows at many offsets side by side; pages in order, the first error raised."""

_ATTEMPTS: Final = 5
_MANY: Final = 10_000
"""So many pages are planned for on the word of the first one."""


_NO_SUCH_PAGE: Final = frozenset({400, 404, 416, 422})


class _Moved(Exception):
    """The reading does not hang together; `args[0]` says how."""


def read_whole(
    fetch: Fetch,
    fetch_all: FetchAll,
    *,
    page_size: int,
    progress: Progress,
    pause: Callable[[float], None],
) -> Listing:
    """The remote's products, all of them, or UnstableList; never a part."""
    reason = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            # Whoever changes products needs time to finish; an instant second look meets the same
            # change.
            pause(0.2 * 2**attempt)
        try:
            return _read_once(fetch, fetch_all, page_size, progress)
        except _Moved as moved:
            reason = str(moved)
        finally:
            progress.finish()
    raise UnstableList(
        f"The product list would not hold still: {reason}, after {_ATTEMPTS} readings.",
        hint="Somebody is changing products, or the server's pages are wrong. Try again later.",
    )


def _read_once(fetch: Fetch, fetch_all: FetchAll, page_size: int, progress: Progress) -> Listing:
    # The server may grant fewer than asked, so what came decides the windows.
    first, limit = _first_page(fetch, page_size)
    granted = len(first.products)
    progress.start("Listing products", first.total)
    progress.advance(granted)
    if not granted and first.total:
        raise _Moved(f"the first page is empty, but the count is {first.total}")
    # The offsets are made of what was granted, so the limit must be the same number.
    limit = limit and granted
    # One product is shared by neighbours, unless a window holds only one.
    overlap = 1 if granted > 1 else 0
    proof = _Proof(first, overlap)
    end = first
    if granted < first.total:
        offsets = range(granted - overlap, first.total - overlap, granted - overlap)
        last = offsets[-1]
        if len(offsets) > _MANY:
            _as_due(fetch(last, limit), last, granted, first.total)
        # A count that is far too high shows at its end, before thousands of calls are made.
        with closing(fetch_all(chain([last], offsets[:-1]), limit)) as pages:
            end = _as_due(next(pages), last, granted, first.total)
            for offset, page in zip(offsets, pages, strict=False):
                proof.add(_as_due(page, offset, granted, first.total))
                progress.advance(len(page.products) - overlap)
        proof.add(end)
        progress.advance(len(end.products) - overlap)
        if not overlap:
            with closing(fetch_all(chain([0], offsets), limit)) as again:
                proof.compare(again)
    listing = proof.listing()
    # A count that leaves out products would make them look missing, and be created again (P2).
    if end.more:
        _refuse_more(fetch, limit, listing)
    return listing


class _Proof:
    """One reading, proven page by page as it comes; _Moved as soon as it does not hang together."""

    def __init__(self, first: Page, overlap: int) -> None:
        self._count = first.total
        self._overlap = overlap
        self._products: list[RemoteProduct] = []
        self._ids: set[str | None] = set()
        self._without = 0
        self._raw: list[bytes] = []
        self._take(first.products, first.raw)

    def add(self, page: Page) -> None:
        """Take the next page of the list."""
        if self._overlap and page.products[0].id != self._products[-1].id:
            raise _Moved("products moved from one page to another")
        self._take(page.products[self._overlap :], page.raw)

    def _take(self, products: Sequence[RemoteProduct], raw: bytes) -> None:
        ids = [product.id for product in products]
        self._products += products
        self._ids.update(ids)
        self._raw.append(raw)
        if None in self._ids:
            self._ids.discard(None)
            # Records without an id cannot be told apart, so each counts as one of its own.
            self._without += ids.count(None)
        # Told at once: a server that gives one page for ever would else be read to its count.
        if len(self._ids) + self._without != len(self._products):
            raise _Moved("a product is listed twice")

    def compare(self, again: Iterable[Page]) -> None:
        """Raise _Moved unless a second reading sees the same products in the same order."""
        if [id for page in again for id in _ids(page)] != [p.id for p in self._products]:
            raise _Moved("products moved between two readings")

    def listing(self) -> Listing:
        """All pages as one Listing, if so many distinct products were seen as were counted."""
        if len(self._products) != self._count:
            raise _Moved(f"{len(self._products)} products, but the count is {self._count}")
        return Listing(tuple(self._products), tuple(self._raw))


def _as_due(page: Page, offset: int, granted: int, total: int) -> Page:
    """The page, if it is the window that was asked for; raises _Moved otherwise."""
    expected = min(granted, total - offset)
    if page.total != total:
        raise _Moved(f"the count went from {total} to {page.total} while it was read")
    if len(page.products) != expected:
        raise _Moved(f"a page of {len(page.products)} products, but {expected} were due")
    return page


def _ids(page: Page) -> list[str | None]:
    """The ids of a page: what else a record holds may change at any time, and moves nothing."""
    return [product.id for product in page.products]


def _refuse_more(fetch: Fetch, limit: int | None, listing: Listing) -> None:
    """Raise _Moved if there are products beyond the count.

    The last page says that a next one follows. A server that always says so answers with nothing,
    with products that were seen, or that there is no such page.
    """
    try:
        beyond = fetch(len(listing.products), limit)
    except Rejected as error:
        if error.status not in _NO_SUCH_PAGE:
            raise
        return
    seen = {product.id for product in listing.products}
    if any(product.id not in seen for product in beyond.products):
        raise _Moved(f"there are products beyond the count of {len(listing.products)}")


def _first_page(fetch: Fetch, page_size: int) -> tuple[Page, int | None]:
    """The first window and the limit to go on with: what is asked for, else the server's own."""
    try:
        return fetch(0, page_size), page_size
    except Rejected as error:
        if error.status not in (400, 422):
            raise
        try:
            return fetch(0, None), None
        except RemoteError:
            # The refusal of the page size tells more than what came of the second try.
            raise error from None
