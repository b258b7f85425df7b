"""Random catalogues, remotes, hand edits, faults, lies, kills and stops: the promises hold after.

P1 converges, P2 doubles nothing, P3 loses nothing, P6 tells the truth, P9 plan never writes.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reconciler import reconcile
from reconciler.errors import ReconcilerError
from reconciler.model import State
from reconciler.planning.outcome import Report
from reconciler.planning.plan import Change, Plan
from reconciler.reconcile import Options
from reconciler.remote.client import Client
from reconciler.remote.transport import Method, Response
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from reconciler.sandbox.store import StoredRow
from tests.applying.checks import DAY, HOUR, kept_in_journal, shown, told_the_truth, visible
from tests.applying.drawn import CATALOG, FAULT, IDS, LAG, LIE, MOVING
from tests.applying.world import HurriedClock, World, expected


class Killed(BaseException):
    """The process is gone."""


class Machine(RuleBasedStateMachine):
    """One store that lives through everything."""

    @initialize()
    def begin(self) -> None:
        """Start a sandbox with an empty remote and an empty catalogue."""
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, self.folder)
        clock = HurriedClock()
        sandbox = self.stack.enter_context(Sandbox(page_max=3, clock=clock.now))
        self.world = World(self.folder, sandbox, clock=clock, page_size=3, retries=2)
        self.known = False
        self.declared: list[dict[str, Any]] = []
        self.by_hand: Counter[str | None] = Counter()
        self.world.declare([])

    # What people do --------------------------------------------------------------------------

    @rule(catalog=CATALOG)
    def declare(self, catalog: list[dict[str, Any]]) -> None:
        """Somebody edits the catalogue."""
        self.declared = catalog
        self.world.declare(catalog)

    @rule(data=st.data(), swap=st.booleans())
    def rename(self, data: st.DataObject, swap: bool) -> None:
        """Somebody gives declared products new store_ids, in a chain or a ring."""
        ids = [declared["store_id"] for declared in self.declared]
        if len(ids) < 2:
            return
        moved = data.draw(st.permutations(ids))[: data.draw(st.integers(2, 3))]
        targets = [*moved[1:], moved[0] if swap else "z"]
        new = dict(zip(moved, targets, strict=True))
        if not swap and "z" in ids:
            return
        plain = [{k: v for k, v in d.items() if k != "renamed_from"} for d in self.declared]
        self.declared = [
            d | {"store_id": new[d["store_id"]], "renamed_from": d["store_id"]}
            if d["store_id"] in new
            else d
            for d in plain
        ]
        self.world.declare(self.declared)

    @rule(id=IDS, name=st.sampled_from(["By hand", "Coat"]))
    def add_by_hand(self, id: str, name: str) -> None:
        """Somebody adds a product at Robosize, perhaps one that is there already."""
        self.world.sandbox.store.seed([{"store_id": id, "name": name, "size_chart": {"M": 1}}])
        # Nobody can know of a product that no list has ever shown.
        self.known = False

    @rule(dirt=st.sampled_from([{"store_id": None}, {"store_id": 7, "name": None}]))
    def add_dirt(self, dirt: dict[str, Any]) -> None:
        """Somebody leaves a broken record."""
        if len(self.world.rows()) < 12:
            self.world.sandbox.store.insert([dirt])

    @rule(data=st.data())
    def remove_by_hand(self, data: st.DataObject) -> None:
        """Somebody deletes a product at Robosize."""
        ids = [row.id for row in self.world.rows() if row.id]
        if ids:
            self.world.sandbox.store.delete(data.draw(st.sampled_from(ids)))

    @rule(data=st.data())
    def edit_by_hand(self, data: st.DataObject) -> None:
        """Somebody edits a product at Robosize."""
        ids = [row.id for row in self.world.rows() if row.id]
        if ids:
            id = data.draw(st.sampled_from(ids))
            self.world.sandbox.store.update([id], {"name": "Edited", "tags": ("hand",)})

    # What the tool does ----------------------------------------------------------------------

    @rule(faults=st.lists(FAULT | LIE, max_size=3), seed=st.integers(0, 3))
    def apply(self, faults: list[Fault], seed: int) -> None:
        """An apply with faults."""
        self._run(faults, seed)

    @rule(
        lies=st.lists(LIE, max_size=2),
        call=st.integers(1, 6),
        moment=st.sampled_from(["before", "after"]),
    )
    def apply_killed(self, lies: list[Fault], call: int, moment: str) -> None:
        """An apply that dies at one of its writes."""
        self._run(lies, 0, kill=(call, moment))

    @rule(id=IDS, seconds=LAG)
    def apply_stale(self, id: str, seconds: float) -> None:
        """An apply whose first list lacks a product that an earlier one has listed."""
        if self.known:
            self._run([Fault("unlist", store_id=id, seconds=seconds, nth=(1,))], 0)

    @rule(seconds=st.sampled_from([3.0, 20.0, HOUR, DAY]))
    def pass_time(self, seconds: float) -> None:
        """Nothing happens for a while."""
        self.world.clock.skip(seconds)

    @rule(call=st.integers(1, 6))
    def apply_interrupted(self, call: int) -> None:
        """An apply that is asked to stop at one of its writes."""
        self._run([], 0, stop=call)
        self.world.stop.clear()

    def _run(
        self,
        faults: list[Fault],
        seed: int,
        *,
        kill: tuple[int, str] | None = None,
        stop: int | None = None,
    ) -> None:
        world = self.world
        before = world.rows()
        world.plan()
        assert world.rows() == before, "plan never writes"
        world.misbehave(*faults, seed=seed)
        plans: list[Plan] = []
        report: Report | None = None
        failed = False

        def approve(plan: Plan) -> bool:
            plans.append(plan)
            return False

        try:
            with world.client() as client:
                _arm(client, kill, stop, world)
                report = reconcile.apply(
                    world.store(client), Options(allow_empty=True), approve=approve
                )
        except ReconcilerError:
            failed = True
        except Killed:
            pass
        finally:
            world.misbehave()
        after = world.rows()
        self.known = report is not None and report.converged is True
        self._doubled_nothing(before, after)
        if any(fault.kind in MOVING for fault in faults):
            return
        changes = plans[0].changes if plans else ()
        self._touched_nothing_else(changes, before, after)
        if failed:
            assert visible(after) == visible(before), "what fails has written nothing"
        if report is not None and report.converged is not None:
            told_the_truth(report, changes, before, after)

    def _doubled_nothing(self, before: list[StoredRow], after: list[StoredRow]) -> None:
        had = Counter(row.store_id for row in before)
        has = Counter(row.store_id for row in after)
        for store_id, count in has.items():
            assert count <= max(1, had[store_id]) or store_id is None, store_id

    def _touched_nothing_else(
        self, changes: Sequence[Change], before: list[StoredRow], after: list[StoredRow]
    ) -> None:
        # A product that a Create is planned for may be there after all: it is the one then.
        made = {change.store_id for change in changes if change.action == "create"}
        touched = {change.id for change in changes}
        touched |= {row.id for row in before if row.store_id in made}
        here = {row.position: row for row in after}
        removed = {change.id for change in changes if change.action == "delete"}
        for row in before:
            if row.id not in touched:
                assert row.position in here, "only what was planned is deleted"
                assert shown(here[row.position]) == shown(row), "only what was planned is written"
            elif row.position not in here:
                assert row.id in removed
                assert kept_in_journal(self.world, str(row.id)), "what a delete removed is kept"

    @rule()
    def converge(self) -> None:
        """With the faults over, repeated apply reaches the catalogue, and then plans nothing."""
        world = self.world
        world.misbehave()
        for wait in (HOUR, DAY, DAY, 0.0):
            world.clock.skip(wait)
            world.apply()
        self.known = True
        plan = world.plan()
        assert not plan.changes
        reasons = {block.store_id: str(block.reason) for block in plan.blocked}
        assert "not_listed_yet" not in reasons.values()
        here = world.remote()
        ledger = world.store(world.client()).ledger.load()
        ids = {row.store_id: row.id for row in world.rows()}
        for declared in self.declared:
            store_id = declared["store_id"]
            if store_id in reasons:
                continue
            wanted = expected(declared)
            assert here[store_id]["name"] == wanted["name"]
            assert tuple(sorted(set(here[store_id]["tags"]))) == wanted["tags"]
            for key in ("image_url", "type"):
                entry = ledger.known(str(ids[store_id]), key)
                assert entry is not None
                if entry.state is State.CONFIRMED:
                    assert here[store_id][key] == wanted[key]

    def teardown(self) -> None:
        """Always end with convergence."""
        if hasattr(self, "world"):
            try:
                self.converge()
            finally:
                self.stack.close()


def _arm(client: Client, kill: tuple[int, str] | None, stop: int | None, world: World) -> None:
    """Let the process die, or be asked to stop, at the n-th write."""
    send = client._transport.send
    writes = 0

    def doomed(method: Method, query: Any = {}, body: bytes | None = None) -> Response:  # noqa: B006
        nonlocal writes
        if method == "GET":
            if kill and writes >= kill[0]:
                raise Killed
            return send(method, query, body)
        writes += 1
        if stop is not None and writes == stop:
            world.stop.set()
        if kill and (writes > kill[0] or (writes == kill[0] and kill[1] == "before")):
            raise Killed
        answer = send(method, query, body)
        if kill and writes == kill[0]:
            raise Killed
        return answer

    client._transport.send = doomed  # type: ignore[method-assign]


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    parent=settings(),
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
