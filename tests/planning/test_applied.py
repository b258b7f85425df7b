"""Which commits the ledger takes for applied."""

from reconciler.planning.conclude import concluded
from reconciler.planning.diff import diff
from reconciler.planning.origin import only_of, with_origins
from reconciler.planning.outcome import Fate, Verdict
from tests.planning.making import EMPTY, catalog, declared, listed, remote


def test_a_commit_whose_edits_were_left_out_does_not_count_as_applied() -> None:
    """Else the next run would take what it left for drift, and leave it for ever (P1)."""
    head = catalog(declared("A", "Coat"), declared("B", "Coat"), commit="c1")
    there = remote(listed("p1", "A"), listed("p2", "B"))
    whole = diff(head, there, EMPTY)
    some = diff(head, there, EMPTY, select=["A"])
    base = catalog(declared("A"), declared("B"))
    edits = only_of(with_origins(whole, base, there, EMPTY), ["drift"])
    for plan, commit in ((whole, "c1"), (some, None), (edits, None)):
        done = [Verdict(change, Fate.APPLIED, change.id) for change in plan.changes]
        after = concluded(EMPTY, plan, done, utc=lambda _: "2026-01-01T00:00:00.000Z")
        assert [applied.commit for applied in after.applied] == ([commit] if plan.changes else [])
