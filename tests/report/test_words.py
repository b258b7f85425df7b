"""The words that all formats share."""

from reconciler.report.words import deletes_text
from tests.report.plans import small_plan


def test_what_is_destroyed_is_counted() -> None:
    """The question of an apply says how many products go, and how many with data of people."""
    changes = small_plan().changes
    assert deletes_text(changes[:1]) is None
    assert deletes_text(changes) == (
        "1 delete, 1 with data entered by hand that no call can put back"
    )
