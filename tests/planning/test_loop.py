"""The whole loop of an apply against a server that lies: what holds whatever it does."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.codes import Code
from reconciler.model import Catalog, Ledger
from reconciler.planning.outcome import Fate
from reconciler.planning.plan import Create, Delete
from tests.planning.making import EMPTY
from tests.planning.server import FAULTS, SETTLE, End, Fault, Server, run
from tests.planning.shop import Shop
from tests.planning.worlds import catalogs

_FAULTS = st.lists(st.one_of(st.just(Fault()), st.sampled_from(FAULTS)), max_size=10)
_LAGS = st.lists(st.sampled_from((0.0, 2.0, 10.0, SETTLE - 5)), max_size=12)
THOROUGH = settings(max_examples=5 * settings().max_examples)


def _truthful(end: End, server: Server) -> None:
    """What each verdict says of the shop's rows."""
    for store_id, verdict in end.verdicts.items():
        change, rows = verdict.change, server.shop.rows
        if verdict.fate is Fate.APPLIED and isinstance(change, Delete):
            assert change.id not in rows
        elif verdict.fate is Fate.APPLIED:
            row = rows[str(verdict.id)]
            for key, field in change.fields.items():
                # A write-only value that was accepted and ignored cannot be seen.
                shown = field.write_only or key in verdict.kept or row[key] == field.after
                assert shown, (verdict, row)
        elif verdict.fate is Fate.FAILED and isinstance(change, Create) and verdict.id is None:
            # A product that was to give up its store_id may have it still.
            others = {change.id for change in end.plan.changes}
            made = [id for id, row in rows.items() if row["store_id"] == store_id]
            assert not [id for id in made if id.startswith("new") and id not in others], verdict
        elif verdict.fate is Fate.NOT_ATTEMPTED:
            assert store_id not in end.sent, verdict
        if verdict.fate is not Fate.APPLIED:
            assert verdict.error, verdict


def _single(server: Server) -> None:
    counts = Counter(row["store_id"] for row in server.shop.rows.values())
    assert max(counts.values(), default=0) <= 1, counts


@THOROUGH
@given(st.lists(catalogs(), min_size=1, max_size=3), _FAULTS, _LAGS, st.booleans())
def test_the_loop_doubles_nothing_tells_the_truth_and_converges(
    wanted: list[Catalog], faults: list[Fault], lags: list[float], unique: bool
) -> None:
    """P2, P6, P1: no fault makes a second product, each verdict is true, and three runs heal."""
    server = Server(Shop(unique=unique), faults, lags)
    ledger: Ledger = EMPTY
    for catalog in wanted:
        end = run(server, catalog, ledger)
        ledger = end.ledger
        _single(server)
        _truthful(end, server)
    server.heal()
    server.now += 3700
    for _ in range(3):
        end = run(server, wanted[-1], ledger)
        ledger = end.ledger
        _single(server)
        _truthful(end, server)
    last = run(server, wanted[-1], ledger)
    assert not last.plan.changes, last.plan
    assert {b.reason for b in last.plan.blocked} <= {Code.RENAME_CONFLICT, Code.RENAME_WAITS}
