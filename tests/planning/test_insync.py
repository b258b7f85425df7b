"""The remote that a catalogue has been applied to: nothing is left to change, edits are seen."""

from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from reconciler.catalog.read import load_sources
from reconciler.model import Catalog
from reconciler.planning.diff import diff
from reconciler.planning.insync import in_sync
from reconciler.planning.plan import Plan
from tests.model.making import product

IDS = st.sampled_from([str(number) for number in range(8)])
WORDS = st.sampled_from(["a", "b", "c"])


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Any catalogue without faults: chains and rings of renames are among them."""
    declared = draw(st.sets(IDS, max_size=8))
    sources = draw(st.permutations([str(number) for number in range(8)]))
    moved = {
        store_id: source
        for store_id, source in zip(sorted(declared), sources, strict=False)
        if store_id != source and draw(st.booleans())
    }
    # What is renamed away from may be declared only where it is itself renamed away.
    while stays := {s for s, source in moved.items() if source in declared - set(moved)}:
        moved = {s: source for s, source in moved.items() if s not in stays}
    products = {}
    for store_id in sorted(declared):
        tags = draw(st.none() | st.sets(WORDS).map(sorted).map(tuple))
        products[store_id] = product(
            store_id,
            draw(WORDS),
            at=1 << 32 | 1,
            renamed_from=moved.get(store_id),
            tags=tags,
            image_url=draw(st.none() | WORDS),
            type=draw(st.none() | WORDS),
        )
    return Catalog(MappingProxyType(products))


def change(before: Catalog, after: Catalog) -> Plan:
    """The plan for a remote in sync with `before`."""
    remote, ledger = in_sync(before)
    return diff(after, remote, ledger)


def read(text: str) -> Catalog:
    """The catalogue that `text` is."""
    return load_sources([("a.yaml", text.encode())])


@given(catalogs())
def test_nothing_differs_from_itself(catalog: Catalog) -> None:
    """A catalogue has no change, no block and nothing unconfirmed against its own remote."""
    plan = change(catalog, catalog)
    assert (plan.changes, plan.blocked, plan.unconfirmed) == ((), (), 0)
    assert plan.unchanged == len(catalog.products)


@given(catalogs(), catalogs())
def test_every_difference_is_shown(before: Catalog, after: Catalog) -> None:
    """Products whose declared values differ are in the plan, each under its own store_id."""
    plan = change(before, after)
    shown = {item.store_id for item in plan.changes} | {block.store_id for block in plan.blocked}
    for store_id, item in after.products.items():
        old = before.products.get(store_id)
        if item.renamed_from is None and old is None:
            assert store_id in shown


def test_write_only_values_are_known() -> None:
    """An edited type shows its old value; one that was unmanaged was empty."""
    before = read("products:\n- {store_id: '1', name: A, type: top}\n- {store_id: '2', name: B}\n")
    after = read(
        "products:\n- {store_id: '1', name: A, type: dress}\n"
        "- {store_id: '2', name: B, type: top, tags: []}\n"
    )
    fields = [dict(item.fields) for item in change(before, after).changes]
    assert [(f["type"].before, f["type"].after) for f in fields] == [("top", "dress"), ("", "top")]
    assert all(set(f) == {"type"} for f in fields)


def test_renames_and_deletes() -> None:
    """A new renamed_from is a rename, an old one nothing, and what is gone is deleted."""
    before = read(
        "products:\n- {store_id: '1', name: A, renamed_from: '0'}\n- {store_id: '3', name: C}\n"
    )
    after = read("{store_id: '2', name: A, renamed_from: '1'}\n")
    rename, delete = change(before, after).changes
    assert (rename.action, rename.store_id, rename.id) == ("update", "2", "1")
    assert (delete.action, delete.store_id) == ("delete", "3")
