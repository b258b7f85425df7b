"""What has to hold after an apply, whatever the sandbox told it."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from reconciler.model import Value
from reconciler.planning.outcome import Fate, Report
from reconciler.planning.plan import Change, Plan
from reconciler.sandbox.store import StoredRow
from tests.applying.world import Declared, World, expected

HOUR = 3601.0
DAY = 24 * 3600 + 1.0
SETTLE = 10.0
"""`requests.settle` of the world: twice its timeout."""


def fates(report: Report) -> dict[str, str]:
    """What became of each change, by store_id."""
    return {outcome.store_id: outcome.fate.value for outcome in report.outcomes}


def summary(plan: Plan) -> dict[str, int]:
    """The counts of a plan."""
    return dict(plan.summary._asdict())


def blocked(plan: Plan) -> dict[str | None, str]:
    """Why products are blocked, by store_id."""
    return {block.store_id: str(block.reason) for block in plan.blocked}


def writes(world: World) -> int:
    """How many writes reached the sandbox."""
    return sum(1 for call in world.sandbox.store.calls() if call.method != "GET")


def exactly(world: World, declared: Sequence[Declared]) -> None:
    """The remote holds every declared product once, as it is declared, and no other (P1, P2)."""
    assert Counter(row.store_id for row in world.rows()) == Counter(
        product["store_id"] for product in declared
    )
    here = world.remote()
    for product in declared:
        values = here[product["store_id"]]
        told = {**values, "tags": tuple(sorted(set(values["tags"])))}
        assert told == expected(product)


def converges(world: World, declared: Sequence[Declared], *, applies: int = 3) -> None:
    """With the faults over, repeated apply makes the remote equal to the catalogue (P1)."""
    world.misbehave()
    world.sandbox.store.catch_up()
    world.clock.skip(HOUR)
    for _ in range(applies):
        report = world.apply()
    assert (report.exit_code, report.converged) == (0, True)
    assert not world.plan().changes
    exactly(world, declared)


def account_is_true(world: World, report: Report, document: dict[str, Any] | None = None) -> None:
    """Counts and exit code say what the sandbox recorded, no more and no less (P6)."""
    present = {str(row.store_id) for row in world.rows()}
    for outcome in report.outcomes:
        if outcome.fate == "applied":
            assert (outcome.store_id in present) == (outcome.action != "delete"), outcome
        if outcome.fate in ("failed", "not_attempted") and outcome.action == "create":
            assert outcome.store_id not in present, outcome
    tally = Counter(outcome.fate.value for outcome in report.outcomes)
    assert report.summary._asdict() == {
        fate: tally[fate] for fate in ("applied", "failed", "not_attempted", "unknown")
    }
    if report.exit_code == 1:
        assert not tally["applied"]
        assert not tally["unknown"]


def journals(world: World) -> str:
    """All that the journals hold."""
    folder = world.folder / ".reconciler" / "journal"
    return "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.jsonl"))


def kept_in_journal(world: World, id: str) -> bool:
    """Whether the record of a deleted product is in a journal (P3)."""
    return any(
        json.loads(line).get("record", {}).get("id") == id for line in journals(world).splitlines()
    )


def shown(row: StoredRow) -> dict[str, Any]:
    """All of a product but its id."""
    return {**row.record, **row.written, "id": None}


def visible(rows: Sequence[StoredRow]) -> list[dict[str, Any]]:
    """What a list shows of products, but their ids."""
    return [{**row.record, "id": None, "image_md": None} for row in rows]


def told_the_truth(
    report: Report, changes: Sequence[Change], before: list[StoredRow], after: list[StoredRow]
) -> None:
    """The outcomes and the exit code say what the remote holds (P6)."""
    had = {row.store_id for row in before}
    has = {row.store_id: row for row in after}
    ids = {row.record["id"] for row in after}
    kept = any(finding.code == "server_keeps" for finding in report.warnings)
    by_id = {change.store_id: change for change in changes}
    untold: list[str] = []
    for outcome in report.outcomes:
        # A delete is of one id: a list may have hidden another product at the same store_id.
        there = outcome.id in ids if outcome.action == "delete" else outcome.store_id in has
        if outcome.fate is Fate.APPLIED and not kept:
            assert there == (outcome.action != "delete"), outcome
            if there and outcome.action != "delete":
                assert not _unlike(by_id[outcome.store_id], has[outcome.store_id]), outcome
        if outcome.fate in (Fate.NOT_ATTEMPTED, Fate.FAILED) and outcome.action == "create":
            if not there or outcome.store_id in had:
                continue
            # What a refused create made unlike what was sent looks like somebody else's.
            assert _unlike(by_id[outcome.store_id], has[outcome.store_id]), outcome
            untold.append(outcome.store_id)
        if outcome.fate in (Fate.NOT_ATTEMPTED, Fate.FAILED) and outcome.action == "delete":
            assert there, outcome
    if report.exit_code == 1 and not untold:
        assert visible(after) == visible(before), "exit 1: no write took effect"


def _unlike(change: Change, row: StoredRow) -> list[str]:
    """The readable fields of a product that are not as the change has them."""
    return [
        key
        for key, field in change.fields.items()
        if not field.write_only and field.after is not None
        if _plain(row.value(key)) != _plain(field.after)
    ]


def _plain(value: Value | None) -> Value | None:
    return tuple(sorted(set(value))) if isinstance(value, tuple) else value
