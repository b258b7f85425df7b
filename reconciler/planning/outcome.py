"""What was sent and came back (Answer), what became of one Change, and the Report of one apply.

They are values without effects, read by `report/` as well as made by `applying/`; so they stand
here, below both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from reconciler.model import Finding, Value
from reconciler.planning.operations import Operation
from reconciler.planning.plan import Action, Change

_NO_VALUES: Final[Mapping[str, Value | None]] = MappingProxyType({})


class Failure(NamedTuple):
    """Why a call did not succeed, and what is known of its effect.

    `may_have_landed`: it may have taken effect all the same. `at_rest`: the server has surely ended
    its work on it, so a list tells what became of it. `gone`: a DELETE was told that there is no
    such product. `repeats` counts how often the call was made again before it was given up.
    """

    message: str
    may_have_landed: bool = False
    at_rest: bool = True
    gone: bool = False
    refused: bool = False
    key: bool = False
    repeats: int = 0


class Answer(NamedTuple):
    """What came back for one Operation; never corrected.

    `came` is in seconds of the clock of the run. `id` is what a POST was answered with.
    """

    operation: Operation
    came: float
    id: str | None = None
    failure: Failure | None = None

    @property
    def may_have_landed(self) -> bool:
        """Whether the call took effect, for all that its answer tells."""
        return self.failure is None or self.failure.may_have_landed


class Fate(StrEnum):
    """How one Change ended."""

    APPLIED = "applied"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """What became of one Change. `error` says why, if the fate is not `applied`."""

    action: Action
    store_id: str
    id: str | None
    fate: Fate
    error: str | None = None


class Verdict(NamedTuple):
    """What became of one Change, as far as the answers and the last list tell.

    `landed` are the fields that are surely set, and `lost` those that were sent and may be set.
    `kept` holds the value that the server shows for a field if it differs from the one it accepted.
    `listed` says that a list has shown the product. `sent` is when a create was last sent.
    """

    change: Change
    fate: Fate = Fate.NOT_ATTEMPTED
    id: str | None = None
    error: str | None = None
    landed: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    kept: Mapping[str, Value | None] = _NO_VALUES
    listed: bool = False
    sent: float | None = None

    @property
    def outcome(self) -> Outcome:
        """The verdict as the report tells it."""
        change = self.change
        # A list may have proven it after an error, and a report must not show both.
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
    repeats among them. `converged` is None if the closing list could not be read.
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
    """What ended the apply early, if something did: a refused key, a dead server."""
    wrote: bool = False
    """Whether any call took effect, also one that completed no Change."""
    unconfirmed: int = 0
    """How many products have declared values that were taken as given."""
    partial: bool = False
    """Whether `converged` is of the plan alone: it was a saved one, or of a selection."""

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {fate}" for fate, count in self.summary._asdict().items())
        return f"<Report of {self.store!r}: {counts}>"

    @property
    def calls(self) -> int:
        """How many calls were made, repeats included."""
        return sum(count for name, count in self.requests.items() if name != "retries")

    @property
    def summary(self) -> Tally:
        """The outcomes, counted."""
        counts = dict.fromkeys(Fate, 0)
        for outcome in self.outcomes:
            counts[outcome.fate] += 1
        return Tally(*(counts[fate] for fate in Fate))

    @property
    def exit_code(self) -> int:
        """0: all applied; 1: no write took effect; 5: some did, or may have; 130: interrupted."""
        tally = self.summary
        if self.interrupted:
            return 130
        # Counted from Outcomes, never from the plan (P6).
        if tally.applied == len(self.outcomes):
            return 0
        return 5 if tally.applied or tally.unknown or self.wrote else 1
