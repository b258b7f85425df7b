"""overview: the remote at a glance, a function of what was listed and of a plan against it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from reconciler.model import Listing, Record
from reconciler.planning.plan import Create, Delete, Plan, Update

ACTIVE: Final = "active"
NO_STATUS: Final = "none"


class Problem(StrEnum):
    """What may be wrong with a product at the remote."""

    NO_IMAGE = "no-image"
    NO_SIZE_CHART = "no-size-chart"
    NO_FABRIC = "no-fabric"
    NOT_ACTIVE = "not-active"
    NOT_DECLARED = "not-declared"
    UNCONFIRMED = "unconfirmed"
    DRIFTED = "drifted"
    BLOCKED = "blocked"
    BREAKS_POLICY = "breaks-policy"


COMPARED: Final = (
    Problem.NOT_DECLARED,
    Problem.UNCONFIRMED,
    Problem.DRIFTED,
    Problem.BLOCKED,
    Problem.BREAKS_POLICY,
)
"""The problems that only a comparison with the catalogue shows."""


class Row(NamedTuple):
    """One remote product, as a list of those with a problem shows it."""

    store_id: str | None
    id: str | None
    name: str | None
    status: str
    image_md: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The remote of `store` in numbers; `declared` and `missing` are None without a catalogue.

    `problems` holds the rows of each problem that could be looked for, in the order of the list.
    """

    store: str
    products: int
    statuses: Mapping[str, int]
    problems: Mapping[Problem, tuple[Row, ...]]
    declared: int | None = None
    missing: int | None = None
    """How many declared products the remote lacks."""


def overview(
    store: str,
    remote: Listing,
    plan: Plan | None,
    breaking: Collection[str | None] = frozenset(),
) -> Overview:
    """Count the remote by status and problem; `plan` compares it with the whole catalogue.

    `breaking` holds the ids of products that break a rule of the shop's own.
    """
    compared = {} if plan is None else {**_compared(plan), Problem.BREAKS_POLICY: breaking}
    looked_for = [p for p in Problem if plan is not None or p not in COMPARED]
    found: dict[Problem, list[Row]] = {problem: [] for problem in looked_for}
    statuses: Counter[str] = Counter()
    for record in remote.every_record():
        row = _row(record)
        statuses[row.status] += 1
        for problem in _own_problems(record, row):
            found[problem].append(row)
        for problem, ids in compared.items():
            if row.id in ids:
                found[problem].append(row)
    # None and not 0: without a catalogue nobody knows what is missing.
    creates = None if plan is None else sum(isinstance(c, Create) for c in plan.changes)
    return Overview(
        store,
        len(remote.products),
        dict(sorted(statuses.items())),
        {problem: tuple(rows) for problem, rows in found.items()},
        None if plan is None else plan.catalog.products,
        creates,
    )


def _compared(plan: Plan) -> Mapping[Problem, Collection[str | None]]:
    """The remote ids with each problem that a plan shows; the plan must delete all undeclared."""
    return {
        Problem.NOT_DECLARED: {c.id for c in plan.changes if isinstance(c, Delete)},
        Problem.UNCONFIRMED: {a.id for a in plan.adoptions if a.assumed},
        Problem.DRIFTED: {c.id for c in plan.changes if isinstance(c, Update)},
        Problem.BLOCKED: {id for blocked in plan.blocked for id in blocked.ids},
    }


def _own_problems(record: Record, row: Row) -> list[Problem]:
    """What a record lacks, whatever is declared."""
    lacking = {
        Problem.NO_IMAGE: not record.get("image_md"),
        Problem.NO_SIZE_CHART: not record.get("size_chart"),
        Problem.NO_FABRIC: not record.get("fabric"),
        Problem.NOT_ACTIVE: row.status != ACTIVE,
    }
    return [problem for problem, lacks in lacking.items() if lacks]


def _row(record: Record) -> Row:
    store_id, id, name, status, image = (_text(record.get(key)) for key in Row._fields)
    return Row(store_id, id, name, status or NO_STATUS, image)


def _text(value: object) -> str | None:
    """A remote value as text: dirty data may hold anything."""
    return None if value is None else str(value)
