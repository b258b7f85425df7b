"""Notes: the keys `x-…` of a product, which are the shop's own and are never sent."""

import json

import pytest

from reconciler.authoring.edit import Rewrite, rewritten
from reconciler.authoring.format import formatted
from reconciler.catalog.read import load_sources
from reconciler.model import Ledger, Listing
from reconciler.planning.diff import diff
from reconciler.planning.operations import operations
from reconciler.report.formats import FORMATS, Context, render_plan
from reconciler.report.plan_json import parse_plan
from tests.model.making import row

from .reading import errors, read

pytestmark = pytest.mark.usefixtures("parser")

NOTED = 'store_id: "1"\nname: Shirt\nx-owner: anna\nx-tickets: [SHOP-1, SHOP-2]  # ask first\n'


def test_notes_are_text_or_lists_of_texts() -> None:
    """They are kept by key, as written, beside the values."""
    (product,) = read(NOTED).products.values()
    assert product.notes == (("x-owner", "anna"), ("x-tickets", ("SHOP-1", "SHOP-2")))
    assert product.value("x-owner") == "anna"
    assert product.value("x-none") is None
    assert product.values[:2] == ("1", "Shirt")


def test_defaults_give_notes_too() -> None:
    """Key by key, the nearest wins, also for a product that has all of its values."""
    files = {
        "_defaults.yaml": "x-owner: anna\nx-team: web\ntype: top\n",
        "a.yaml": "defaults: {x-owner: bea}\nproducts:\n- {store_id: 1, name: A, x-team: shop}\n"
        "- {store_id: 2, name: B, tags: [], image_url: '', type: top}\n",
        "b.yaml": "store_id: 3\nname: C\n",
    }
    products = load_sources([(name, text.encode()) for name, text in files.items()]).products
    assert [dict(product.notes) for product in products.values()] == [
        {"x-owner": "bea", "x-team": "shop"},
        {"x-owner": "bea", "x-team": "web"},
        {"x-owner": "anna", "x-team": "web"},
    ]


@pytest.mark.parametrize(
    ("line", "code", "at"),
    [
        ("x-owner: {a: b}", "wrong_kind", "3:10"),
        ("x-owner: [a, [b]]", "wrong_kind", "3:14"),
        ("x-owner: ~", "empty_value", "3:10"),
        ('x-owner: " "', "blank_text", "3:10"),
        ("x-: a", "unknown_field", "3:1"),
    ],
)
def test_faults_of_notes_have_their_location(line: str, code: str, at: str) -> None:
    """What is no text is told where it stands, as in every other value."""
    assert errors(f"store_id: 1\nname: A\n{line}\n") == [(code, at)]


def test_fmt_and_pull_keep_notes() -> None:
    """Formatting leaves them below the fields, and an edit of the product does not touch them."""
    assert (
        formatted(f"x-first: 1\n{NOTED}".encode())
        .decode()
        .endswith(
            "name: Shirt\nx-first: 1\nx-owner: anna\nx-tickets: [SHOP-1, SHOP-2]  # ask first\n"
        )
    )
    after = rewritten(
        Rewrite("a.yaml", {"1": row(store_id="1", name="Coat")}),
        NOTED.encode(),
        lambda data: list(load_sources([("a.yaml", data)]).products.values()),
    )
    assert after == NOTED.replace("Shirt", "Coat").encode()


def test_notes_are_shown_and_never_sent() -> None:
    """Every format of a plan that shows products shows them; no call carries them."""
    plan = diff(read(NOTED), Listing(()), Ledger())
    context = Context(tool="1", created_at="now")
    shown = {name: render_plan(plan, name, context=context) for name in FORMATS}
    assert [name for name, text in shown.items() if "SHOP-2" not in text] == ["gitlab"]
    assert json.loads(shown["json"])["changes"][0]["notes"] == {
        "x-owner": "anna",
        "x-tickets": ["SHOP-1", "SHOP-2"],
    }
    assert parse_plan(shown["json"].encode()).plan == plan
    assert [set(each.body) for each in operations(plan)] == [{"store_id", "name"}]
