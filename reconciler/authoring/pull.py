"""Compares the remote with the catalogue, for a pull: what differs, what is new, what is gone.

Only what the list returns can be pulled.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from reconciler.catalog.text import problems_of
from reconciler.codes import Code
from reconciler.model import (
    FIELDS,
    INDEX,
    KEYS,
    READABLE,
    Catalog,
    Finding,
    Ledger,
    Listing,
    Product,
    RemoteProduct,
    Value,
    Values,
    canonical_tags,
    is_ordinary,
)
from reconciler.planning.hints import warning
from reconciler.planning.ignore import NOTHING_IGNORED, Ignore
from reconciler.planning.matching import match
from reconciler.planning.plan import Blocked
from reconciler.wording import few

_STORE_ID: Final = INDEX["store_id"]
# A rename that is declared and not applied yet must not be undone by a pull.
_DRIFTING: Final = tuple(position for position in READABLE if position != _STORE_ID)


@dataclass(frozen=True, slots=True)
class New:
    """A remote product that nothing declares, as the catalogue would declare it."""

    id: str
    values: Values

    @property
    def store_id(self) -> str:
        """The shop's id."""
        return str(self.values[_STORE_ID])


@dataclass(slots=True)
class CatalogEdits:
    """The edits that make the catalogue say what another source says: the remote, or an export.

    `values` holds all values that a product gets, by its declared store_id. Those in `renamed` also
    get a renamed_from. `gone` are declared products that the source lacks, `new` those that the
    catalogue lacks.
    """

    values: dict[str, Values] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)
    gone: list[Product] = field(default_factory=list)
    new: list[New] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def compare_remote(
    catalog: Catalog, remote: Listing, ledger: Ledger, ignore: Ignore = NOTHING_IGNORED
) -> CatalogEdits:
    """What a pull would change; the ledger only tells which remote product is meant by which.

    What `ignore` leaves alone at the remote is not brought into the files either.
    """
    catalog, remote = ignore.of_catalog(catalog), ignore.of_listing(remote, catalog)
    matching = match(catalog, remote, ledger)
    found = CatalogEdits()
    for store_id, product in catalog.products.items():
        counterpart = matching.pairs.get(store_id)
        if counterpart is not None:
            by_hand = counterpart.id in matching.stand.by_hand
            other = ignore.pulled(counterpart, product)
            values = _pulled(product, other, found.warnings, by_hand=by_hand)
            if values != product.values:
                found.values[store_id] = values
        # What is blocked cannot be told apart at the remote, which does not mean that it is gone.
        elif store_id not in matching.held:
            found.gone.append(product)
    # The remote's order may change, and equal remotes must give equal files (P8).
    # Those that no catalogue can hold are told too.
    held_back = [b.store_id for b in matching.blocked if b.reason is Code.NOT_WRITABLE]
    there = [*matching.undeclared, *(matching.stand.present[str(each)] for each in held_back)]
    for undeclared in sorted(there, key=lambda product: str(product.store_id)):
        own = ignore.pulled(undeclared)
        new = new_product(str(own.id), own.values, found.warnings)
        if new is not None:
            found.new.append(new)
    found.warnings += _about_blocked(matching.blocked)
    return found


def _pulled(
    product: Product, remote: RemoteProduct, warnings: list[Finding], *, by_hand: bool
) -> Values:
    """The values that a declared product shall have; what it leaves unmanaged stays so.

    `by_hand` says that its store_id was changed at the remote.
    """
    positions = (_STORE_ID, *_DRIFTING) if by_hand else _DRIFTING
    managed = [position for position in positions if product.values[position] is not None]
    return with_values(product, remote.values, managed, warnings)


def with_values(
    product: Product,
    other: Values,
    positions: Iterable[int],
    warnings: list[Finding],
    *,
    kind: str = "remote",
) -> Values:
    """The product's values with those of `other` at `positions`.

    White space at the ends of a text is left out. What no catalogue can hold stays as it is
    declared, with a warning that says of what `kind` it is.
    """
    values = list(product.values)
    for position in positions:
        value = _trimmed(position, other[position])
        if values[position] == value:
            continue
        problem = _problem(value)
        if problem is None:
            values[position] = value
            continue
        message = (
            f"The {kind} {KEYS[position]} of {product.store_id} {problem}, which no catalogue "
            "can hold: what is declared stays, and the next apply sends it."
        )
        location = product.location_of(KEYS[position])
        warnings.append(warning(Code.NOT_WRITABLE, message, location))
    return tuple(values)


def new_product(
    id: str,
    other: Values,
    warnings: list[Finding],
    *,
    positions: Iterable[int] = READABLE,
    kind: str = "remote",
    remedy: str = "Fix it at Robosize, then pull again.",
) -> New | None:
    """An undeclared product with the values at `positions`; None if the catalogue cannot hold it.

    `id` is what its record is found by. A warning says of what `kind` the product is, and names
    the `remedy`.
    """
    values: list[Value | None] = [None] * len(FIELDS)
    for position in positions:
        value, key = _trimmed(position, other[position]), KEYS[position]
        problem = _problem(value)
        if problem is None:
            values[position] = value
            continue
        message = f"The {kind} {key} of {other[_STORE_ID]!r} {problem}, which no catalogue can hold"
        if FIELDS[position].required:
            message += f": the product is left out. {remedy}"
            warnings.append(warning(Code.NOT_WRITABLE, message))
            return None
        message += f": the field {key} is left out."
        warnings.append(warning(Code.NOT_WRITABLE, message))
    return New(id, tuple(values))


def _trimmed(position: int, value: Value | None) -> Value | None:
    """A remote value without white space at its ends; a store_id is another without it."""
    if value is None or position == _STORE_ID:
        return value
    return value.strip() if isinstance(value, str) else canonical_tags(map(str.strip, value))


def _problem(value: Value | None) -> str | None:
    """Why the catalogue cannot hold a remote value, or None if it can."""
    if value is None:
        return "is missing"
    if isinstance(value, str):
        # Nearly every text is ordinary, and the full check takes much longer.
        if is_ordinary(value):
            return None
        errors = (p.message for p in problems_of(value) if p.severity == "error")
        message = next(errors, None)
        # The rest says what to do in a file, and this value is in none.
        return message and message.partition(". ")[0].rstrip(".")
    problems = (problem for tag in value if (problem := _problem(tag)) is not None)
    first = next(problems, None)
    return first and f"hold one that {first}"


def _about_blocked(blocked: list[Blocked]) -> Iterator[Finding]:
    """Warnings about remote products that are blocked, and so are left out."""
    nameless = sum(block.reason is Code.MISSING_STORE_ID for block in blocked)
    if nameless:
        which = "1 remote product has" if nameless == 1 else f"{nameless} remote products have"
        message = f"{which} no store_id, so no file can declare it: left out."
        yield warning(Code.MISSING_STORE_ID, message)
    for reason, why in (
        (Code.DUPLICATE_REMOTE, "The remote has more than one product with the store_id"),
        (Code.MISSING_ID, "The remote gives no id that could be used for"),
        (Code.RENAME_CONFLICT, "Both the old and the new store_id of a rename are at the remote:"),
        (
            Code.RENAME_WAITS,
            "Another product still has their store_id, or their ring of renames waits:",
        ),
        (Code.NOT_LISTED_YET, "These were created, but are not listed yet:"),
    ):
        store_ids = sorted({str(b.store_id) for b in blocked if b.reason is reason})
        if store_ids:
            yield warning(reason, f"{why} {few(store_ids)}: left out.")
