"""Rounds: metrics true at every look, nothing missed, piled up or told twice, every end clean."""

import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler import reconcile
from reconciler.errors import SettingsError, UnmatchedPattern
from reconciler.reconcile.store import open_store
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from reconciler.settings.store import secrets_in
from reconciler.watch.branch import Branch
from reconciler.watch.loop import Wishes, next_due
from reconciler.watch.sight import Healing
from tests.git.pipeline import git
from tests.watch.world import KEY, Make, Shops, changes_in

HEAL = Wishes(every=60.0, healing=Healing())


@pytest.mark.parametrize(
    ("due", "now", "expected"),
    [(0, 1, 60), (0, 59, 60), (0, 61, 60), (60, 119, 120), (0, 200, 180), (0, 60, 60)],
)
def test_rounds_keep_to_their_grid(due: float, now: float, expected: float) -> None:
    """A late round is made up for by one, at once; the grid of times stays."""
    assert next_due(due, 60, now) == expected


def expected_changes(
    declared: dict[str, str], applied: dict[str, str] | None, remote: dict[str, str]
) -> dict[tuple[str, str], float]:
    """What a plan has to hold, worked out from the sandbox's own rows."""
    base, found = applied or {}, dict[tuple[str, str], float]()

    def add(action: str, origin: str) -> None:
        found[action, origin] = found.get((action, origin), 0) + 1

    for store_id, name in declared.items():
        if store_id not in remote:
            if store_id not in base:
                add("create", "edit")
            else:
                add("create", "drift" if base[store_id] == name else "both")
        elif remote[store_id] != name:
            wanted_before = store_id in base and base[store_id] != remote[store_id]
            if not wanted_before:
                add("update", "edit")
            else:
                add("update", "drift" if base[store_id] == name else "both")
    for store_id in remote.keys() - declared.keys():
        add("delete", "edit" if store_id in base else "drift")
    return found


class Turmoil:
    """Hands that edit, servers that fail, a branch that moves, and applies between the rounds."""

    def __init__(self, shops: Shops, seed: int) -> None:
        self.shops = shops
        self.chance = random.Random(seed)
        self.declared = {store: {"1": "One", "2": "Two"} for store in shops.sandboxes}
        self.applied: dict[str, dict[str, str] | None] = dict.fromkeys(shops.sandboxes)
        self.failing: set[str] = set()

    def happen(self, number: int) -> None:
        """All that happens before one round."""
        self.failing.clear()
        for store, sandbox in self.shops.sandboxes.items():
            sandbox.misbehave()
            sandbox.store.log.clear()
            self._hand(store, sandbox, number)
        if number % 7 == 3:
            self._push(number)
        if number % 5 == 2:
            self._apply()

    def _hand(self, store: str, sandbox: Sandbox, number: int) -> None:
        there = sandbox.store.rows()
        match self.chance.randrange(10):
            case 0 if there:
                self.shops.rename(store, str(there[0].store_id), f"Hand {number}")
            case 1:
                sandbox.store.seed([{"store_id": f"x{number}", "name": "Stranger"}])
            case 2:
                self.failing.add(store)
                sandbox.misbehave(Fault("status", method="GET", status=500))
            case 3 if there and self.applied[store] is not None:
                sandbox.store.delete(str(there[0].id))

    def _push(self, number: int) -> None:
        store = self.chance.choice(list(self.declared))
        self.declared[store] = {**self.declared[store], f"n{number}": "New", "1": f"One {number}"}
        self.shops.declare(store, self.declared[store])
        self.shops.push()

    def _apply(self) -> None:
        for store in self.chance.sample(list(self.declared), 1):
            if store not in self.failing:
                with open_store(self.shops.load(), store) as opened:
                    allowed = reconcile.Options(allow_deletes=99, allow_updates=99)
                    reconcile.apply(opened, allowed)
                self.applied[store] = self.declared[store]

    def expected(self, store: str) -> dict[tuple[str, str], float]:
        """What a plan of a store has to hold now."""
        return expected_changes(self.declared[store], self.applied[store], self.shops.remote(store))


def check_turmoil(
    shops: Shops, rounds: int, *, seed: int = 3, each: Callable[[int], None] = lambda _: None
) -> None:
    """After each of so many rounds the metrics of every shop equal the sandbox's rows."""
    turmoil, watch = Turmoil(shops, seed), shops.watch()
    known: dict[str, dict[tuple[str, str], float]] = {}
    for number in range(rounds):
        turmoil.happen(number)
        watch.round()
        assert watch.rounds == number + 1
        samples = shops.samples()
        for store in shops.sandboxes:
            if store not in turmoil.failing:
                known[store] = turmoil.expected(store)
                assert samples[store]["products", "remote"] == len(shops.remote(store))
            assert changes_in(samples.get(store, {})) == known.get(store, {}), (number, store)
        each(number)


def test_metrics_are_true_at_every_look(make: Make) -> None:
    """Whatever hands, servers and the branch do, each number equals the sandbox's own rows."""
    shops = make(3)
    check_turmoil(shops, 18)
    assert shops.value("errors_total", store="s0", code="rejected") is not None


def test_the_work_tree_is_left_alone(shops: Shops) -> None:
    """The catalogue is the branch's at the remote; files that were not pushed do not count."""
    shops.declare("s0", {"1": "Not pushed"})
    before = git(shops.folder, "status", "--porcelain")
    watch = shops.watch()
    watch.round()
    assert shops.changes("s0") == {("create", "edit"): 2}
    assert git(shops.folder, "status", "--porcelain") == before


def test_healing_keeps_to_the_limits(shops: Shops) -> None:
    """Drift is healed; what a guard refuses is told once, and not forced."""
    watch = shops.watch(HEAL)
    watch.run(rounds=2)
    assert shops.remote("s0") == {"1": "One", "2": "Two"}
    assert shops.told == ["s0 applied", "s1 applied"]
    shops.rename("s0", "1", "By hand")
    shops.sandboxes["s1"].store.seed([{"store_id": f"x{n}", "name": "X"} for n in range(9)])
    watch.run(rounds=4)
    assert shops.remote("s0")["1"] == "One"
    assert len(shops.remote("s1")) == 11
    assert shops.told[2:] == ["s0 applied", "s1 refused", "s1 drift found"]
    assert shops.value("refused", store="s1") == 1
    assert shops.value("apply_outcomes_total", store="s0", outcome="applied") == 3


def test_only_drift_is_healed_if_so_wished(shops: Shops) -> None:
    """With --only drift an edit waits for its pipeline."""
    shops.watch(HEAL).run(rounds=1)
    shops.declare("s0", {"1": "Edited", "2": "Two"})
    shops.push()
    shops.rename("s0", "2", "By hand")
    shops.watch(Wishes(every=60.0, healing=Healing(("drift",)))).run(rounds=1)
    assert shops.remote("s0") == {"1": "One", "2": "Two"}
    assert shops.changes("s0") == {("update", "edit"): 1}


def test_each_event_is_told_once(shops: Shops) -> None:
    """Drift is told when it comes, when it changes and when it goes; a restart repeats nothing."""
    shops.watch(HEAL).run(rounds=1)
    shops.told.clear()
    shops.rename("s0", "1", "By hand")
    shops.watch().run(rounds=2)
    shops.watch().run(rounds=2)
    assert shops.told == ["s0 drift found"]
    assert (shops.value("drift_since_seconds", store="s0") or 0) > 60
    shops.rename("s0", "1", "One")
    shops.watch().run(rounds=2)
    assert shops.told == ["s0 drift found", "s0 drift gone"]
    assert shops.value("drift_since_seconds", store="s0") == 0


def test_a_dead_server_and_a_refused_key_are_told_apart(shops: Shops) -> None:
    """One store's trouble is its own, told once, and its drift is taken to last meanwhile."""
    watch = shops.watch(HEAL)
    watch.run(rounds=1)
    shops.told.clear()
    shops.sandboxes["s0"].misbehave(Fault("status", status=403))
    shops.sandboxes["s1"].misbehave(Fault("reset"))
    watch.run(rounds=4)
    assert shops.told == ["s0 key refused", "s1 failed"]
    assert shops.value("errors_total", store="s0", code="key_refused") == 3
    for sandbox in shops.sandboxes.values():
        sandbox.misbehave()
    watch.run(rounds=5)
    assert shops.told == ["s0 key refused", "s1 failed"]
    assert shops.changes("s0") == {}


def test_a_branch_that_is_gone_comes_back(shops: Shops) -> None:
    """Without the branch nothing is planned, and no old plan is applied; with it all goes on."""
    watch = shops.watch(HEAL)
    git(shops.hub, "update-ref", "-d", "refs/heads/main")
    watch.run(rounds=2)
    assert shops.remote("s0") == {}
    assert shops.told == ["s0 failed", "s1 failed"]
    assert any("has no branch main" in line for line in shops.said)
    shops.push()
    watch.run(rounds=3)
    assert shops.remote("s0") == {"1": "One", "2": "Two"}


def test_a_repository_without_a_remote_is_watched_itself(shops: Shops) -> None:
    """A local branch is enough; one that is not there is an error of the round."""
    git(shops.folder, "remote", "remove", "origin")
    shops.watch().run(rounds=1)
    assert shops.changes("s0") == {("create", "edit"): 2}
    shops.watch(ref="nope").run(rounds=1)
    assert any("has no branch nope" in line for line in shops.said)


def test_a_catalogue_with_faults_stops_its_store_alone(shops: Shops) -> None:
    """A bad commit is told for its store; the next good one is read."""
    (shops.folder / "shops" / "s0" / "all.yaml").write_text("products: [")
    shops.push()
    watch = shops.watch()
    watch.run(rounds=2)
    assert shops.told == ["s0 failed"]
    seen = watch.state.of("s0").last
    assert seen is not None
    assert seen.failed is not None
    assert "error. shops/s0/all.yaml:2:1: error: Bad YAML" in seen.failed.message
    assert shops.changes("s1") == {("create", "edit"): 2}
    shops.declare("s0", {"1": "One"})
    shops.push()
    watch.run(rounds=3)
    assert shops.changes("s0") == {("create", "edit"): 1}


def test_a_ledger_in_git_is_shared(shops: Shops) -> None:
    """With `ledger: git` a watch knows what others have applied, and they what it has healed."""
    shops.write_settings(ledger="git")
    shops.watch(Wishes(("s0",), 60.0, Healing())).run(rounds=1)
    assert "refs/reconciler/s0" in git(shops.hub, "for-each-ref", "--format=%(refname)")
    shops.rename("s0", "1", "By hand")
    shops.watch(Wishes(("s0",), 60.0)).run(rounds=1)
    assert shops.changes("s0") == {("update", "drift"): 1}


def test_settings_are_read_anew_when_asked(shops: Shops) -> None:
    """Bad settings leave the old ones in force; good ones take effect, and drop what is gone."""
    watch = shops.watch()
    watch.run(rounds=1)
    assert shops.value("products", store="s1", side="remote") == 0
    (shops.folder / "reconciler.yaml").write_text("stores: {s0: {nonsense: 1}}")
    shops.signals.read_anew()
    watch.run(rounds=2)
    assert any("The settings stay as they were" in line for line in shops.said)
    assert [*watch.stores] == ["s0", "s1"]
    shops.sandboxes.pop("s1")
    shops.write_settings()
    shops.signals.read_anew()
    watch.run(rounds=3)
    assert list(watch.stores) == ["s0"]
    assert shops.value("products", store="s1", side="remote") is None
    assert shops.value("products", store="s0", side="remote") == 0


def test_a_stop_ends_the_waiting(shops: Shops) -> None:
    """Once it is to end no further round begins, and what a stopped round saw is not noted."""
    watch = shops.watch()
    watch.run(rounds=1)
    shops.signals.end()
    watch.run()
    assert watch.rounds == 1
    assert not watch.ready


def end_soon(shops: Shops) -> None:
    """Ask for the end once a product was created."""
    while not shops.remote("s0"):
        time.sleep(0.001)
    shops.signals.end()


def test_an_apply_that_is_cut_short_is_told(shops: Shops) -> None:
    """A stop in the middle lets the calls under way end; what they did is counted and told."""
    shops.declare("s0", {str(n): "New" for n in range(40)})
    shops.push()
    watch = shops.watch(Wishes(("s0",), 60.0, Healing()))
    stop = threading.Thread(target=lambda: end_soon(shops), daemon=True)
    stop.start()
    watch.run()
    stop.join()
    applied = shops.value("apply_outcomes_total", store="s0", outcome="applied")
    assert applied == len(shops.remote("s0"))
    assert watch.rounds == 0
    assert len(shops.told) == 1


def test_only_chosen_stores_are_watched(shops: Shops) -> None:
    """Globs choose; one that matches nothing is an error."""
    assert list(shops.watch(Wishes(("s0",), 60.0)).stores) == ["s0"]
    with pytest.raises(UnmatchedPattern, match="nope"):
        shops.watch(Wishes(("nope*",), 60.0))


def test_a_full_disk_ends_no_watch(shops: Shops) -> None:
    """What cannot be written is told once, and the rounds go on."""
    data = shops.folder / ".reconciler"
    data.write_text("in the way")
    watch = shops.watch(HEAL)
    watch.run(rounds=3)
    assert watch.rounds == 3
    assert sum("watch.json" in line for line in shops.said) <= 2
    assert shops.remote("s0") == {}
    assert "s0 failed" in shops.told


def test_a_damaged_state_is_begun_anew(shops: Shops, tmp_path: Path) -> None:
    """A file that somebody edited costs no more than a message told twice."""
    path = shops.folder / ".reconciler" / "watch.json"
    path.parent.mkdir()
    path.write_text('{"format": "reconciler.watch/1", "stores": [1]}')
    shops.watch().run(rounds=1)
    assert any("is damaged" in line for line in shops.said)
    assert json.loads(path.read_text())["format"] == "reconciler.watch/1"


def test_no_key_is_kept_in_what_is_shown(shops: Shops) -> None:
    """An error that holds the key is masked before it is noted anywhere."""
    shops.sandboxes["s0"].misbehave(Fault("status", status=500, body=None))
    shops.watch().run(rounds=1)
    assert KEY not in shops.meters.text() + "".join(shops.said)
    assert KEY not in (shops.folder / ".reconciler" / "watch.json").read_text()


def test_every_part_of_a_channel_is_secret() -> None:
    """Tokens stand anywhere in an Apprise URL, so each long part is masked, decoded too."""
    found = secrets_in("slack://TokenTokenA/B%2Fbbbbbbbb/short/#general?x=passpasspass")
    assert {"TokenTokenA", "B%2Fbbbbbbbb", "B/bbbbbbbb", "passpasspass"} <= set(found)
    assert "short" not in found


def test_a_remote_may_be_named_by_its_path(shops: Shops) -> None:
    """An address that has no name in git is watched there, and not the local branch instead."""
    pushed = git(shops.hub, "rev-parse", "main")
    git(shops.folder, "commit", "--quiet", "--allow-empty", "--message=Not pushed")
    assert Branch(shops.folder, "main", str(shops.hub)).fetch() == pushed


def test_one_shop_is_not_healed_as_two(shops: Shops) -> None:
    """Each would delete the other's products, round after round; looking alone is allowed."""
    url = shops.sandboxes["s0"].url
    shops.write_settings(stores={"a": {"api_url": url}, "b": {"api_url": url}})
    with pytest.raises(SettingsError, match="`a` and `b` have the same endpoint"):
        shops.watch(HEAL)
    assert shops.watch().stores == ["a", "b"]
