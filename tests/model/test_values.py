"""The values that travel: places, the field table, the ledger, listings and their records."""

import json
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import (
    FIELDS,
    INDEX,
    KEYS,
    NOTHING,
    READABLE,
    WRITE_ONLY,
    Catalog,
    Entry,
    Known,
    Ledger,
    Listing,
    Location,
    State,
    canonical_tags,
    pack_location,
    slot,
    unpack_location,
)
from tests.model.making import entries, listed, product, row

LINES = {"store_id": 0, "name": 1, "type": 4, "renamed_from": 5}
PRODUCT = product(
    "10",
    file="catalog/a.yaml",
    at=pack_location(3, 5),
    offsets=tuple(
        pack_location(LINES[key], 5) if key in LINES else 0 for key in (*KEYS, "renamed_from")
    ),
    renamed_from="9",
    tags=("a",),
    type="top",
)


@given(st.integers(1, 10**9), st.integers(1, 2**32 - 1))
def test_a_packed_place_comes_back(line: int, column: int) -> None:
    """Line and column survive being one number, for files and lines of any length."""
    assert unpack_location("a.yaml", pack_location(line, column)) == Location(
        "a.yaml", line, column
    )


def test_a_product_answers_by_name() -> None:
    """The values stand in the order of the field table; None is what is unmanaged."""
    assert (PRODUCT.store_id, PRODUCT.name) == ("10", "Shirt")
    told = {key: PRODUCT.value(key) for key in KEYS if PRODUCT.value(key) is not None}
    assert told == {"store_id": "10", "name": "Shirt", "tags": ("a",), "type": "top"}
    assert str(PRODUCT.location) == "catalog/a.yaml:3:5"


@pytest.mark.parametrize(
    ("key", "line"),
    [("store_id", 3), ("name", 4), ("tags", 3), ("image_url", 3), ("type", 7), ("renamed_from", 8)],
)
def test_a_value_is_located_where_it_is_written(key: str, line: int) -> None:
    """Lines count from the product's first; what is inherited or absent is located there."""
    assert PRODUCT.location_of(key) == Location("catalog/a.yaml", line, 5)


def test_a_product_without_places_is_located_as_a_whole() -> None:
    """A caller without files need not make up locations for every value."""
    bare = PRODUCT._replace(offsets=())
    assert bare.packed_at(1) == PRODUCT.packed_at(2) == PRODUCT.at
    assert bare.location_of("name") == bare.location_of("renamed_from") == bare.location


def test_a_catalogue_of_products_is_keyed_by_store_id() -> None:
    """In the order given, and without files."""
    other = PRODUCT._replace(values=row(store_id="2", name="Coat"))
    catalog = Catalog.of(PRODUCT, other)
    assert list(catalog.products.items()) == [("10", PRODUCT), ("2", other)]
    assert (catalog.files, catalog.digest, catalog.commit) == ((), "", None)


def test_the_field_table_is_the_documented_api() -> None:
    """Five fields, in the order of the API; the list returns three of them."""
    assert KEYS == ("store_id", "name", "tags", "image_url", "type")
    assert [KEYS[position] for position in READABLE] == ["store_id", "name", "tags"]
    assert [KEYS[position] for position in WRITE_ONLY] == ["image_url", "type"]
    assert [key for key in KEYS if FIELDS[INDEX[key]].required] == ["store_id", "name"]
    assert [field.key for field in FIELDS if field.may_be_empty] == ["tags", "image_url"]
    assert [field.empty for field in FIELDS] == ["", "", (), "", ""]
    assert all(field.title and field.example for field in FIELDS)


@given(st.lists(st.text(max_size=3)))
def test_tags_are_a_set(tags: list[str]) -> None:
    """Order and repeats do not count, and the form is always the same."""
    canonical = canonical_tags(tags)
    assert canonical_tags([*reversed(tags), *tags]) == canonical
    assert set(canonical) == set(tags)
    assert list(canonical) == sorted(set(tags))


def test_a_ledger_tells_what_it_knows_of_a_field() -> None:
    """By remote id and field; nothing of products and fields that it does not know."""
    image = Entry("https://cdn.shop/1.jpg", State.CONFIRMED)
    ledger = Ledger({"p1": Known("A", entries(image_url=image.value))})
    assert ledger.known("p1", "image_url") == image
    assert ledger.known("p1", "type") is None
    assert ledger.known("p2", "type") is None
    assert [slot("image_url"), slot("type")] == [0, 1]
    assert (None,) * len(WRITE_ONLY) == NOTHING


REMOTE = listed("p1", "A", None, ("x", "y"))


def test_a_remote_product_answers_by_name() -> None:
    """None is what is null, missing or never returned."""
    assert (REMOTE.id, REMOTE.store_id, REMOTE.name) == ("p1", "A", None)
    told = {key: REMOTE.value(key) for key in KEYS if REMOTE.value(key) is not None}
    assert told == {"store_id": "A", "tags": ("x", "y")}
    assert REMOTE._replace(values=row()).store_id is None


def test_records_of_a_listing_made_by_hand_are_its_readable_values() -> None:
    """What is known is given, and only of the products asked for that have an id."""
    listing = Listing((REMOTE, REMOTE._replace(id="p2"), REMOTE._replace(id=None)))
    record = {"id": "p1", "store_id": "A", "name": None, "tags": ["x", "y"]}
    assert listing.records(["p1", "p3"]) == {"p1": record}
    assert listing.records([]) == {}


def _page(records: Sequence[object]) -> bytes:
    """The records of a page, deflated."""
    return zlib.compress(json.dumps(records).encode())


def test_records_of_a_read_listing_are_whole() -> None:
    """Every key that the API sent, found on whichever page; numeric ids count as their text."""
    pages: list[list[dict[str, object]]] = [
        [{"id": "p1", "fabric": {"a": 1}}, {"id": None}, {}],
        [{"id": 7, "later": "x"}, {"id": "p9"}],
    ]
    listing = Listing((REMOTE,), tuple(_page(page) for page in pages))
    assert listing.records({"p1", "7"}) == {"p1": pages[0][0], "7": pages[1][0]}


def test_pages_after_the_last_record_wanted_are_not_read() -> None:
    """A delete of one product costs no more than the pages up to it."""
    listing = Listing((REMOTE,), (_page([{"id": "p1"}]), b"not deflated"))
    assert listing.records(["p1"]) == {"p1": {"id": "p1"}}


def test_every_record_of_a_listing_in_its_order() -> None:
    """From its pages where it was read, from its values where it was made by hand."""
    pages: list[list[object]] = [[{"id": "p2"}], [], [{"id": "p1"}, {"id": None}]]
    read = Listing((REMOTE,), tuple(_page(page) for page in pages))
    assert list(read.every_record()) == [{"id": "p2"}, {"id": "p1"}, {"id": None}]
    assert [record["id"] for record in Listing((REMOTE,)).every_record()] == ["p1"]


def test_a_number_that_python_would_not_read_is_kept_as_its_text() -> None:
    """A record may hold any number, and is written to the journal again."""
    page = zlib.compress(b'[{"id": 7, "a": ' + b"9" * 5000 + b', "b": NaN}]')
    record = Listing((REMOTE,), (page,)).records(["7"])["7"]
    assert record == {"id": 7, "a": "9" * 5000, "b": "NaN"}
