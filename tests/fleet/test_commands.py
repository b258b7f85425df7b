"""The commands of the fleet, against a sandbox with a key a shop."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler import Options, StoreTask, load_settings, open_fleet
from reconciler.git import Git
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox, shop_key
from tests.commands.here import Here
from tests.fleet.cluster import git


def document(text: str) -> dict[str, Any]:
    """A command's JSON."""
    found: dict[str, Any] = json.loads(text)
    return found


def commit(fleet: Path) -> str:
    """Make the first commit of the shops, and return it."""
    git(fleet, "init", "--quiet")
    git(fleet, "add", "shops")
    who = ("-c", "user.name=Test", "-c", "user.email=test@shop.example")
    git(fleet, *who, "commit", "--quiet", "--message", "Shops")
    return git(fleet, "rev-parse", "HEAD")


def test_plan_apply_plan(fleet: Path, remote: Sandbox, here: Here) -> None:
    """All shops are planned and applied side by side, each with its own key, and then are equal."""
    ended = here("fleet", "plan", "--detailed-exitcode")
    assert ended.code == 2
    assert len(re.findall(r"^s\d  2 to create", ended.out, re.M)) == 3
    assert ended.out.splitlines()[-2].startswith("3 stores, 3 with changes (6 to create)")
    ended = here("fleet", "apply", "--yes", "--format", "json", "--report", "reports")
    summary = document(ended.out)["summary"]
    assert (ended.code, summary["applied"], summary["stores"]) == (0, 6, 3)
    assert [store.count() for store in remote.stores.values()] == [2, 2, 2]
    for number, store in enumerate(remote.stores.values(), 1):
        names = {row.value("name") for row in store.rows()}
        assert names == {f"Product {n} of {number}" for n in range(2)}
    report = document((fleet / "reports" / "s2.json").read_text(encoding="utf-8"))
    assert (report["store"], report["summary"]["applied"]) == ("s2", 2)
    assert here("fleet", "plan", "--detailed-exitcode").code == 0


def test_saved_plans_are_applied_as_they_were_reviewed(
    fleet: Path, remote: Sandbox, here: Here
) -> None:
    """`--out` saves a plan a shop, and apply takes those; again, they are already applied."""
    assert here("fleet", "plan", "--out", "plans", "--quiet").code == 0
    assert sorted(path.name for path in (fleet / "plans").iterdir()) == [
        "s1.json",
        "s2.json",
        "s3.json",
    ]
    ended = here("fleet", "apply", "plans", "--store", "s[12]")
    assert (ended.code, [store.count() for store in remote.stores.values()]) == (0, [2, 2, 0])
    (fleet / "plans" / "s1.json").rename(fleet / "s1.json")
    ended = here("fleet", "apply", "plans", "--store", "s[12]")
    assert "Not applied, 1 store without a plan there: s1." in ended.err
    (fleet / "s1.json").rename(fleet / "plans" / "s1.json")
    again = here("fleet", "apply", "plans", "--format", "json")
    assert again.code == 0
    first, _, third = document(again.out)["stores"]
    assert any("already_applied" in note for note in first["notes"])
    assert third["summary"]["applied"] == 2
    assert here("fleet", "apply", "plans", "--prune", "none").code == 1
    assert here("fleet", "apply", "nowhere").code == 1
    (fleet / "plans" / "other.json").write_text("{}", encoding="utf-8")
    ended = here("fleet", "plan", "--out", "plans")
    assert (ended.code, "other.json" in ended.err) == (1, True)


def test_each_store_has_a_sandbox_of_its_own(
    fleet: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --sandbox a fleet is tried without keys; no real shop and no real ledger is touched."""
    for number in (1, 2, 3):
        monkeypatch.delenv(f"SHOP_{number}_KEY")
    assert here("fleet", "plan", "--sandbox", "--out", "plans").code == 0
    ended = here("fleet", "apply", "plans", "--sandbox", "--store", "s1")
    assert (ended.code, "2 applied" in ended.out) == (0, True)
    (fleet / "shops" / "s2" / "catalog" / "all.yaml").write_text(
        "{store_id: '7', name: One, type: top, image_url: ''}\n", encoding="utf-8"
    )
    summary = document(here("fleet", "apply", "--sandbox", "--yes", "--format", "json").out)
    assert [store["summary"]["applied"] for store in summary["stores"]] == [0, 1, 2]
    assert here("fleet", "status", "--sandbox", "--store", "s2").out.startswith("s2  1 product, ")
    assert here("fleet", "plan", "--sandbox", "--detailed-exitcode").code == 0
    assert here("apply", "plans/s1.json").code == 4
    assert here("unlock", "--store", "_sandbox-s2").code == 0
    kept = {path.name for path in (fleet / ".reconciler" / "ledger").iterdir()}
    assert kept == {f"_sandbox-s{number}.jsonl" for number in (1, 2, 3)}
    assert not any(store.count() for store in remote.stores.values())
    ended = here("fleet", "plan", "--sandbox", "--scheduler", "tcp://127.0.0.1:1")
    assert (ended.code, "--sandbox" in ended.err) == (1, True)


def test_the_library_offers_what_the_commands_use(fleet: Path, remote: Sandbox) -> None:
    """A fleet is planned and applied from Python, with a result of each store as it ends."""
    settings = load_settings(environ=os.environ, folder=fleet)
    task = StoreTask(action="apply", options=Options(prune="none"))
    with open_fleet(settings, task, ["s1", "s3"]) as results:
        applied = {result.store: result.summary["applied"] for result in results}
    assert applied == {"s1": 2, "s3": 2}
    assert [store.count() for store in remote.stores.values()] == [2, 0, 2]
    with open_fleet(settings, StoreTask()) as results:
        planned = {result.store: result.summary["create"] for result in results}
    assert planned == {"s1": 0, "s2": 2, "s3": 0}


def test_git_is_asked_once_for_all_stores(
    fleet: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each plan has its catalogue's commit and state, of three git commands for the whole fleet."""
    at = commit(fleet)
    (fleet / "shops" / "s2" / "catalog" / "more.yaml").write_text("# none\n", encoding="utf-8")
    asked: list[str] = []
    run = Git.run

    def counted(self: Git, *arguments: str, **options: Any) -> Any:
        asked.append(arguments[0])
        return run(self, *arguments, **options)

    monkeypatch.setattr(Git, "run", counted)
    assert here("fleet", "plan", "--out", "plans").code == 0
    plans = [document((fleet / "plans" / f"s{n}.json").read_text("utf-8")) for n in (1, 2, 3)]
    found = [(plan["catalog"]["commit"], plan["catalog"]["dirty"]) for plan in plans]
    assert found == [(at, False), (at, True), (at, False)]
    assert sorted(asked) == ["ls-files", "rev-parse", "status"]


def test_one_store_s_failure_stops_no_other(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, here: Here
) -> None:
    """A wrong key and a missing key are told for their stores; the fleet ends with the worst."""
    monkeypatch.setenv("SHOP_1_KEY", "wrong-key-of-shop-one")
    monkeypatch.delenv("SHOP_2_KEY")
    ended = here("fleet", "apply", "--yes", "--format", "json")
    stores = document(ended.out)["stores"]
    assert [store["exit_code"] for store in stores] == [1, 1, 0]
    assert [store["code"] for store in stores] == ["key_refused", "no_api_key", None]
    assert document(ended.out)["summary"]["exit_codes"] == {"0": 1, "1": 2}
    assert ended.code == 1
    assert "wrong-key" not in ended.out + ended.err
    text = here("fleet", "plan").out
    assert "exit 1" in text
    assert "hint: Set SHOP_2_KEY" in text


def test_fail_fast_begins_no_further_store(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, here: Here
) -> None:
    """With --fail-fast the stores after the first failure are not attempted, and told so."""
    monkeypatch.setenv("SHOP_1_KEY", "wrong")
    monkeypatch.setenv("RECONCILER_FLEET__PARALLEL", "1")
    ended = here("fleet", "plan", "--fail-fast", "--format", "json")
    codes = [store["code"] for store in document(ended.out)["stores"]]
    assert (ended.code, codes) == (1, ["key_refused", "not_attempted", "not_attempted"])


def test_a_guard_refuses_one_store_alone(fleet: Path, remote: Sandbox, here: Here) -> None:
    """What a guard refuses is exit 3 for that store, and planned with the flag that allows it."""
    store = remote.stores[shop_key(2)]
    store.seed({"store_id": f"old-{n}", "name": "Old"} for n in range(20))
    ended = here("fleet", "plan")
    assert ended.code == 0
    assert "apply will refuse it" in ended.out
    assert "--allow-deletes 20" in ended.out
    ended = here("fleet", "apply", "--yes")
    assert (ended.code, store.count()) == (3, 20)
    assert here("fleet", "apply", "--yes", "--store", "s2", "--allow-deletes", "20").code == 0


def test_partial_failure_is_exit_5(fleet: Path, remote: Sandbox, here: Here) -> None:
    """A store that was applied in part makes the fleet's exit code 5."""
    fault = Fault("status", method="POST", status=400, containing="Product 1 of 2")
    remote.misbehave(fault)
    ended = here("fleet", "apply", "--yes", "--format", "markdown", "--output", "comment.md")
    assert ended.code == 5
    text = (fleet / "comment.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- reconciler-fleet -->\n### Fleet apply: 3 stores\n")
    assert "<details><summary><code>s2</code>" in text


def test_markdown_and_html(fleet: Path, remote: Sandbox, here: Here) -> None:
    """One comment for all stores, and an index that links each store's page."""
    ended = here("fleet", "plan", "--format", "markdown")
    assert ended.out.count("<details><summary><code>s") == 3
    assert "Product 1 of 3" in ended.out
    assert here("fleet", "plan", "--format", "html").code == 1
    ended = here("fleet", "plan", "--format", "html", "--output", "site/index.html")
    assert ended.code == 0
    index = (fleet / "site" / "index.html").read_text(encoding="utf-8")
    for link in re.findall(r'href="(stores/[^"]+)"', index):
        assert "Product 1 of" in (fleet / "site" / link).read_text(encoding="utf-8")
    assert index.count('href="stores/') == 3
    for command in ("status", "apply"):
        flags = ["--yes"] if command == "apply" else []
        ended = here("fleet", command, *flags, "--format", "html", "--output", "site/other.html")
        assert ended.code == 0


def test_status_list_and_matrix(fleet: Path, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores are chosen by globs and labels, and listed with what the settings say of them."""
    assert "0 products, 2 declared, 2 missing" not in here("fleet", "status").err
    assert "2 declared, 2 missing" in here("fleet", "status", "--label", "country=d*").out
    monkeypatch.delenv("SHOP_3_KEY")
    listed = here("fleet", "list").out
    assert listed.splitlines()[0].split() == ["store", "catalogue", "labels", "key"]
    assert "SHOP_3_KEY (not set)" in listed
    stores = document(here("fleet", "list", "--format", "json").out)["stores"]
    assert stores[0]["labels"] == {"country": "de", "tier": "gold"}
    assert [store["has_key"] for store in stores] == [True, True, False]
    both = ("--label", "country=de", "--label", "tier=gold", "--store", "s[23]")
    matrix = document(here("fleet", "list", *both, "--format", "github-matrix").out)
    assert matrix == {"include": [{"name": "s3", "stores": "s3"}]}
    assert here("fleet", "list", "--output", "stores.txt").code == 0
    assert (fleet / "stores.txt").read_text(encoding="utf-8") == listed


def test_a_status_tells_edits_and_drift_by_its_exit_code(
    fleet: Path, remote: Sandbox, here: Here
) -> None:
    """With --detailed-exitcode a store with edits is 2, with drift alone 6; 2 is the worse."""
    commit(fleet)
    assert here("fleet", "apply", "--yes").code == 0
    assert here("fleet", "status", "--detailed-exitcode").code == 0
    drifted = remote.stores[shop_key(2)]
    drifted.update([str(drifted.rows()[0].id)], {"name": "Drifted"})
    ended = here("fleet", "status", "--detailed-exitcode")
    assert ended.code == 6
    assert "Exit codes: 2 stores with 0, 1 store with 6." in ended.out
    assert "exit 6" not in ended.out
    with (fleet / "shops" / "s3" / "catalog" / "all.yaml").open("a", encoding="utf-8") as file:
        file.write("- {store_id: '9', name: New, type: top, image_url: ''}\n")
    ended = here("fleet", "status", "--detailed-exitcode", "--format", "json")
    stores = {store["store"]: store["exit_code"] for store in document(ended.out)["stores"]}
    assert (ended.code, stores) == (2, {"s1": 0, "s2": 6, "s3": 2})
    assert here("fleet", "status").code == 0


def test_a_dry_run_tells_each_store_s_calls(fleet: Path, remote: Sandbox, here: Here) -> None:
    """The exact calls stand below each store and in JSON, of a saved plan too; none is made."""
    ended = here("fleet", "apply", "--dry-run", "--detailed-exitcode")
    assert ended.code == 2
    lines = ended.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("s2"))
    single = here("apply", "--dry-run", "--store", "s2").out
    assert [line.strip() for line in lines[at + 1 : at + 3]] == single.splitlines()
    assert single.startswith("POST /api/v1/product/ {")
    assert here("fleet", "plan", "--out", "plans").code == 0
    (fleet / "shops" / "s2" / "catalog" / "all.yaml").write_text("", encoding="utf-8")
    for output in ((), ("--output", "calls.json")):
        arguments = ("apply", "plans", "--dry-run", "--format", "json", *output)
        ended = here("fleet", *arguments)
        told = (fleet / "calls.json").read_text(encoding="utf-8") if output else ended.out
        stores = document(told)["stores"]
        assert (ended.code, [len(store["calls"]) for store in stores]) == (0, [2, 2, 2])
        assert stores[1]["calls"] == single.splitlines()
    ended = here("fleet", "apply", "plans", "--dry-run", "--output", "calls.txt")
    assert (fleet / "calls.txt").read_text(encoding="utf-8").count("POST ") == 6
    assert not any(store.count() for store in remote.stores.values())
    for extra, named in ((("--report", "reports"), "--report"), (("--format", "html"), "html")):
        ended = here("fleet", "apply", "--dry-run", *extra)
        assert (ended.code, named in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--store", "x*"), "No store has the name 'x*'"),
        (("--label", "country=xx"), "No store has the label 'country=xx'"),
        (("--label", "country"), "is not KEY=VALUE"),
        (("--store", "s2", "--label", "country=de"), "No store matches all"),
    ],
)
def test_a_choice_that_matches_nothing_is_an_error(
    fleet: Path, here: Here, arguments: tuple[str, ...], told: str
) -> None:
    """A pattern without a store is a slip of the pen, not an empty fleet."""
    ended = here("fleet", "plan", *arguments)
    assert (ended.code, told in ended.err) == (1, True)


def test_what_is_not_said_is_asked_for(fleet: Path, here: Here) -> None:
    """An apply without plans needs --yes; the group without a command says which there are."""
    ended = here("fleet", "apply")
    assert (ended.code, "fleet plan --out DIR" in ended.err) == (1, True)
    ended = here("fleet")
    assert (ended.code, "Which command?" in ended.err) == (1, True)
    ended = here("plan", "--store", "s1", "--store", "s2")
    assert (ended.code, "`reconciler fleet`" in ended.err) == (1, True)


def test_locks_are_freed_in_bulk(fleet: Path, here: Here) -> None:
    """`fleet unlock` looks at each store's lock; those without one are told."""
    ended = here("fleet", "unlock", "--format", "json")
    assert (ended.code, document(ended.out)["summary"]["freed"]) == (0, 0)
    assert here("fleet", "unlock").out.count("no lock to free") == 3


def test_lost_output_ends_no_apply(fleet: Path, remote: Sandbox, here: Here) -> None:
    """If the report of a store cannot be written, all stores are applied all the same; exit 1."""
    (fleet / "reports" / "s1.json").mkdir(parents=True)
    ended = here("fleet", "apply", "--yes", "--report", "reports")
    assert (ended.code, [store.count() for store in remote.stores.values()]) == (1, [2, 2, 2])
    assert "s1.json" in ended.err
    (fleet / "file").touch()
    assert here("fleet", "plan", "--out", "file/plans").code == 1


def test_runs_of_several_jobs_are_shown_as_one(fleet: Path, here: Here) -> None:
    """What jobs of their own wrote as JSON is one comment, one text, one document."""
    for store in ("s3", "s1"):
        flags = ("--details", "--format", "json", "--output", f"{store}.json")
        assert here("fleet", "plan", "--store", store, *flags).code == 0
    ended = here("fleet", "show", "s1.json", "s3.json", "--format", "markdown")
    assert (ended.code, ended.out.count("<details><summary><code>s")) == (0, 2)
    assert (
        "2 stores, 2 with changes (4 to create)" in here("fleet", "show", "s1.json", "s3.json").out
    )
    shown = document(here("fleet", "show", "s1.json", "s3.json", "--format", "json").out)
    assert [store["store"] for store in shown["stores"]] == ["s1", "s3"]


def test_a_store_of_which_no_job_tells_is_told(fleet: Path, here: Here) -> None:
    """One comment for all stores names those whose job was lost, and counts none twice."""
    assert (
        here("fleet", "plan", "--store", "s1", "--format", "json", "--output", "a.json").code == 0
    )
    told = here("fleet", "show", "--all-stores", "a.json", "a.json", "--format", "markdown")
    assert told.code == 0
    assert "### Fleet plan: 3 stores" in told.out
    assert "**2 failed**" in told.out
    assert told.out.count("No run has told of this store") == 2


def test_what_is_no_fleet_is_not_shown(fleet: Path, here: Here) -> None:
    """A file of another kind, of another command, or none at all is an error with its name."""
    for flags, name in ((["plan"], "p.json"), (["status"], "s.json")):
        assert here("fleet", *flags, "--format", "json", "--output", name).code == 0
    (fleet / "bad.json").write_text('{"format": "reconciler.plan/1"}', encoding="utf-8")
    for names, told in (
        (["p.json", "s.json"], "of different commands"),
        (["bad.json"], "bad.json holds no results"),
        (["none.json"], "cannot be read"),
    ):
        ended = here("fleet", "show", *names)
        assert (ended.code, told in ended.err) == (1, True)


def test_one_shop_is_not_applied_as_two(
    fleet: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stores with the same endpoint and key would create twice and delete each other's products."""
    monkeypatch.setenv("SHOP_2_KEY", shop_key(1))
    ended = here("fleet", "apply", "--yes")
    assert (ended.code, "`s1` and `s2` have the same endpoint" in ended.err) == (1, True)
    assert [store.count() for store in remote.stores.values()] == [0, 0, 0]
    assert shop_key(1) not in ended.err
    assert here("fleet", "apply", "--yes", "--store", "s[13]").code == 0
