"""Server: the model shop behind a wire that lies, and the loop of an apply without any I/O.

The clock is logical: a call takes one second, a wait none but the seconds that it skips.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from reconciler.model import Catalog, Ledger, Listing
from reconciler.planning.account import opened, unlisted
from reconciler.planning.conclude import concluded
from reconciler.planning.diff import diff
from reconciler.planning.operations import Operation, Patch, Post, Remove, operations
from reconciler.planning.outcome import Answer, Failure, Verdict
from reconciler.planning.plan import Plan
from reconciler.planning.sight import Sight, Situation
from reconciler.planning.steps import Look, judge
from tests.planning.shop import Shop

SETTLE: Final = 60.0
MOST_STEPS: Final = 300
_DAWN: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Fault(NamedTuple):
    """What befalls one call.

    `lands`: it takes effect all the same. `at_rest`: the answer shows that the server has ended its
    work. `says` is what becomes of the answer: "ok", "lost", "refused", "listed" (the id of another
    product) or "twice" (the id that another create got).
    """

    says: str = "ok"
    lands: bool = True
    at_rest: bool = False


FAULTS: Final = (
    Fault("lost", lands=True),
    Fault("lost", lands=False),
    Fault("lost", lands=False, at_rest=True),
    Fault("refused", lands=False, at_rest=True),
    Fault("ok", lands=False),
    Fault("listed"),
    Fault("twice"),
)
_TELLS: Final = Fault()


class Server:
    """A shop whose answers follow `faults`, one a write, and whose lists lag by `lags`, one a list.

    Both end: later calls are told the truth, later lists are new. `sent` are the store_ids of all
    calls of the run.
    """

    def __init__(self, shop: Shop, faults: Sequence[Fault], lags: Sequence[float]) -> None:
        self.shop = shop
        self.now = 0.0
        self._faults: Iterator[Fault] = iter(faults)
        self._lags: Iterator[float] = iter(lags)
        self._states: list[tuple[float, Listing]] = [(-SETTLE, shop.listing())]
        self._answered: list[str] = []
        self._shown = -SETTLE
        self.sent: set[str] = set()

    def heal(self) -> None:
        """End all faults."""
        self._faults, self._lags = iter(()), iter(())

    def list(self) -> Listing:
        """The newest state that is as old as this list lags; never an older one than before."""
        self.now += 1
        self._shown = max(self._shown, self.now - next(self._lags, 0.0))
        return [state for at, state in self._states if at <= self._shown][-1]

    def call(self, operation: Operation) -> Answer:
        """One call with its answer."""
        self.now += 1
        self.sent.update(operation.store_ids)
        fault = next(self._faults, _TELLS)
        if fault.says in ("listed", "twice") and not isinstance(operation, Post):
            fault = _TELLS
        id: str | None = None
        failure: Failure | None = None
        gone = isinstance(operation, Remove) and operation.change.id not in self.shop.rows
        if fault.lands and not gone:
            id = self._write(operation)
        if fault.says == "lost":
            failure = Failure("no answer", True, at_rest=fault.at_rest)
        elif fault.says == "refused":
            failure = Failure("refused", refused=True)
        elif gone:
            failure = Failure("no such product", gone=True)
        elif isinstance(operation, Post):
            id = self._id(fault.says, id)
        if failure is not None:
            id = None
        return Answer(operation, self.now, id, failure)

    def _write(self, operation: Operation) -> str | None:
        if isinstance(operation, Patch) and not set(operation.ids) <= self.shop.rows.keys():
            return None
        made = self.shop.call(operation)
        self._states.append((self.now, self.shop.listing()))
        return made

    def _id(self, says: str, made: str | None) -> str:
        if made is None:
            made = "never"
        others = sorted(self.shop.rows.keys() - {made})
        if says == "listed" and others:
            return others[0]
        if says == "twice" and self._answered:
            return self._answered[-1]
        self._answered.append(made)
        return made


class End(NamedTuple):
    """How one run ended."""

    plan: Plan
    verdicts: Mapping[str, Verdict]
    ledger: Ledger
    sent: frozenset[str]
    steps: int


def run(server: Server, wanted: Catalog, ledger: Ledger, *, retries: int = 2) -> End:
    """Plan and apply as `applying` does it: ask `judge`, do that, until there is no more to do."""
    listing = server.list()
    utc = _DAWN + timedelta(seconds=server.now)
    plan = diff(wanted, listing, ledger, now=utc)
    before = frozenset(p.id for p in listing.products) | ledger.products.keys()
    known = unlisted(plan, ledger, {product.id for product in listing.products})
    until = opened(plan, ledger, known, server.now, utc, SETTLE)
    calls = operations(plan)
    answers: list[Answer] = []
    sight: Sight | None = None
    server.sent = set()

    def situation() -> Situation:
        return Situation(
            plan,
            calls,
            listed={product.id for product in listing.products},
            before=before,
            answers=tuple(answers),
            sight=sight,
            now=server.now,
            settle=SETTLE,
            retries=retries,
            opened=until,
            lost=ledger.creates.keys(),
            known=known,
        )

    steps = 0
    while plan.changes and (step := judge(situation()).step) is not None:
        steps += 1
        assert steps < MOST_STEPS, step
        if isinstance(step, Look):
            server.now = max(server.now, step.at)
            sight = Sight.of(
                server.list(), plan, before, after=len(answers), asked=server.now - 1, known=known
            )
        else:
            answers += map(server.call, step.operations)
    return _ended(server, plan, ledger, situation(), listing, steps)


def _ended(
    server: Server, plan: Plan, ledger: Ledger, situation: Situation, before: Listing, steps: int
) -> End:
    verdicts = judge(situation).verdicts
    sight, present = situation.sight, None
    if sight is not None and sight.after == len(situation.answers):
        present = {p.id for listing in (before, sight.listing) for p in listing.products}
    final = concluded(
        ledger,
        plan,
        verdicts.values(),
        now=server.now,
        utc=lambda moment: (_DAWN + timedelta(seconds=moment)).isoformat(),
        present=present,
        settle=SETTLE,
    )
    return End(plan, verdicts, final, frozenset(server.sent), steps)
