"""Plan and Report as values: order, digest, counts, exit codes."""

from dataclasses import replace

import pytest

from reconciler.planning.diff import diff
from reconciler.planning.outcome import Fate, Outcome, Report, Verdict
from reconciler.planning.plan import CatalogFacts, Change, FieldChange, Plan, Update, digest
from tests.planning.making import EMPTY, catalog, declared, listed, planned, remote, told


def test_changes_stand_by_action_then_store_id() -> None:
    """Creates, updates, deletes: each in the order of text."""
    plan = planned(
        [declared("B"), declared("A"), declared("D", "Coat"), declared("C", "Coat")],
        [listed("p3", "C"), listed("p4", "D"), listed("p6", "F", "x"), listed("p5", "E", "x")],
    )
    assert told(plan) == ["+A", "+B", "p3 C name", "p4 D name", "-p5 E", "-p6 F"]
    assert plan.summary == (2, 2, 2, 0, 0, 0, 0, 0)


def test_a_plan_tells_what_it_was_made_from() -> None:
    """Store, catalogue and remote, in numbers and names."""
    wanted = catalog(declared("A"), digest="d", commit="c0ffee", dirty=True)
    plan = diff(wanted, remote(listed("p1", "A"), listed("p2", None)), EMPTY, store="shop-de")
    assert (plan.store, plan.remote_products) == ("shop-de", 2)
    assert plan.catalog == CatalogFacts(1, "d", "c0ffee", True)


PLAN = planned([declared("A", "Coat"), declared("B")], [listed("p1", "A"), listed("p3", "C", "x")])


def _with_id(change: Change, id: str) -> Change:
    """The same update of another product."""
    assert isinstance(change, Update)
    return replace(change, id=id)


def test_the_digest_covers_the_changes_only() -> None:
    """Another store, other warnings, other places in the files: the same digest."""
    elsewhere = [declared("A", "Coat", file="b.yaml", line=9), declared("B", file="c.yaml")]
    there = [listed("p9", None), listed("p1", "A"), listed("p3", "C", "x")]
    other = planned(elsewhere, there, store="other", protected=["nothing"])
    assert other.digest == PLAN.digest
    assert replace(PLAN, warnings=(), refusals=(), unchanged=7).digest == PLAN.digest


@pytest.mark.parametrize(
    "changes",
    [
        PLAN.changes[1:],
        PLAN.changes[::-1],
        (replace(PLAN.changes[0], store_id="b"), *PLAN.changes[1:]),
        (PLAN.changes[0], _with_id(PLAN.changes[1], "p2"), PLAN.changes[2]),
        (replace(PLAN.changes[0], fields={}), *PLAN.changes[1:]),
    ],
)
def test_any_other_change_has_another_digest(
    changes: tuple[Change, ...],
) -> None:
    """Which product, which fields, which order: all of it counts."""
    assert digest(changes) != PLAN.digest


@pytest.mark.parametrize(
    "other",
    [
        FieldChange("y", "b"),
        FieldChange("a", "y"),
        FieldChange(("a",), "b"),
        FieldChange("a", None),
        FieldChange("a", "b", False, True),
    ],
)
def test_any_other_value_has_another_digest(other: FieldChange) -> None:
    """Before, after, and whether it is known at all; but not the order of the fields."""
    update = PLAN.changes[1]
    first = digest((replace(update, fields={"name": FieldChange("a", "b"), "type": other}),))
    second = digest((replace(update, fields={"type": other, "name": FieldChange("a", "b")}),))
    third = digest((replace(update, fields={"type": FieldChange("a", "b"), "name": other}),))
    assert first == second != third
    assert digest(()) == Plan("x", CatalogFacts(0), 0).digest


def test_only_a_rename_is_renamed_from() -> None:
    """An update tells the store_id that it leaves."""
    (rename,) = planned([declared("B", was="A")], [listed("p1", "A")]).changes
    assert isinstance(rename, Update)
    assert rename.renamed_from == "A"
    assert isinstance(PLAN.changes[1], Update)
    assert PLAN.changes[1].renamed_from is None


def _outcomes(*fates: Fate) -> tuple[Outcome, ...]:
    return tuple(Outcome("update", f"{n}", None, fate) for n, fate in enumerate(fates))


@pytest.mark.parametrize(
    ("fates", "code"),
    [
        ([], 0),
        ([Fate.APPLIED, Fate.APPLIED], 0),
        ([Fate.FAILED, Fate.NOT_ATTEMPTED], 1),
        ([Fate.NOT_ATTEMPTED], 1),
        ([Fate.APPLIED, Fate.FAILED], 5),
        ([Fate.APPLIED, Fate.NOT_ATTEMPTED], 5),
        ([Fate.UNKNOWN, Fate.FAILED], 5),
        ([Fate.UNKNOWN], 5),
    ],
)
def test_the_exit_code_is_counted_from_the_outcomes(fates: list[Fate], code: int) -> None:
    """0: all applied; 1: no write took effect; 5: some did, or may have; 130: interrupted."""
    report = Report("default", "d", "then", "now", _outcomes(*fates))
    assert report.exit_code == code
    assert replace(report, interrupted=True).exit_code == 130


def test_outcomes_are_tallied_by_fate() -> None:
    """Each fate is counted under its own name."""
    fates = [Fate.UNKNOWN, Fate.APPLIED, Fate.FAILED, Fate.APPLIED, Fate.NOT_ATTEMPTED]
    tally = Report("default", "d", "then", "now", _outcomes(*fates, Fate.UNKNOWN)).summary
    assert tally._asdict() == {"applied": 2, "failed": 1, "not_attempted": 1, "unknown": 2}


def test_a_track_becomes_the_outcome_of_its_change() -> None:
    """With the id that a create got, and without an error that was overcome."""
    create, update, delete = PLAN.changes
    made = Verdict(create, Fate.APPLIED, "n1", error="timed out, then found")
    assert made.outcome == Outcome("create", "B", "n1", Fate.APPLIED, None)
    assert Verdict(update).outcome == Outcome("update", "A", "p1", Fate.NOT_ATTEMPTED, None)
    failed = Verdict(delete, fate=Fate.FAILED, error="refused")
    assert failed.outcome == Outcome("delete", "C", "p3", Fate.FAILED, "refused")
