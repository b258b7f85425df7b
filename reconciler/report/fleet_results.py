"""The result of each store of a fleet, and of the fleet as a whole."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from reconciler.codes import Code

FleetAction: TypeAlias = Literal["plan", "apply", "status", "unlock"]

# Exit codes from the best to the worst.
_RANKING: Final = (0, 6, 2, 3, 4, 5, 1, 130)
SUCCESSES: Final = frozenset({0, 2, 6})
"""Those that tell of no failure: with --detailed-exitcode 2 and 6 report changes and drift."""


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What became of one store.

    `summary` counts a plan's changes, an apply's outcomes or a status, by their documented names.
    `takeovers` counts the workers that died at this store before one came to its end. `texts` are
    the renderings that were asked for, by name.
    """

    store: str
    exit_code: int
    summary: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    code: Code | None = None
    hint: str | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """Refusals of guards and warnings, in words."""
    refused: bool = False
    """Whether apply will refuse this plan."""
    converged: bool | None = None
    takeovers: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> list[str]:
        """The calls that an apply would make, if they were asked for."""
        text = self.texts.get("calls")
        return text.split("\n") if text else []

    @property
    def failed(self) -> bool:
        """Whether the exit code tells of a failure."""
        return self.exit_code not in SUCCESSES

    @property
    def attempted(self) -> bool:
        """Whether anybody began with this store."""
        return self.code is not Code.NOT_ATTEMPTED


def worst_code(results: Iterable[StoreResult]) -> int:
    """The exit code of a fleet: the worst of its stores'."""
    return max((result.exit_code for result in results), key=_rank, default=0)


def worst_first(results: Iterable[StoreResult]) -> list[StoreResult]:
    """The results from the worst to the best; of equal ones the one with more changes first."""
    # Of plans with equal codes, the one that apply will refuse needs somebody most.
    return sorted(results, key=lambda r: (-_rank(r.exit_code), not r.refused, -touched(r), r.store))


def touched(result: StoreResult) -> int:
    """How many changes a plan has or an apply had."""
    return sum(result.summary.get(key, 0) for key in _CHANGES)


def sums(results: Sequence[StoreResult]) -> dict[str, int]:
    """The summaries of all stores, added up by their keys."""
    total: Counter[str] = Counter()
    for result in results:
        total.update(result.summary)
    return dict(total)


def by_exit_code(results: Iterable[StoreResult]) -> dict[int, int]:
    """How many stores ended with each exit code, from the best to the worst."""
    counts = Counter(result.exit_code for result in results)
    return {code: counts[code] for code in sorted(counts, key=_rank)}


def _rank(code: int) -> int:
    # A code that is not in the table is a failure like any other.
    return _RANKING.index(code if code in _RANKING else 1)


_CHANGES: Final = ("create", "update", "delete", "applied", "failed", "not_attempted", "unknown")
