"""A fleet as text and as Markdown: what each kind of run says of its stores."""

from reconciler.codes import Code
from reconciler.report.fleet_markdown import fleet_markdown
from reconciler.report.fleet_results import StoreResult
from reconciler.report.fleet_text import store_lines, sum_text

LISTED = StoreResult("de", 0, {"products": 1, "declared": 2, "no_size_chart": 1})
DEAD = StoreResult("fr", 1, error="No connection.", code=Code.UNREACHABLE)


def test_a_status_has_no_changes() -> None:
    """A status tells of every store what is there, and counts no changes, which it never has."""
    assert "1 product, 2 declared, 1 without size chart" in store_lines(LISTED, "status")
    assert sum_text([LISTED], "status", 0.0).startswith("1 store (1 product, 2 declared")
    text = fleet_markdown([LISTED], "status")
    assert "with changes" not in text
    assert "| <code>de</code> | 1 product" in text
    assert sum_text([StoreResult("de", 0)], "unlock", 0.0) == "1 store; 0.0 s.\n"


def test_an_error_is_told_within_a_line() -> None:
    """The sentence of an error ends where the line goes on."""
    assert "fr  No connection; exit 1  0.0 s" in store_lines(DEAD, "plan")


def test_a_comment_names_the_places_of_faults() -> None:
    """A reviewer sees the first faults of a catalogue, each with its place."""
    fault = "shop/a.yaml:2:1: error: Unknown field 'tgas'. [unknown_field]"
    failed = StoreResult("de", 1, error="The catalogue has 4 errors.", notes=(fault,) * 4)
    assert fleet_markdown([failed], "plan").count("unknown&#95;field") == 3
