"""Renames: single ones, chains, rings; pending, made, half made, and those that cannot be made."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from reconciler.model import Catalog, Kept, Known, Ledger, Product, RemoteProduct
from reconciler.planning.conclude import in_doubt
from reconciler.planning.diff import diff
from reconciler.planning.operations import operations
from reconciler.planning.plan import Update
from tests.planning.making import (
    EMPTY,
    catalog,
    codes,
    declared,
    held,
    known,
    ledger,
    listed,
    moved,
    normalised,
    planned,
    remote,
    told,
)
from tests.planning.shop import Shop, carry_out, crash, settle

A, B, C = listed("p1", "A"), listed("p2", "B"), listed("p3", "C")
SWAP = catalog(declared("A", was="B"), declared("B", was="A"))
TURN = catalog(declared("A", was="C"), declared("B", was="A"), declared("C", was="B"))
CHAIN = catalog(declared("B", was="A"), declared("C", was="B"))


def test_a_rename_is_one_update_of_the_same_product() -> None:
    """While the source is at the remote and the target is not, the product keeps its id."""
    plan = planned([declared("B", "Coat", was="A")], [A])
    assert told(plan) == ["p1 A>B name"]
    assert plan.changes[0].fields["store_id"] == ("A", "B", False, False)
    assert plan.summary[:3] == (0, 1, 0)


@pytest.mark.parametrize(
    ("there", "says"),
    [([], ["+B"]), ([B], []), ([listed("p9", "Z"), B], ["-p9 Z"])],
    ids=["neither", "made", "made, with another beside it"],
)
def test_a_rename_without_its_source_is_not_pending(
    there: list[RemoteProduct], says: list[str]
) -> None:
    """`renamed_from` left in the YAML does nothing once its source is gone."""
    assert told(planned([declared("B", was="A")], there)) == says


def test_a_rename_whose_source_and_target_exist_is_a_conflict() -> None:
    """The target is compared as ever; the source is neither renamed nor deleted, but told."""
    plan = planned([declared("B", "Coat", was="A")], [A, B])
    assert told(plan) == ["p2 B name"]
    assert held(plan) == [("A", ("p1",), "rename_conflict")]


def test_a_chain_moves_up_from_its_free_end() -> None:
    """Each link of a chain waits for the one that gives up its store_id."""
    plan = diff(CHAIN, remote(A, B), EMPTY)
    assert told(plan) == ["p1 A>B", "p2 B>C"]
    (chain,) = operations(plan).renames
    assert [patch.ids for patch in chain] == [("p2",), ("p1",)]


def test_a_chain_that_is_blocked_at_its_end_stays() -> None:
    """No link moves where the last target is taken by a product that stays."""
    plan = diff(CHAIN, remote(A, B, C), EMPTY)
    assert told(plan) == []
    assert held(plan) == [("A", ("p1",), "rename_conflict")]


def test_a_long_chain_is_one_line_in_whatever_order_it_is_declared() -> None:
    """The links are found in any order, and the calls begin at the free end."""
    names = [f"{n:02}" for n in range(12)]
    links = [declared(after, was=before) for before, after in pairwise(names)]
    there = [listed(f"p{name}", name) for name in names[:-1]]
    for order in (links, links[::-1], links[::2] + links[1::2]):
        (chain,) = operations(planned(order, there)).renames
        assert [patch.changes[0].store_id for patch in chain] == names[:0:-1]


def test_a_place_that_a_rename_leaves_is_filled_by_a_create() -> None:
    """Where a chain starts with a source that the remote lacks, its first product is new."""
    plan = planned([declared("A", was="Z"), declared("B", was="A")], [A])
    assert told(plan) == ["+A", "p1 A>B"]


@pytest.mark.parametrize(("wanted", "there"), [(SWAP, [A, B]), (TURN, [A, B, C])])
def test_a_ring_is_made_with_one_more_call(wanted: Catalog, there: list[RemoteProduct]) -> None:
    """One product steps aside, the others move up, and it takes its place; all of them are told."""
    plan = diff(wanted, remote(*there), EMPTY)
    (chain,) = operations(plan).renames
    assert len(chain) == len(there) + 1
    aside = f"A~moving-{chain[0].changes[0].id}"
    assert (chain[0].parking, dict(chain[0].body)) == (True, {"store_id": aside})
    assert chain[-1].ids == chain[0].ids
    assert [patch.parking for patch in chain[1:]] == [False] * len(there)
    assert codes(plan) == ["rename_ring"]
    shop = Shop(*there)
    carry_out(shop, plan, EMPTY)
    assert shop.places() == {change.id: change.store_id for change in plan.changes}


@pytest.mark.parametrize(("wanted", "there"), [(SWAP, [A, B]), (TURN, [A, B, C])])
def test_a_ring_is_made_only_once(wanted: Catalog, there: list[RemoteProduct]) -> None:
    """The ledger remembers a finished ring, so `renamed_from` left in the YAML swaps nothing back.

    Not even where one product of the ring has been deleted by hand meanwhile.
    """
    shop = Shop(*there)
    memory, plan = settle(shop, wanted, EMPTY)
    assert moved(memory) == sorted(
        (c.id, str(c.came_from), c.store_id) for c in plan.changes if isinstance(c, Update)
    )
    assert told(diff(wanted, shop.listing(), memory)) == []
    del shop.rows["p1"]
    assert told(diff(wanted, shop.listing(), memory)) == ["+B"]


@pytest.mark.parametrize("wanted", [SWAP, TURN])
@pytest.mark.parametrize("calls", range(5))
def test_a_begun_ring_is_finished_after_a_crash_at_any_link(wanted: Catalog, calls: int) -> None:
    """Each product ends where the first plan meant it to be, wherever the first run died."""
    there = [A, B, C][: len(wanted.products)]
    shop = Shop(*there)
    plan = diff(wanted, shop.listing(), EMPTY)
    memory = crash(shop, plan, EMPTY, calls)
    memory, _ = settle(shop, wanted, memory)
    assert shop.places() == {change.id: change.store_id for change in plan.changes}
    assert told(diff(wanted, shop.listing(), memory)) == []


@pytest.mark.parametrize("wanted", [SWAP, TURN])
@pytest.mark.parametrize("calls", range(5))
def test_a_begun_ring_that_is_taken_back_is_undone(wanted: Catalog, calls: int) -> None:
    """A revert of the YAML in the middle of a ring gives every product its old place again.

    Once every call was made the ring is done: its products stay where they are.
    """
    there = [A, B, C][: len(wanted.products)]
    shop = Shop(*there)
    plan = diff(wanted, shop.listing(), EMPTY)
    memory = crash(shop, plan, EMPTY, calls)
    done = calls >= len(operations(plan))
    reverted = catalog(*(declared(store_id) for store_id in wanted.products))
    memory, _ = settle(shop, reverted, memory)
    old = {str(product.id): product.store_id for product in there}
    new = {change.id: change.store_id for change in plan.changes}
    assert shop.places() == (new if done else old)
    memory, again = settle(shop, reverted, memory)
    assert (told(again), moved(memory)) == ([], [])


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (["A"], ["p1 B~moving-p1>A", "-p2 B"]),
        (["B"], ["-p1 B~moving-p1"]),
        ([], ["-p2 B", "-p1 B~moving-p1"]),
    ],
)
def test_a_begun_ring_of_which_one_is_not_declared_any_more(
    left: list[str], says: list[str]
) -> None:
    """What is declared keeps its own product, also when the other one goes."""
    half = [listed("p1", "B~moving-p1"), B]
    memory = ledger({}, {}, ("p1", "A", "B"), ("p2", "B", "A"))
    plan = planned([declared(store_id) for store_id in left], half, ledger=memory)
    assert sorted(told(plan)) == sorted(says)


def test_a_begun_ring_whose_places_are_needed_crosswise_loses_nothing() -> None:
    """If another has the place that a parked product must return to, it stays, and is told (P3)."""
    memory = ledger({}, {}, ("p1", "A", "B"), ("p2", "B", "A"))
    half = [listed("p1", "B~moving-p1"), listed("p2", "A")]
    plan = planned([declared("A")], half, ledger=memory)
    assert told(plan) == []
    assert held(plan) == [("B~moving-p1", ("p1",), "rename_conflict")]


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ([listed("p1", "B~moving-p1"), B], ["p2 B>A", "p1 B~moving-p1>B"]),
        ([listed("p1", "B~moving-p1"), listed("p2", "A")], ["p1 B~moving-p1>B"]),
    ],
)
def test_a_begun_ring_is_finished_without_a_ledger(
    there: list[RemoteProduct], says: list[str]
) -> None:
    """What stands aside says itself where it belongs; and nothing is swapped back afterwards."""
    plan = diff(SWAP, remote(*there), EMPTY)
    assert told(plan) == says
    shop = Shop(*there)
    memory, _ = settle(shop, SWAP, EMPTY)
    assert told(diff(SWAP, shop.listing(), memory)) == []


def test_what_stands_aside_for_a_place_that_is_taken_is_left_alone() -> None:
    """Without the ledger nobody knows which of the two is meant, so none is deleted."""
    plan = planned([declared("B")], [listed("p1", "B~moving-p1"), B])
    assert told(plan) == []
    assert held(plan) == [("B~moving-p1", ("p1",), "rename_conflict")]


@pytest.mark.parametrize(
    "product",
    [declared("B~moving-p1"), declared("C", was="B~moving-p1")],
    ids=["declared", "source"],
)
def test_a_store_id_that_only_looks_parked_is_an_ordinary_one(product: Product) -> None:
    """A store_id that the catalogue names belongs to what names it."""
    plan = planned([declared("B"), product], [B, listed("p1", "B~moving-p1")])
    assert held(plan) == []
    assert told(plan) == ([] if product.store_id == "B~moving-p1" else ["p1 B~moving-p1>C"])


def test_an_exchange_can_be_declared_again() -> None:
    """A ring is forgotten once the catalogue has been applied without it, not before."""
    shop = Shop(A, B)
    plain = catalog(declared("A"), declared("B"))
    memory, _ = settle(shop, SWAP, EMPTY)
    memory, plan = settle(shop, plain, memory)
    assert (told(plan), len(plan.adoptions), moved(memory)) == ([], 2, [])
    settle(shop, SWAP, memory)
    assert shop.places() == {"p1": "A", "p2": "B"}


@pytest.mark.parametrize(
    ("wanted", "there", "ends"),
    [
        (SWAP, [], {"new1": "A", "new2": "B"}),
        (SWAP, [A], {"p1": "B", "new1": "A"}),
        (TURN, [A, B], {"p1": "B", "p2": "C", "new1": "A"}),
        (TURN, [A], {"p1": "B", "new1": "A", "new2": "C"}),
    ],
)
def test_a_ring_of_which_the_remote_has_a_part_is_made_once(
    wanted: Catalog, there: list[RemoteProduct], ends: dict[str, str]
) -> None:
    """What is there moves, what is not is created, and what then looks like a ring is none.

    Wherever the run dies, the next one ends the same way.
    """
    for calls in range(5):
        shop = Shop(*there)
        memory = crash(shop, diff(wanted, shop.listing(), EMPTY), EMPTY, calls)
        memory, _ = settle(shop, wanted, memory)
        assert shop.places() == ends
        assert told(diff(wanted, shop.listing(), memory)) == []


def test_a_moved_product_is_not_moved_on_after_a_crash() -> None:
    """A, moved to B, is not the B that C is renamed from: the remote never had one."""
    shop = Shop(A)
    memory = crash(shop, diff(CHAIN, shop.listing(), EMPTY), EMPTY, 1)
    plan = diff(CHAIN, shop.listing(), memory)
    assert told(plan) == ["+C"]


def test_a_remembered_ring_beside_an_undeclared_one_changes_nothing_else() -> None:
    """What the ledger remembers of renames that are gone from the YAML has no effect."""
    stale = [("p1", "A", "B"), ("p2", "B", "A")]
    for product in (declared("B"), declared("B", was="Z")):
        memory = ledger({}, {}, *stale)
        plan = planned([declared("A"), product], [A, B], ledger=memory)
        assert told(plan) == []
        assert [adoption.id for adoption in plan.adoptions] == ["p1", "p2"]


@pytest.mark.parametrize(
    "memory",
    [ledger({}, {}, ("p1", "A", "B")), EMPTY],
    ids=["remembered", "not remembered"],
)
def test_a_renamed_product_that_is_named_back_by_hand_is_renamed_again(memory: Ledger) -> None:
    """A rename is pending while its source is at the remote, whoever brought it there."""
    assert told(planned([declared("B", was="A")], [A], ledger=memory)) == ["p1 A>B"]


def test_a_product_whose_store_id_the_server_normalises_is_known_by_its_id() -> None:
    """It is neither created again nor deleted, and can be renamed by the store_id declared."""
    memory = ledger({"p1": normalised("Ab", store_id=("Ab", "ab"))})
    there = [listed("p1", "ab")]
    plan = planned([declared("Ab")], there, ledger=memory)
    assert (told(plan), codes(plan)) == ([], ["server_keeps"])
    assert told(planned([declared("Cd", was="Ab")], there, ledger=memory)) == ["p1 ab>Cd"]
    assert told(planned([declared("ab")], there, ledger=memory)) == []
    plan = planned([declared("Ab")], [*there, listed("p2", "Ab")], ledger=memory)
    assert held(plan) == [("Ab", ("p1", "p2"), "duplicate_remote")]


def test_what_an_apply_remembers_of_renames() -> None:
    """Each product where it came from, and a create what it is declared to be renamed from."""
    products = [*SWAP.products.values(), declared("D", was="C"), declared("E", was="Z")]
    plan = planned([*products, declared("F")], [A, B, C])
    memory = in_doubt(EMPTY, plan)
    assert moved(memory) == [("p1", "A", "B"), ("p2", "B", "A"), ("p3", "C", "D")]
    assert {store_id: sent.came_from for store_id, sent in memory.creates.items()} == {
        "E": "Z",
        "F": None,
    }


def test_what_stands_aside_for_a_doubled_place_is_told_beside_the_doubles() -> None:
    """Three products for one store_id: none of them is touched, and each of them is told."""
    there = [listed("p1", "B~moving-p1"), B, listed("p4", "B")]
    plan = planned([declared("B")], there)
    assert told(plan) == []
    assert held(plan) == [
        ("B", ("p2", "p4"), "duplicate_remote"),
        ("B~moving-p1", ("p1",), "rename_conflict"),
    ]


def test_a_product_that_was_renamed_by_hand_is_renamed_back() -> None:
    """It is known by its id (P3); if its new store_id is declared too, it stays as it is."""
    memory = ledger({}, {}, ("p1", "A", "B"))
    there = [listed("p1", "Q")]
    plan = planned([declared("B", was="A"), declared("Q")], there, ledger=memory)
    assert told(plan) == []
    assert held(plan) == [("B", ("p1",), "rename_conflict"), ("Q", ("p1",), "rename_conflict")]
    assert told(planned([declared("B", was="A")], there, ledger=memory)) == ["p1 Q>B"]


@pytest.mark.parametrize("wanted", [SWAP, TURN])
@pytest.mark.parametrize("calls", range(1, 4))
def test_a_ring_that_is_taken_back_after_two_crashes_is_undone(wanted: Catalog, calls: int) -> None:
    """What the second run remembered of the rest of the ring does not hide the ring."""
    there = [A, B, C][: len(wanted.products)]
    shop = Shop(*there)
    memory = crash(shop, diff(wanted, shop.listing(), EMPTY), EMPTY, min(calls, len(there)))
    memory = crash(shop, diff(wanted, shop.listing(), memory), memory, 0)
    reverted = catalog(*(declared(store_id) for store_id in wanted.products))
    memory, _ = settle(shop, reverted, memory)
    assert shop.places() == {str(product.id): product.store_id for product in there}
    memory, _ = settle(shop, reverted, memory)
    assert moved(memory) == []


def test_what_was_finished_without_a_ledger_is_forgotten_like_any_ring() -> None:
    """Once the catalogue has been applied without the renames, nothing is left of them."""
    shop = Shop(listed("p1", "B~moving-p1"), B)
    memory, _ = settle(shop, SWAP, EMPTY)
    assert len(moved(memory)) == 2
    memory, _ = settle(shop, catalog(declared("A"), declared("B")), memory)
    assert moved(memory) == []


KEEPS = [str.upper, str.title, lambda store_id: store_id[::-1]]
"""Ways in which a server rewrites store_ids; what the last one keeps looks like nothing sent."""
LOWER = catalog(declared("ab"), declared("cd"), declared("e1"))
LOWER_CHAIN = catalog(declared("cd", was="ab"), declared("e1", was="cd"), declared("fg", was="e1"))
LOWER_SWAP = catalog(declared("ab", was="cd"), declared("cd", was="ab"), declared("e1"))
LOWER_TURN = catalog(declared("ab", was="e1"), declared("cd", was="ab"), declared("e1", was="cd"))


def _rewriting(way: Callable[[str], str]) -> Shop:
    """A shop that keeps store_ids in its own way, and refuses one that another product has."""
    return Shop(keeps=lambda key, value: way(str(value)) if key == "store_id" else value)


@pytest.mark.parametrize("way", KEEPS)
@pytest.mark.parametrize("wanted", [LOWER_CHAIN, LOWER_SWAP, LOWER_TURN])
@pytest.mark.parametrize("calls", range(6))
def test_renames_are_made_once_where_the_server_rewrites_store_ids(
    way: Callable[[str], str], wanted: Catalog, calls: int
) -> None:
    """Chains and rings are seen and ordered by what was sent, wherever a run died."""
    shop = _rewriting(way)
    memory, _ = settle(shop, LOWER, EMPTY)
    smooth = shop.copy()
    after, _ = settle(smooth, wanted, memory)
    assert told(diff(wanted, smooth.listing(), after)) == []
    memory = crash(shop, diff(wanted, shop.listing(), memory), memory, calls)
    for _ in range(2):
        memory, _ = settle(shop, wanted, memory)
        assert shop.places() == smooth.places()
    assert told(diff(wanted, shop.listing(), memory)) == []


@pytest.mark.parametrize("way", KEEPS)
@pytest.mark.parametrize("calls", range(5))
def test_a_begun_ring_is_undone_where_the_server_rewrites_store_ids(
    way: Callable[[str], str], calls: int
) -> None:
    """A revert of the YAML gives each product of a ring its old place, unless all was done."""
    shop = _rewriting(way)
    memory, _ = settle(shop, LOWER, EMPTY)
    old = shop.places()
    plan = diff(LOWER_SWAP, shop.listing(), memory)
    memory = crash(shop, plan, memory, calls)
    for _ in range(2):
        memory, again = settle(shop, LOWER, memory)
    done = calls >= len(operations(plan))
    new = {id: (old["new2"], old["new1"])[id == "new2"] for id in ("new1", "new2")}
    assert shop.places() == (old | new if done else old)
    assert (told(again), moved(memory)) == ([], [])


def test_a_ring_is_remembered_by_the_store_ids_that_were_sent() -> None:
    """What the server keeps for them is not part of the catalogue's renames."""
    shop = _rewriting(str.upper)
    memory, _ = settle(shop, LOWER, EMPTY)
    plan = diff(LOWER_SWAP, shop.listing(), memory)
    assert told(plan) == ["new2 CD>ab", "new1 AB>cd"]
    assert moved(in_doubt(memory, plan)) == [("new1", "ab", "cd"), ("new2", "cd", "ab")]
    assert told(diff(LOWER_CHAIN, shop.listing(), memory, select=["cd"])) == [
        "new1 AB>cd",
        "new2 CD>e1",
        "new3 E1>fg",
    ]


def test_what_stands_aside_is_known_in_any_case() -> None:
    """A ring of numbers is undone and finished where the server turns the case."""
    half = [listed("p1", "2~Moving-P1"), listed("p2", "2")]
    memory = ledger({}, {}, ("p1", "1", "2"), ("p2", "2", "1"))
    plain = [declared("1"), declared("2")]
    swap = [declared("1", was="2"), declared("2", was="1")]
    assert told(planned(plain, half, ledger=memory)) == ["p1 2~Moving-P1>1"]
    assert told(planned(swap, half)) == ["p2 2>1", "p1 2~Moving-P1>2"]


PLAIN = catalog(declared("A"), declared("B"))
TURNED = catalog(declared("B", was="C"), declared("C", was="B"))


@pytest.mark.parametrize("calls", range(4))
def test_a_ring_that_holds_a_link_of_an_older_chain_is_a_new_ring(calls: int) -> None:
    """C was renamed from B once, and is again: now in exchange, once, wherever the run dies."""
    shop = Shop(A, B)
    memory, _ = settle(shop, CHAIN, EMPTY)
    assert told(diff(CHAIN, shop.listing(), memory)) == []
    plan = diff(TURNED, shop.listing(), memory)
    assert told(plan) == ["p2 C>B", "p1 B>C"]
    assert codes(plan) == ["rename_ring"]
    memory = crash(shop, plan, memory, calls)
    for _ in range(3):
        memory, _ = settle(shop, TURNED, memory)
        assert shop.places() == {"p1": "C", "p2": "B"}


@pytest.mark.parametrize("calls", range(3))
def test_a_chain_that_moves_on_by_one_moves_every_product(calls: int) -> None:
    """What an older chain brought to a place moves on where another product comes to take it."""
    on = catalog(declared("C", was="B"), declared("D", was="C"))
    shop = Shop(A, B)
    memory, _ = settle(shop, CHAIN, EMPTY)
    plan = diff(on, shop.listing(), memory)
    assert told(plan) == ["p1 B>C", "p2 C>D"]
    memory = crash(shop, plan, memory, calls)
    for _ in range(2):
        memory, _ = settle(shop, on, memory)
        assert shop.places() == {"p1": "C", "p2": "D"}


def test_a_link_that_is_added_to_a_chain_that_is_done_moves_nothing() -> None:
    """What the chain brought to C belongs there; what is declared beyond it is new."""
    longer = catalog(*CHAIN.products.values(), declared("D", was="C"))
    shop = Shop(A, B)
    memory, _ = settle(shop, CHAIN, EMPTY)
    assert told(diff(longer, shop.listing(), memory)) == ["+D"]


def test_a_rename_that_is_turned_round_is_made_back() -> None:
    """The link that is declared no more does not keep its product."""
    shop = Shop(A)
    memory, _ = settle(shop, catalog(declared("B", was="A")), EMPTY)
    assert told(diff(catalog(declared("A", was="B")), shop.listing(), memory)) == ["p1 B>A"]


def test_a_ring_made_of_creates_moves_nothing_that_comes_later() -> None:
    """A product that somebody puts into a finished ring by hand is not taken for a new one."""
    shop = Shop(A)
    memory, _ = settle(shop, SWAP, EMPTY)
    del shop.rows["p1"]
    there = [*shop.listing().products, listed("p9", "B")]
    assert told(diff(SWAP, remote(*there), memory)) == []


@pytest.mark.parametrize("place", ["A", "B"])
def test_a_ring_that_was_finished_without_a_ledger_holds(place: str) -> None:
    """What stood aside is remembered with the rename that it ended, and with no other one."""
    shop = Shop(listed("p1", "B~moving-p1"), listed("p2", place))
    memory, _ = settle(shop, SWAP, EMPTY)
    assert ("p1", "A", "B") in moved(memory)
    for _ in range(2):
        memory, plan = settle(shop, SWAP, memory)
        assert told(plan) == []
    other = catalog(declared("B", was="D"), declared("D", was="B"), declared("A"))
    shop.rows["p3"] = dict(shop.rows["p2"], store_id="D")
    assert told(diff(other, shop.listing(), memory)) == ["p3 D>B", "p1 B>D"]
    memory, plan = settle(shop, PLAIN, memory)
    assert moved(memory) == []


def test_a_place_aside_in_one_ring_says_nothing_of_another() -> None:
    """An older ring that is done is not undone because a product stands aside for a newer one."""
    shop = Shop(A, B, C)
    memory, _ = settle(shop, TURN, EMPTY)
    after = catalog(declared("C", was="B"), declared("B", was="C"), declared("D", was="A"))
    memory = crash(shop, diff(after, shop.listing(), memory), memory, 2)
    settle(shop, after, memory)
    assert shop.places() == {"p1": "C", "p2": "B", "p3": "D"}


def test_no_product_returns_to_where_another_has_to_stay() -> None:
    """A ring that is taken back gives no product its place while another is blocked there."""
    there = [listed(f"p{name}", name) for name in "ABCDE"]
    shop = Shop(*there, unique=False)
    turned = [declared("C", was="D"), declared("D", was="E"), declared("E", was="C")]
    turn = catalog(declared("A"), declared("B"), *turned)
    memory = crash(shop, diff(turn, shop.listing(), EMPTY), EMPTY, 2)
    assert shop.places() == {**{f"p{n}": n for n in "ABC"}, "pD": "C~moving-pD", "pE": "D"}
    wanted = catalog(declared("D"), declared("B", was="E"))
    waiting = [("D", ("pD", "pE"), "rename_waits"), ("E", ("pE",), "rename_conflict")]
    memory, plan = settle(shop, wanted, memory)
    assert (told(plan), held(plan)) == (["-pA A", "-pC C"], waiting)
    again = diff(wanted, shop.listing(), memory)
    assert (told(again), held(again)) == ([], waiting)


def test_what_waits_for_a_product_that_has_to_stay_waits_too() -> None:
    """One blocked product keeps from their places all that would return one after another."""
    shop = Shop(*[listed(f"p{name}", name) for name in "BCDEF"], unique=False)
    turned = [declared(to, was=at) for to, at in ("CD", "DE", "EF", "FC")]
    memory = crash(shop, diff(catalog(declared("B"), *turned), shop.listing(), EMPTY), EMPTY, 3)
    assert shop.places() == {"pB": "B", "pC": "C", "pD": "C~moving-pD", "pE": "D", "pF": "E"}
    wanted = catalog(declared("D"), declared("E"), declared("B", was="F"))
    memory, plan = settle(shop, wanted, memory)
    assert told(plan) == ["-pC C"]
    assert held(plan) == [
        ("D", ("pD", "pE"), "rename_waits"),
        ("E", ("pE", "pF"), "rename_waits"),
        ("F", ("pF",), "rename_conflict"),
    ]
    assert told(diff(wanted, shop.listing(), memory)) == []


def test_a_ring_of_which_one_is_blocked_is_told_product_by_product() -> None:
    """What nobody declares goes; the blocked one stays, and is known by the next plan too."""
    shop = Shop(*[listed(f"p{name}", name) for name in "ABDE"], unique=False)
    turned = [declared(to, was=at) for to, at in ("BD", "EB", "DE")]
    memory = crash(shop, diff(catalog(declared("A"), *turned), shop.listing(), EMPTY), EMPTY, 3)
    assert shop.places() == {"pA": "A", "pB": "E", "pD": "B~moving-pD", "pE": "D"}
    wanted = catalog(declared("A", was="B"))
    waiting = [("B", ("pB",), "rename_conflict")]
    memory, plan = settle(shop, wanted, memory)
    assert (told(plan), held(plan)) == (["-pD B~moving-pD", "-pE D"], waiting)
    again = diff(wanted, shop.listing(), memory)
    assert (told(again), held(again)) == ([], waiting)


def test_a_place_that_two_products_came_from_is_nobodys() -> None:
    """A ledger that tells two stories of one store_id moves nothing, and loses nothing (P3)."""
    memory = ledger({}, {}, ("p1", "A", "B"), ("p2", "X", "A"), ("p3", "A", "X"))
    there = [listed("p1", "B~moving-p1"), listed("p2", "A"), listed("p3", "X")]
    plan = planned([declared("A"), declared("X")], there, ledger=memory)
    assert told(plan) == []
    assert held(plan) == [("B~moving-p1", ("p1",), "rename_conflict")]


def test_a_product_renamed_by_hand_after_its_renamed_from_went_is_renamed_back() -> None:
    """It belongs where it was last sent, if nobody wants where it came from (P3)."""
    memory = ledger({}, {}, ("p1", "A", "B"))
    assert told(planned([declared("B")], [listed("p1", "T")], ledger=memory)) == ["p1 T>B"]


def test_products_that_were_exchanged_by_hand_are_left_alone() -> None:
    """Both store_ids are declared, so nobody can tell what was meant: none is touched (P3)."""
    memory = ledger({"p1": known("A"), "p2": known("B")})
    there = [listed("p1", "B"), listed("p2", "A")]
    plan = planned([declared("A"), declared("B")], there, ledger=memory)
    assert told(plan) == []
    assert {store_id for store_id, _, _ in held(plan)} == {"A", "B"}


def test_a_product_does_not_return_to_where_another_is_about_to_go() -> None:
    """A ring that a crash left half done is carried on, whatever an older rename tells (P1)."""
    first = catalog(declared("A"), declared("B", was="C"), declared("C", was="B"), declared("D"))
    shop = Shop()
    memory, _ = settle(shop, first, EMPTY)
    for calls in (0, 1):
        memory = crash(shop, diff(SWAP, shop.listing(), memory), memory, calls)
    settle(shop, SWAP, memory)
    assert shop.places() == {"new1": "B", "new2": "A"}


def test_a_product_does_not_return_to_where_another_was_just_renamed_away() -> None:
    """The rename that is declared now was made from there, so nobody wants that place (P1)."""
    first = catalog(declared("D"), declared("E", was="B"), declared("B", was="C"))
    wanted = catalog(declared("D"), declared("C", was="B"))
    shop = Shop()
    memory, _ = settle(shop, first, EMPTY)
    for calls in (0, 1):
        memory = crash(shop, diff(wanted, shop.listing(), memory), memory, calls)
    settle(shop, wanted, memory)
    assert sorted(shop.places().values()) == ["C", "D"]


def test_a_rename_that_is_blocked_is_not_recorded_as_made() -> None:
    """Its source is still there, so nothing came from it (P3)."""
    for memory in (EMPTY, ledger({"p2": known("B")}), ledger({}, {}, ("p2", "A", "C"))):
        memory, plan = settle(Shop(A, B), catalog(declared("B", was="A")), memory)
        assert held(plan) == [("A", ("p1",), "rename_conflict")]
        assert moved(memory) == []


def test_a_product_that_is_declared_where_it_is_listed_keeps_its_place() -> None:
    """Another that was last sent there is not renamed to it, nor is any of them blocked (P1)."""
    memory = ledger({"p1": known("B"), "p2": known("A")})
    plan = planned([declared("B")], [listed("p1", "D"), B], ledger=memory)
    assert (told(plan), held(plan)) == (["-p1 D"], [])


def test_a_product_that_two_declarations_want_stays_blocked() -> None:
    """Also once the other product of its ring is known to be where it belongs (P1)."""
    memory = ledger({}, {}, ("p1", "C", "E"))
    wanted = catalog(declared("B"), declared("C", was="E"), declared("E", was="C"))
    shop = Shop(listed("p1", "B"), C)
    waiting = [(s, ("p1",), "rename_conflict") for s in "BE"]
    for _ in range(2):
        memory, plan = settle(shop, wanted, memory)
        assert (told(plan), held(plan)) == ([], waiting)


def test_nothing_takes_a_store_id_that_the_server_keeps_for_another() -> None:
    """A rename that the server accepts and ignores leaves its product there (P2)."""
    memory = ledger({"p1": normalised("B", store_id=("B", "A"))}, {}, ("p1", "A", "B"))
    wanted = [declared("B", was="A"), declared("A", was="B")]
    plan = planned(wanted, [A], ledger=memory)
    assert (told(plan), held(plan)) == ([], [("A", ("p1",), "rename_waits")])
    plan = planned([declared("B"), declared("A", was="C")], [A, C], ledger=memory)
    assert (told(plan), held(plan)) == ([], [("A", ("p1",), "rename_waits")])


def test_a_product_that_nobody_wants_elsewhere_keeps_its_place() -> None:
    """Another that was last sent there does not make a duplicate of it (P1)."""
    memory = ledger({"p2": known("A"), "p1": known("B")})
    plan = planned([declared("E", was="A")], [A, B, listed("p3", "E")], ledger=memory)
    assert (told(plan), held(plan)) == (["-p2 B"], [("A", ("p1",), "rename_conflict")])
    memory = ledger({"p1": known("E"), "p0": known("A")})
    there = [A, listed("p0", "B"), listed("p3", "E")]
    plan = planned([declared("E", was="A")], there, ledger=memory)
    assert (told(plan), held(plan)) == (["-p0 B"], [("A", ("p1",), "rename_conflict")])
    memory = ledger({"p1": known("B"), "p0": known("A")})
    plan = planned([declared("E", was="A")], [A, listed("p0", "B")], ledger=memory)
    assert (told(plan), held(plan)) == (["p1 A>E", "-p0 B"], [])


def test_a_chain_whose_last_rename_the_server_ignores_stands_still() -> None:
    """P2: what cannot leave keeps its store_id, so no link of the chain before it can be made."""
    products = [declared("B", was="A"), declared("C", was="B"), declared("D", was="C")]
    there = [listed("p1", "A"), listed("p2", "B"), listed("p3", "C")]
    kept = {"store_id": Kept("D", "C")}
    memory = Ledger({"p3": Known("D", kept=kept, came_from="C")})
    plan = planned(products, there, ledger=memory)
    assert told(plan) == []
    assert {block.store_id for block in plan.blocked} == {"B", "C"}
