"""Read the whole list, and prove that it is whole.

Pages are offset windows over a list that others may be changing (product-sync-api.txt, "List
products"). A product that slips from one window into another while the list is read would look
deleted, or missing and so to be created again. A reading is believed only if every page tells the
same `count`, that many distinct ids were seen, and each window begins with the product that the
one before it ended with. The shared product costs one call in fifty at the API's default page
size; without it, one product deleted and one added between two calls goes unseen.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from reconciler.errors import Rejected, RemoteError, UnstableList
from reconciler.model import Listing, RemoteProduct
from reconciler.progress import Progress
from reconciler.remote.wire import Page

Fetch: TypeAlias = Callable[[int, int | None], Page]
"""Fetch the window at an offset, with a limit, or with the server's own limit."""

Spread: TypeAlias = Callable[[Callable[[int], Page], Sequence[int]], Iterable[Page]]
"""Map over offsets side by side; results in order, the first error raised."""

_ATTEMPTS: Final = 5


class _Moved(Exception):
    """The reading does not hang together; `args[0]` says how."""


def read_whole(
    fetch: Fetch,
    spread: Spread,
    *,
    page_size: int,
    progress: Progress,
    pause: Callable[[float], None],
) -> Listing:
    """The remote's products, all of them, or UnstableList; never a part."""
    reason = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause(0.2 * 2**attempt)
        try:
            return _read_once(fetch, spread, page_size, progress)
        except _Moved as moved:
            reason = str(moved)
        finally:
            progress.finish()
    raise UnstableList(
        f"The product list would not hold still: {reason}, after {_ATTEMPTS} readings.",
        hint="Somebody is changing products, or the server's pages are wrong. Try again later.",
    )


def _read_once(fetch: Fetch, spread: Spread, page_size: int, progress: Progress) -> Listing:
    first, limit = _first_page(fetch, page_size)
    granted = len(first.products)
    progress.start("Listing products", first.total)
    progress.advance(granted)
    if granted >= first.total:
        return _proven(first.total, [first], 0)
    if not granted:
        raise _Moved(f"the first page is empty, but the count is {first.total}")
    # One product is shared by neighbours, unless a window holds only one.
    overlap = 1 if granted > 1 else 0
    step = granted - overlap
    offsets = range(step, first.total - overlap, step)

    def window(offset: int) -> Page:
        page = fetch(offset, limit and granted)
        progress.advance(len(page.products) - overlap)
        return page

    pages = [first, *spread(window, offsets)]
    for offset, page in zip(offsets, pages[1:], strict=True):
        expected = min(granted, first.total - offset)
        if page.total == first.total and len(page.products) != expected:
            raise _Moved(f"a page of {len(page.products)} products where {expected} were due")
    return _proven(first.total, pages, overlap)


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
            raise error from None


def _proven(count: int, pages: Sequence[Page], overlap: int) -> Listing:
    """The pages as one Listing, if they hang together; _Moved if they do not."""
    products: list[RemoteProduct] = list(pages[0].products)
    for page in pages[1:]:
        if page.total != count:
            raise _Moved(f"the count went from {count} to {page.total} while it was read")
        if overlap and page.products[0] != products[-1]:
            raise _Moved("products moved from one page to another")
        products += page.products[overlap:]
    ids = {product.id for product in products}
    nameless = sum(1 for product in products if product.id is None) if None in ids else 0
    distinct = len(ids) - (1 if nameless else 0) + nameless
    if not distinct == len(products) == count:
        raise _Moved(f"{distinct} distinct products where the count is {count}")
    return Listing(tuple(products), tuple(page.raw for page in pages))
