"""What a create made that no run saw the end of, on a server that rewrites store_ids."""

from collections.abc import Callable

import pytest

from reconciler.model import Entry, Ledger, Product, RemoteProduct, Sent, State, Value
from reconciler.planning.diff import diff
from tests.planning.making import (
    EMPTY,
    NAME,
    catalog,
    declared,
    entries,
    known,
    ledger,
    listed,
    planned,
    told,
)
from tests.planning.shop import Shop, crash, settle

DRESS = declared("abc", tags=["Wool", "x"], type="dress")
LOST = ledger({}, {"abc": entries(type=("dress", State.DOUBT))})


def upper(key: str, value: Value) -> Value:
    """A server that keeps every store_id in capitals."""
    return str(value).upper() if key == "store_id" else value


def titled(key: str, value: Value) -> Value:
    """A server that writes every name and store_id like a title, and every tag small."""
    if isinstance(value, tuple):
        return tuple(tag.lower() for tag in value)
    return value.title() if key in ("store_id", "name") else value


@pytest.mark.parametrize("keeps", [upper, titled])
@pytest.mark.parametrize("product", [DRESS, declared("abc"), declared("abc", was="gone")])
def test_it_is_taken_for_what_was_made(
    product: Product, keeps: Callable[[str, Value], Value]
) -> None:
    """The next plan changes it and makes no second one; the one after has nothing to do."""
    shop = Shop(keeps=keeps)
    wanted = catalog(product)
    memory = crash(shop, diff(wanted, shop.listing(), EMPTY), EMPTY, 1)
    assert list(shop.rows) == ["new1"]
    memory, plan = settle(shop, wanted, memory)
    assert [change.id for change in plan.changes] == ["new1"]
    assert list(shop.rows) == ["new1"]
    assert memory.creates == {}
    assert memory.products["new1"].store_id == "abc"
    assert told(diff(wanted, shop.listing(), memory)) == []


def test_what_it_sent_is_in_doubt() -> None:
    """A write-only value that the lost create sent is sent again, and confirmed then."""
    shop = Shop(keeps=upper)
    memory = crash(shop, diff(catalog(DRESS), shop.listing(), EMPTY), EMPTY, 1)
    assert told(diff(catalog(DRESS), shop.listing(), memory)) == ["new1 ABC>abc type"]
    memory, _ = settle(shop, catalog(DRESS), memory)
    assert memory.known("new1", "type") == Entry("dress", State.CONFIRMED)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([listed("p1", "ABC", tags=["wool", "X"])], ["p1 ABC>abc tags type"]),
        ([listed("p1", "ABC", NAME.upper(), ["Wool", "x"])], ["p1 ABC>abc name type"]),
        ([listed("p1", "ABC", "Another", ["Wool", "x"])], ["+abc"]),
        ([listed("p1", "ABC", tags=["Wool"])], ["+abc"]),
        ([listed("p1", "ABCD", tags=["Wool", "x"])], ["+abc"]),
        ([listed("p1", "ABC", None, ["Wool", "x"])], ["+abc"]),
        ([listed("p1", None, tags=["Wool", "x"])], ["+abc"]),
        ([listed(None, "ABC", tags=["Wool", "x"])], ["+abc"]),
        ([listed("p1", "ABC", tags=["Wool", "x"]), listed("p2", "Abc", tags=["Wool", "x"])],
         ["+abc"]),
    ],
)  # fmt: skip
def test_only_what_is_surely_it(there: list[RemoteProduct], expected: list[str]) -> None:
    """One product that is alike in all that the list shows is it; two, or another, are not."""
    assert told(planned([DRESS], there, ledger=LOST, prune="none")) == expected


def test_one_that_is_renamed_is_not_waited_for() -> None:
    """An answered create that is listed leaves its store_id to what is declared there next (P1)."""
    sent = Ledger({}, {"abc": Sent(id="p1")})
    there = [listed("p1", "abc")]
    products = [declared("new", was="abc"), declared("abc")]
    assert told(planned(products, there, ledger=sent)) == ["+abc", "p1 abc>new"]
    chain = [*products[:1], declared("abc", was="gone")]
    assert told(planned(chain, there, ledger=sent)) == ["+abc", "p1 abc>new"]


def test_what_is_remembered_or_declared_is_another() -> None:
    """A product that the ledger knows, or that the catalogue has, is not what a create made."""
    there = [listed("p1", "ABC", tags=["Wool", "x"])]
    memory = ledger({"p1": known("ABC")}, {"abc": LOST.creates["abc"].entries})
    assert told(planned([DRESS], there, ledger=memory, prune="none")) == ["+abc"]
    capital = declared("ABC", tags=["Wool", "x"])
    assert told(planned([DRESS, capital], there, ledger=LOST)) == ["+abc"]
    renamed = declared("new", was="ABC", tags=["Wool", "x"])
    assert told(planned([DRESS, renamed], there, ledger=LOST)) == ["+abc", "p1 ABC>new"]


def test_one_product_is_not_two() -> None:
    """Where either of two lost creates may have made it, it is neither's."""
    products = [declared("abc"), declared("aBc")]
    memory = ledger({}, {"abc": entries(), "aBc": entries()})
    there = [listed("p1", "ABC")]
    assert told(planned(products, there, ledger=memory, prune="none")) == ["+aBc", "+abc"]


def test_only_a_lost_create_is_looked_for() -> None:
    """Without one, a product that is alike but for case is another, which is warned of."""
    there = [listed("p1", "ABC", tags=["Wool", "x"])]
    assert told(planned([DRESS], there)) == ["+abc", "-p1 ABC"]


def test_a_product_that_stands_aside_is_not_what_a_create_made() -> None:
    """A place that a product returns to says nothing of what was once created there."""
    memory = ledger({}, {"B": entries(type=("top", State.CONFIRMED))})
    shop = Shop(listed("p0", "B~moving-p0"))
    wanted = catalog(declared("B", type="dress"))
    memory, plan = settle(shop, wanted, memory)
    assert told(plan) == ["p0 B~moving-p0>B"]
    assert told(diff(wanted, shop.listing(), memory)) == []


@pytest.mark.parametrize("keeps", [upper, titled])
@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_run_that_finds_it_and_dies_too(keeps: Callable[[str, Value], Value], calls: int) -> None:
    """Whose product it is stays known until the server is known to keep another store_id for it."""
    shop = Shop(keeps=keeps)
    wanted = catalog(DRESS)
    memory = crash(shop, diff(wanted, shop.listing(), EMPTY), EMPTY, 1)
    for _ in range(3):
        memory = crash(shop, diff(wanted, shop.listing(), memory), memory, calls)
    memory, _ = settle(shop, wanted, memory)
    assert list(shop.rows) == ["new1"]
    assert memory.creates == {}
    assert told(diff(wanted, shop.listing(), memory)) == []
