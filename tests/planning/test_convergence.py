"""What holds for any catalogue, any remote and any ledger, proven against a model of the API."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.model import KEYS, READABLE, Catalog, Ledger, Listing, RemoteProduct, Sent
from reconciler.planning.diff import diff
from reconciler.planning.operations import Patch, operations
from reconciler.planning.plan import Delete, Plan, Update
from tests.planning.making import EMPTY, catalog, declared, listed, remote
from tests.planning.shop import Doubled, Shop, carry_out, crash, settle
from tests.planning.worlds import LEDGERS, catalogs, remotes

THOROUGH = settings(max_examples=3 * settings().max_examples)
SWAP = catalog(declared("A", was="B"), declared("B", was="A"))
TURN = catalog(declared("A", was="C"), declared("B", was="A"), declared("C", was="B"))


@THOROUGH
@given(catalogs(), remotes(), LEDGERS, st.booleans())
@example(SWAP, [listed("p1", "A")], EMPTY, True)
@example(TURN, [listed("p1", "A"), listed("p2", "B")], EMPTY, True)
@example(TURN, [listed("p1", "A"), listed("p3", "C")], EMPTY, False)
@example(SWAP, [listed("p1", "B~moving-p1"), listed("p2", "A")], EMPTY, True)
@example(SWAP, [listed("p0", "A")], Ledger({}, {"A": Sent(id="n9")}), False)
def test_an_applied_plan_leaves_nothing_to_change(
    wanted: Catalog, there: list[RemoteProduct], ledger: Ledger, unique: bool
) -> None:
    """The calls do what the plan says and nothing else, and the next plan is empty."""
    shop = Shop(*there, unique=unique)
    plan = diff(wanted, shop.listing(), ledger)
    calls = operations(plan)
    exchanges = sum(isinstance(call, Patch) and call.parking for call in calls)
    assert len(calls) <= len(plan.changes) + exchanges
    after = carry_out(shop, plan, ledger)
    _check_result(shop, wanted, plan, ledger)
    again = diff(wanted, shop.listing(), after)
    assert (again.changes, again.unconfirmed) == ((), 0)
    assert again.blocked == plan.blocked
    final = carry_out(shop, again, after)
    assert carry_out(shop, diff(wanted, shop.listing(), final), final) == final


def _check_result(shop: Shop, wanted: Catalog, plan: Plan, ledger: Ledger) -> None:
    """Everything declared that is not blocked is at the remote, once, with its values."""
    blocked = {block.store_id for block in plan.blocked}
    for store_id, product in wanted.products.items():
        if store_id in blocked:
            continue
        ((id, row),) = ((id, r) for id, r in shop.rows.items() if r["store_id"] == store_id)
        kept = ledger.products[id].kept if id in ledger.products else {}
        for position in READABLE:
            value = product.values[position]
            key = KEYS[position]
            told = kept[key][:2] if key in kept else None
            assert value in (None, row[key]) or told == (value, row[key])
    for change in plan.changes:
        if isinstance(change, Delete):
            assert change.id not in shop.rows
        elif isinstance(change, Update):
            row = shop.rows[change.id]
            assert {key: row[key] for key in change.fields} == {
                key: field.after for key, field in change.fields.items()
            }


@given(catalogs(), remotes(), LEDGERS, st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_any_order(
    wanted: Catalog, there: list[RemoteProduct], ledger: Ledger, chance: random.Random
) -> None:
    """The same products in another order, listed or declared, make the same plan and calls."""
    plan = diff(wanted, remote(*there), ledger)
    products = list(wanted.products.values())
    chance.shuffle(products)
    shuffled = list(there)
    chance.shuffle(shuffled)
    other = diff(catalog(*products), Listing(tuple(shuffled)), ledger)
    assert other == plan
    assert operations(other) == operations(plan)


_STEPS = st.lists(st.tuples(catalogs(), st.integers(0, 8)), min_size=1, max_size=3)


@THOROUGH
@given(_STEPS, catalogs(), st.booleans())
def test_crashes_between_any_two_calls_lose_and_double_nothing(
    crashes: list[tuple[Catalog, int]], wanted: Catalog, unique: bool
) -> None:
    """After runs that died anywhere, whatever they wanted, one apply ends with what is declared.

    Write-only values too: the shop began empty, so all that it holds was sent by these runs.
    """
    shop, ledger = Shop(unique=unique), EMPTY
    ledger, _ = settle(shop, crashes[0][0], ledger)
    for other, calls in crashes:
        ledger = crash(shop, diff(other, shop.listing(), ledger), ledger, calls)
    plan = diff(wanted, shop.listing(), ledger)
    assert plan.unconfirmed == 0
    blocked = {block.store_id for block in plan.blocked}
    ledger = carry_out(shop, plan, ledger)
    _check_result(shop, wanted, plan, ledger)
    for store_id, product in wanted.products.items():
        for row in shop.rows.values():
            if row["store_id"] == store_id and store_id not in blocked:
                for key in ("image_url", "type"):
                    assert product.value(key) in (None, row[key])
    assert diff(wanted, shop.listing(), ledger).changes == ()


@THOROUGH
@given(catalogs(), catalogs(), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_a_crashed_apply_ends_as_one_that_did_not_crash(
    first: Catalog, wanted: Catalog, calls: int, more: int, unique: bool
) -> None:
    """Planned again, each product that was there becomes what the first plan meant it to become."""
    shop = Shop(unique=unique)
    ledger, _ = settle(shop, first, EMPTY)
    smooth = shop.copy()
    settle(smooth, wanted, ledger)
    for count in (calls, more):
        ledger = crash(shop, diff(wanted, shop.listing(), ledger), ledger, count)
    settle(shop, wanted, ledger)
    old = {f"new{n}" for n in range(shop.born + 1)} & smooth.places().keys()
    there_before = {id for id in old if int(id[3:]) <= len(first.products)}
    assert {id: shop.places().get(id) for id in there_before} == {
        id: smooth.places()[id] for id in there_before
    }
    assert sorted(map(str, shop.places().values())) == sorted(map(str, smooth.places().values()))


def test_the_model_refuses_a_doubled_store_id() -> None:
    """The model would notice: the links of a chain in the wrong order do not get through."""
    for unique in (True, False):
        shop = Shop(listed("p1", "A"), listed("p2", "B"), unique=unique)
        chain = catalog(declared("B", was="A"), declared("C", was="B"))
        (links,) = operations(diff(chain, shop.listing(), EMPTY)).renames
        with pytest.raises(Doubled):
            shop.call(links[1])


@st.composite
def _histories(draw: st.DrawFn) -> list[dict[str, str | None]]:
    """Catalogues as people edit them one after another: by store_id, what it is renamed from.

    Three products stand for themselves throughout; each step moves some of them and leaves the
    `renamed_from` of some others. The n-th store_id of each step is that of the n-th product.
    """
    places = list("ABC")
    stale: list[str | None] = [None] * len(places)
    steps: list[dict[str, str | None]] = [dict.fromkeys(places)]
    for _ in range(draw(st.integers(1, 4))):
        moved = list(draw(st.permutations("ABCDE"))[: len(places)])
        sources = [
            old if old != new else draw(st.sampled_from((None, left)))
            for old, new, left in zip(places, moved, stale, strict=True)
        ]
        while wrong := [n for n, source in enumerate(sources) if not _legal(n, sources, moved)]:
            if places[wrong[0]] != moved[wrong[0]]:
                return steps
            sources[wrong[0]] = None
        places, stale = moved, sources
        steps.append(dict(zip(places, sources, strict=True)))
    return steps


def _legal(n: int, sources: list[str | None], places: list[str]) -> bool:
    """Whether the reader of catalogues allows the rename of the n-th product."""
    source = sources[n]
    if source is None:
        return True
    return sources.count(source) == 1 and (
        source not in places or sources[places.index(source)] is not None
    )


def _rings(renames: dict[str, str | None]) -> set[frozenset[str]]:
    """The rings among these renames."""
    found = set()
    for start in renames:
        line: list[str] = []
        place: str | None = start
        while place is not None and place not in line:
            line.append(place)
            place = renames.get(place)
        if place == start:
            found.add(frozenset(line))
    return found


@THOROUGH
@given(_histories(), st.booleans(), st.integers(0, 6))
def test_each_product_follows_what_is_declared_of_it(
    history: list[dict[str, str | None]], again: bool, calls: int
) -> None:
    """However often products move, and whatever `renamed_from` is left, each moves as declared.

    So it does where each apply is made twice, or died and is made again.
    """
    shop, ledger = Shop(), EMPTY
    before: dict[str, str | None] = {}
    for step in history:
        if _rings(step) & _rings(before):
            break
        wanted = catalog(*(declared(store_id, was=was) for store_id, was in step.items()))
        ledger = (
            crash(shop, diff(wanted, shop.listing(), ledger), ledger, calls) if before else ledger
        )
        for _ in range(1 + again):
            ledger, _ = settle(shop, wanted, ledger)
        assert list(shop.places().values()) == list(step)
        before = step
