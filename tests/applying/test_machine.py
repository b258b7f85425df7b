"""Random catalogues, remotes, hand edits, faults, kills and stops: the promises hold after each.

P1 converges, P2 doubles nothing, P3 loses nothing, P6 tells the truth, P9 plan never writes.
"""

import json
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reconciler import reconcile
from reconciler.errors import ReconcilerError
from reconciler.model import State
from reconciler.planning.outcome import Fate, Report
from reconciler.planning.plan import Plan
from reconciler.reconcile import Options
from reconciler.remote.client import Client
from reconciler.remote.transport import Answer, Method
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from reconciler.sandbox.store import Row
from tests.applying.world import World, expected

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TAGS = st.lists(st.sampled_from(["linen", "Wool", "été"]), max_size=2)
PRODUCT = st.fixed_dictionaries(
    {
        "store_id": IDS,
        "name": st.sampled_from(["Coat", "Shirt", "Jupe d'été"]),
        "tags": TAGS,
        "image_url": st.sampled_from(["https://cdn.shop/1.jpg", "https://cdn.shop/2.jpg"]),
        "type": st.sampled_from(["top", "dress"]),
    }
)
CATALOG = st.lists(PRODUCT, max_size=6, unique_by=lambda declared: declared["store_id"])
FAULT = st.one_of(
    st.builds(
        Fault,
        kind=st.just("status"),
        method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", None]),
        moment=st.sampled_from(["before", "after"]),
        status=st.sampled_from([400, 404, 429, 500, 502, 503]),
        nth=st.tuples(st.integers(1, 4)),
    ),
    st.builds(
        Fault,
        kind=st.sampled_from(["reset", "truncate", "html", "redirect", "empty", "shape"]),
        method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
        moment=st.sampled_from(["before", "after"]),
        nth=st.tuples(st.integers(1, 3)),
    ),
    st.builds(
        Fault,
        kind=st.sampled_from(["reset", "status"]),
        moment=st.sampled_from(["before", "after"]),
        chance=st.sampled_from([0.2, 0.6, 1.0]),
        times=st.integers(1, 12),
    ),
    st.builds(Fault, kind=st.sampled_from(["created_zero", "partial_patch"]), times=st.just(1)),
    st.builds(
        Fault, kind=st.just("shift"), way=st.just("replace"), nth=st.tuples(st.integers(1, 3))
    ),
    st.builds(
        Fault,
        kind=st.just("ignore_field"),
        field=st.sampled_from(["tags", "name"]),
        times=st.just(1),
    ),
)


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
        sandbox = self.stack.enter_context(Sandbox(page_max=3))
        self.world = World(self.folder, sandbox, page_size=3, retries=2)
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

    @rule(faults=st.lists(FAULT, max_size=3), seed=st.integers(0, 3))
    def apply(self, faults: list[Fault], seed: int) -> None:
        """An apply with faults."""
        self._run(faults, seed)

    @rule(call=st.integers(1, 6), moment=st.sampled_from(["before", "after"]))
    def apply_killed(self, call: int, moment: str) -> None:
        """An apply that dies at one of its writes."""
        self._run([], 0, kill=(call, moment))

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
        before = {row.id: row for row in world.rows()}
        plan = world.plan()
        assert {row.id: row for row in world.rows()} == before, "plan never writes"
        shifting = any(fault.kind == "shift" for fault in faults)
        world.misbehave(*faults, seed=seed)
        report: Report | None = None
        try:
            with world.client() as client:
                _arm(client, kill, stop, world)
                report = reconcile.apply(world.store(client), Options(allow_empty=True))
        except (ReconcilerError, Killed):
            pass
        finally:
            world.misbehave()
        after = {row.id: row for row in world.rows()}
        self._doubled_nothing(before, after)
        if not shifting:
            self._touched_nothing_else(plan, before, after)
            if report is not None:
                _told_the_truth(report, after)

    def _doubled_nothing(self, before: dict[str | None, Row], after: dict[str | None, Row]) -> None:
        had = Counter(row.store_id for row in before.values())
        has = Counter(row.store_id for row in after.values())
        for store_id, count in has.items():
            assert count <= max(1, had[store_id]) or store_id is None, store_id

    def _touched_nothing_else(
        self, plan: Plan, before: dict[str | None, Row], after: dict[str | None, Row]
    ) -> None:
        touched = {change.id for change in plan.changes}
        for id, row in before.items():
            if id not in touched:
                assert after.get(id) == row, "only what was planned is written"
        gone = before.keys() - after.keys()
        assert gone <= {change.id for change in plan.changes if change.action == "delete"}
        journals = "".join(
            path.read_text() for path in (self.folder / ".reconciler").glob("journal/*.jsonl")
        )
        for id in gone:
            assert id is not None
            assert json.dumps(id) in journals, "what a delete removed is in the journal"

    @rule()
    def converge(self) -> None:
        """With the faults over, repeated apply reaches the catalogue, and then plans nothing."""
        world = self.world
        world.misbehave()
        for _ in range(3):
            world.apply()
        plan = world.plan()
        assert not plan.changes
        held = {store_id for block in plan.blocked if (store_id := block.store_id)}
        here = world.remote()
        ledger = world.store(world.client()).ledger.load()
        kept = any(known.kept for known in ledger.products.values())
        ids = {row.store_id: row.id for row in world.rows()}
        for declared in self.declared:
            store_id = declared["store_id"]
            if store_id in held or kept:
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

    def doomed(method: Method, query: Any = {}, body: bytes | None = None) -> Answer:  # noqa: B006
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


def _told_the_truth(report: Report, after: dict[str | None, Row]) -> None:
    present = {row.store_id for row in after.values()}
    for outcome in report.outcomes:
        if outcome.fate is Fate.APPLIED:
            assert (outcome.store_id in present) == (outcome.action != "delete"), outcome
        if outcome.fate is Fate.NOT_ATTEMPTED and outcome.action == "create":
            assert outcome.store_id not in present, outcome


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    parent=settings(),
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
