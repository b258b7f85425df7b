"""Outcome: what became of one Change. Report: the account of one apply.

They are values without effects, and are read by `report/` as well as made by `applying/`; so they
stand here, below both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from reconciler.model import Finding, Value
from reconciler.planning.plan import Action, Change


class Fate(StrEnum):
    """How one Change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """What became of one Change. `error` says why, where the fate is not `applied`."""

    action: Action
    store_id: str
    id: str | None
    fate: Fate
    error: str | None = None


@dataclass(slots=True)
class Track:
    """What has become so far of one Change, while an apply runs."""

    change: Change
    id: str | None = None
    fate: Fate = Fate.NOT_ATTEMPTED
    error: str | None = None
    landed: set[str] = field(default_factory=set)
    """The fields whose call succeeded."""
    lost: set[str] = field(default_factory=set)
    """The fields that were sent without an answer: what the remote holds is not known."""
    calls: list[frozenset[str]] = field(default_factory=list)
    """The fields of each shared call that was answered, until a list has shown its effect."""
    kept: dict[str, Value | None] = field(default_factory=dict)
    """The fields of which the server keeps another value than it accepted, and that value."""

    @property
    def outcome(self) -> Outcome:
        """The track as the report tells it."""
        change = self.change
        error = None if self.fate is Fate.APPLIED else self.error
        return Outcome(change.action, change.store_id, self.id or change.id, self.fate, error)


class Tally(NamedTuple):
    """Outcomes counted by fate."""

    applied: int
    failed: int
    not_attempted: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Report:
    """The account of one apply: every Change of the plan with its Outcome, in the plan's order.

    Times are UTC, ISO 8601 with a final Z. `requests` counts calls by method, and "retries" the
    repeats among them. `converged` is None where the closing list could not be read.
    """

    store: str
    plan_digest: str
    started_at: str
    finished_at: str
    outcomes: tuple[Outcome, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)
    converged: bool | None = None
    warnings: tuple[Finding, ...] = ()
    interrupted: bool = False
    error: str | None = None
    """What ended the apply early, where something did: a refused key, a dead server."""
    wrote: bool = False
    """Whether any call took effect, also one that completed no Change."""

    @property
    def tally(self) -> Tally:
        """The outcomes, counted."""
        counts = dict.fromkeys(Fate, 0)
        for outcome in self.outcomes:
            counts[outcome.fate] += 1
        return Tally(*(counts[fate] for fate in Fate))

    @property
    def exit_code(self) -> int:
        """0: all applied; 1: no write took effect; 5: some did, or may have; 130: interrupted."""
        tally = self.tally
        if self.interrupted:
            return 130
        if tally.applied == len(self.outcomes):
            return 0
        return 5 if tally.applied or tally.unknown or self.wrote else 1
