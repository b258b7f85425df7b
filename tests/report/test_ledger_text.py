"""The ledger and the log as people and scripts read them."""

import json

from reconciler.model import Known, Ledger, State
from reconciler.report.history import LogEntry
from reconciler.report.ledger_text import ledger_json, ledger_text, narrowed
from reconciler.report.log_text import log_json, log_text
from tests.ledger.worlds import LEDGER
from tests.model.making import entries

TIME = "2026-01-02T03:04:05.000Z"
ENTRY = LogEntry(TIME, "Ann\x1b", "1 created", "1 of 1 done", "d" * 64, None, "c")


def test_a_ledger_is_told_whole() -> None:
    """Every value with how it is known, kept values, creates and renames, then the count."""
    assert ledger_text(LEDGER) == (
        "10  a1\n"
        "    type       top  (assumed)\n"
        "    name       Wool coat  (kept for wool  coat)\n"
        "    tags       nothing  (kept for b, a)\n"
        "    renamed from 20\n"
        "    not listed since 2026-01-03T00:00:00.000Z\n"
        "20  b2\n"
        "    image_url  https://cdn.shop/2.jpg  (confirmed)\n"
        "30  a create whose answer was never seen, not listed yet\n"
        "    type       dress  (doubt)\n"
        "31  a create answered as c3, not listed yet\n"
        "\n"
        "The ledger holds 2 products.\n"
    )
    assert ledger_text(Ledger()) == "The ledger holds 0 products.\n"


def test_doubts_are_counted() -> None:
    """How many products are in doubt stands in the sum."""
    doubt = Known("1", entries(State.DOUBT, type="top"))
    assert "1 product, 1 of them in doubt." in ledger_text(Ledger({"x": doubt}))


def test_one_product_is_found_by_either_id() -> None:
    """A store_id or a remote id narrows the ledger to its product."""
    for name in ("10", "a1"):
        found = narrowed(LEDGER, name)
        assert (set(found.products), found.creates) == ({"a1"}, {})
    assert set(narrowed(LEDGER, "30").creates) == {"30"}
    assert narrowed(LEDGER, "nothing") == Ledger()


def test_a_ledger_as_json() -> None:
    """Scripts find products by store_id, with each field's value and state."""
    document = json.loads(ledger_json(LEDGER, store="eu", place="there"))
    assert (document["store"], document["place"]) == ("eu", "there")
    assert [product["store_id"] for product in document["products"]] == ["10", "20"]
    assert document["products"][0]["fields"] == {"type": {"value": "top", "state": "assumed"}}
    assert document["creates"][0]["store_id"] == "30"
    assert document["products"][0]["came_from"] == "20"
    assert document["products"][0]["missing"] == "2026-01-03T00:00:00.000Z"
    assert document["applied"][1]["commit"] == "c1"


def test_the_log_is_a_table() -> None:
    """Columns stand under their titles, what is not known is a dash, control characters show."""
    title, row = log_text([ENTRY]).splitlines()
    assert title.index("result") == row.index("1 of 1 done")
    assert row.split()[1] == "Ann\\x1b"
    assert row.endswith("dddddddddddd  -")
    assert log_text([]) == "Nothing has been applied yet.\n"
    assert log_text([ENTRY], color=True).startswith("\x1b[1mtime")


def test_the_log_as_json() -> None:
    """Scripts have digests and commits whole."""
    document = json.loads(log_json([ENTRY], store="eu"))
    assert document["format"] == "reconciler.log/1"
    assert document["entries"][0]["plan_digest"] == "d" * 64
    assert document["entries"][0]["catalog_commit"] is None
