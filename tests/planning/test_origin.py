"""Whose change it is: each field and each kind of change against a base."""

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.catalog.read import load_sources
from reconciler.codes import Code
from reconciler.model import Catalog, Known, Ledger, Listing, RemoteProduct, State
from reconciler.planning.diff import diff
from reconciler.planning.origin import only_of, with_origins
from reconciler.planning.plan import (
    CatalogFacts,
    Change,
    Create,
    Delete,
    FieldChange,
    Origin,
    Plan,
    Update,
)
from tests.model.making import entries, listed

SHIRT = {"store_id": "1", "name": "Shirt"}


def catalog(*products: Mapping[str, Any]) -> Catalog:
    """A catalogue that declares these products."""
    text = "products:\n" + "".join(f"- {_flow(product)}\n" for product in products)
    return load_sources([("a.yaml", text.encode())]) if products else Catalog.of()


def _flow(product: Mapping[str, Any]) -> str:
    pairs = (
        f"{key}: [{', '.join(value)}]" if isinstance(value, list) else f"{key}: '{value}'"
        for key, value in product.items()
    )
    return f"{{{', '.join(pairs)}}}"


def remote(store_id: str, name: str = "Shirt", *tags: str) -> RemoteProduct:
    """A product at the remote whose id is its store_id with an `i` before it."""
    return listed(f"i{store_id}", store_id, name, tags)


def knows(id: str, state: State = State.CONFIRMED, **values: str) -> Ledger:
    """A ledger that knows these write-only values of one product."""
    return Ledger({id: Known(id[1:], entries(state, **values))})


def changes(
    base: Catalog,
    head: Catalog,
    *products: RemoteProduct,
    ledger: Ledger | None = None,
    resend: tuple[str, ...] = (),
) -> tuple[Change, ...]:
    """The changes of a plan of `head`, each with its origin."""
    listing, known = Listing(products), ledger or Ledger()
    plan = diff(head, listing, known, resend=resend)
    marked = with_origins(plan, base, listing, known, resend=resend)
    assert marked.digest == plan.digest
    return marked.changes


def origin(*given: Any, **more: Any) -> str | None:
    """The origin of the one change that there is."""
    (change,) = changes(*given, **more)
    return change.origin


@pytest.mark.parametrize(
    ("base", "head", "now", "expected"),
    [
        ("Shirt", "Blouse", "Shirt", "edit"),
        ("Shirt", "Shirt", "Tunic", "drift"),
        ("Shirt", "Blouse", "Tunic", "both"),
    ],
)
def test_a_readable_field(base: str, head: str, now: str, expected: str) -> None:
    """Base, head and remote compared by value say whose the change of a field is."""
    before, after = catalog({**SHIRT, "name": base}), catalog({**SHIRT, "name": head})
    assert origin(before, after, remote("1", now)) == expected


@pytest.mark.parametrize(
    ("base", "head", "known", "expected"),
    [("top", "dress", "top", "edit"), ("top", "top", "dress", "drift"), ("a", "b", "c", "both")],
)
def test_a_write_only_field(base: str, head: str, known: str, expected: str) -> None:
    """For a field that the API never returns the ledger's value stands for the remote."""
    before, after = catalog({**SHIRT, "type": base}), catalog({**SHIRT, "type": head})
    assert origin(before, after, remote("1"), ledger=knows("i1", type=known)) == expected


def test_fields_of_both_kinds_make_both() -> None:
    """A product with an edited field and another that drifted is both."""
    before = catalog({**SHIRT, "tags": ["a"]})
    after = catalog({**SHIRT, "name": "Blouse", "tags": ["a"]})
    assert origin(before, after, remote("1", "Shirt", "b")) == "both"


def test_what_the_base_left_unmanaged_is_an_edit() -> None:
    """A field that this branch begins to manage is its edit, whatever the remote holds."""
    after = catalog({**SHIRT, "tags": ["a"]})
    assert origin(catalog(SHIRT), after, remote("1", "Shirt", "b")) == "edit"


def test_creates() -> None:
    """A create is an edit where the base declares it not, drift where it does, else both."""
    assert origin(catalog(), catalog(SHIRT)) == "edit"
    assert origin(catalog(SHIRT), catalog(SHIRT)) == "drift"
    assert origin(catalog(SHIRT), catalog({**SHIRT, "type": "top"})) == "both"


def test_a_create_of_what_the_base_would_rename_is_an_edit() -> None:
    """A branch that makes two products of one renamed one made the create itself."""
    before = catalog({**SHIRT, "renamed_from": "0"})
    after = catalog(SHIRT, {"store_id": "0", "name": "Shirt"})
    assert origin(before, after, remote("0")) == "edit"


def test_deletes() -> None:
    """A delete is an edit where the base declares the product, drift where nobody did."""
    coat = {"store_id": "2", "name": "Coat"}
    assert origin(catalog(SHIRT, coat), catalog(SHIRT), remote("1"), remote("2", "Coat")) == "edit"
    assert origin(catalog(SHIRT), catalog(SHIRT), remote("1"), remote("2", "Coat")) == "drift"


def test_renames() -> None:
    """A rename of this branch is an edit; one that the base already asked for is drift."""
    renamed = {**SHIRT, "store_id": "2", "renamed_from": "1"}
    assert origin(catalog(SHIRT), catalog(renamed), remote("1")) == "edit"
    assert origin(catalog(renamed), catalog(renamed), remote("1")) == "drift"
    assert origin(catalog(SHIRT), catalog({**renamed, "name": "Blouse"}), remote("1")) == "edit"
    assert origin(catalog(SHIRT), catalog(renamed), remote("1", "Tunic")) == "both"


def test_an_adopted_product_is_an_edit() -> None:
    """A branch that declares what was only at the remote makes all its changes itself."""
    assert origin(catalog(), catalog({**SHIRT, "name": "Blouse"}), remote("1")) == "edit"


def test_values_in_doubt() -> None:
    """A value in doubt is sent again whosever the branch is: drift, and both where it changed."""
    top, dress = catalog({**SHIRT, "type": "top"}), catalog({**SHIRT, "type": "dress"})
    doubt = knows("i1", State.DOUBT, type="top")
    assert origin(top, top, remote("1"), ledger=doubt) == "drift"
    assert origin(top, dress, remote("1"), ledger=doubt) == "both"


def test_resent_values() -> None:
    """What --resend sends is no edit of this branch where the base declares the same."""
    top = catalog({**SHIRT, "type": "top"})
    again = {"ledger": knows("i1", type="top"), "resend": ("type",)}
    assert origin(top, top, remote("1"), **again) == "drift"


def test_every_change_is_marked_and_the_order_kept() -> None:
    """The plan keeps its changes in their order, each with an origin."""
    before = catalog(SHIRT)
    after = catalog({**SHIRT, "name": "Blouse"}, {"store_id": "3", "name": "Hat"})
    found = changes(before, after, remote("1"), remote("9", "Gone"))
    assert [(change.action, change.origin) for change in found] == [
        ("create", "edit"),
        ("update", "edit"),
        ("delete", "drift"),
    ]


def rename(store_id: str, before: str, origin: Origin) -> Update:
    """A product that goes from one store_id to another."""
    fields = {"store_id": FieldChange(before, store_id)}
    return Update(store_id, f"p-{before}", "Shirt", fields, remote(before), origin=origin)


def create(store_id: str, origin: Origin | None) -> Create:
    """A product that is made."""
    return Create(store_id, "Shirt", {}, origin=origin)


def kept(*given: Change, only: tuple[Origin, ...]) -> tuple[list[str], list[str]]:
    """The store_ids that `only` keeps, and the words about what it leaves."""
    made = only_of(Plan("default", CatalogFacts(9), 9, given), only)
    assert all(found.code is Code.LEFT_OUT for found in made.warnings)
    return [change.store_id for change in made.changes], [w.message for w in made.warnings]


def test_only_changes_of_an_origin_are_kept_and_the_rest_is_counted() -> None:
    """P4: nothing is left without a word, and nothing is said where nothing is left."""
    deletes = [Delete(f"d{n}", f"id{n}", None, {}, {}, "drift") for n in range(2)]
    made = [create("a", "edit"), create("b", "both"), create("c", None)]
    given: list[Change] = [*made, *deletes]
    assert kept(*given, only=()) == (["a", "b", "c", "d0", "d1"], [])
    assert kept(*given[:2], only=("both", "edit")) == (["a", "b"], [])
    left, (words,) = kept(*given, only=("edit", "both"))
    assert left == ["a", "b"]
    assert words == (
        "3 products left as they are, by --only: 1 to create, 2 to delete (origin: drift and none)."
    )


def test_a_change_waits_for_the_place_of_one_that_is_left() -> None:
    """P2: a create or rename to a store_id that a product keeps is left with that product."""
    chain = (
        create("c", "edit"),
        rename("b", "c", "edit"),
        rename("a", "b", "edit"),
        rename("z", "a", "drift"),
        create("e", "edit"),
    )
    assert kept(*chain, only=("edit",))[0] == ["e"]
    assert kept(*chain, only=("edit", "drift"))[0] == ["c", "b", "a", "z", "e"]
    taken = (create("d", "edit"), Delete("d", "id", None, {}, {}, "drift"))
    assert kept(*taken, only=("edit",))[0] == []
