"""A saved plan runs at the shop that it was made for, judged by what is there now (P4)."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import Sandbox
from tests.commands.here import Here
from tests.trust.conftest import KEY, writes

PLAN = "plan.json"
TWO_STORES = "stores: {de: {api_url: DE, catalog: catalog}, fr: {api_url: FR, catalog: catalog}}\n"


@pytest.fixture
def stores(folder: Path, remote: Sandbox, other: Sandbox) -> Path:
    """Settings with two stores, each at a shop of its own."""
    text = TWO_STORES.replace("DE", remote.url).replace("FR", other.url)
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")
    return folder


def resealed(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the saved plan and seal it anew, as somebody would who knows how that is done."""
    file = folder / PLAN
    document = json.loads(file.read_text(encoding="utf-8"))
    edit(document)
    del document["seal"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["seal"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(document), encoding="utf-8")


def test_a_plan_is_refused_at_another_endpoint(
    folder: Path, remote: Sandbox, other: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: a plan of one ROBOSIZE_API_URL does nothing at another: exit 4, and no call but none."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    assert here("plan", "--out", PLAN).code == 0
    saved = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    assert saved["remote"] == {"products": 0, "api_url": remote.url}
    assert KEY not in (folder / PLAN).read_text(encoding="utf-8")
    monkeypatch.setenv("ROBOSIZE_API_URL", other.url)
    for more in ((), ("--dry-run",)):
        done = here("apply", PLAN, *more)
        assert (done.code, done.out) == (4, "")
        assert remote.url in done.err
        assert other.url in done.err
    assert other.store.calls() == []
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url.rstrip("/"))
    assert here("apply", PLAN).code == 0
    assert len(list(remote.store.rows())) == 2


def test_a_plan_takes_its_store_from_the_file(
    stores: Path, remote: Sandbox, other: Sandbox, here: Here
) -> None:
    """P4: with several stores a saved plan needs no --store; at another one it is exit 4."""
    assert here("plan", "--store", "fr", "--out", PLAN).code == 0
    done = here("apply", PLAN, "--store", "de")
    assert done.code == 4
    assert "for the store 'fr', not for 'de'" in done.err
    assert writes(remote, other) == 0
    assert here("apply", PLAN).code == 0
    assert len(list(other.store.rows())) == 2
    assert writes(remote) == 0


def test_a_plan_of_a_store_that_is_not_there_is_refused(
    stores: Path, remote: Sandbox, other: Sandbox, here: Here
) -> None:
    """P4: a plan of a store that the settings do not have, or of the sandbox, is exit 4."""
    assert here("plan", "--store", "fr", "--out", PLAN).code == 0
    text = f"stores: {{de: {{api_url: {remote.url}}}}}\n"
    (stores / "reconciler.yaml").write_text(text, encoding="utf-8")
    assert here("apply", PLAN).code == 4
    assert here("apply", PLAN, "--sandbox").code == 4
    assert here("plan", "--sandbox", "--out", PLAN).code == 0
    done = here("apply", PLAN)
    assert done.code == 4
    assert "--sandbox" in done.err
    assert writes(remote, other) == 0
    assert here("apply", PLAN, "--sandbox").code == 0


def test_a_comparison_of_revisions_is_no_plan_for_a_shop(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: a plan that names no endpoint was made without asking one, and is refused: exit 4."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    assert here("plan", "--out", PLAN).code == 0
    resealed(folder, lambda document: document["remote"].update(api_url=None))
    done = here("apply", PLAN)
    assert done.code == 4
    assert "the plan is for no remote" in done.err
    assert writes(remote) == 0


def fill(remote: Sandbox, count: int) -> None:
    """Put so many undeclared products into a shop."""
    remote.store.seed(
        {"store_id": f"old-{n}", "name": f"Old {n}", "tags": [], "image_url": "", "type": "top"}
        for n in range(count)
    )


@pytest.mark.parametrize("figure", ["remote", "catalog"])
def test_guards_take_no_figure_from_the_file(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch, figure: str
) -> None:
    """P4: deletes are judged by the list that apply reads, whatever count the file claims."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    fill(remote, 12)
    assert here("plan", "--out", PLAN).code == 0

    def claim(document: dict[str, Any]) -> None:
        document[figure]["products"] = 100_000
        document["refusals"] = []

    resealed(folder, claim)
    for more in ((), ("--dry-run",)):
        done = here("apply", PLAN, *more)
        assert "delete 12 products of 12" in done.err
        assert done.code == (0 if more else 3)
    assert writes(remote) == 0
    assert here("apply", PLAN, "--allow-deletes", "12").code == 0


def test_a_plan_that_leaves_nothing_is_one_of_an_empty_catalogue(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: a file that claims declared products deletes all there are only with --allow-empty."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    fill(remote, 3)
    for file in (folder / "catalog").iterdir():
        file.write_text("", encoding="utf-8")
    assert here("plan", "--out", PLAN).code == 0
    resealed(folder, lambda document: document["catalog"].update(products=24))
    done = here("apply", PLAN)
    assert done.code == 3
    assert "--allow-empty" in done.err
    assert writes(remote) == 0
    assert here("apply", PLAN, "--allow-empty").code == 0


def test_a_dry_run_of_a_stale_plan_shows_no_calls(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4: a dry run makes no write and tells what apply would: exit 4 for a stale plan."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    assert here("plan", "--out", PLAN).code == 0
    fresh = here("apply", PLAN, "--dry-run")
    assert (fresh.code, fresh.out.count("POST ")) == (0, 2)
    product = {"store_id": "0001", "name": "By hand", "tags": [], "image_url": "", "type": ""}
    remote.store.seed([product])
    stale = here("apply", PLAN, "--dry-run")
    assert (stale.code, stale.out) == (4, "")
    assert writes(remote) == 0


def test_show_tells_when_a_plan_was_made(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8: a plan that is shown is the file, byte for byte; each format has the plan's own time."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    assert here("plan", "--out", PLAN).code == 0
    resealed(
        folder,
        lambda document: document.update(created_at="2001-02-03T04:05:06.000Z", tool="0.9.9"),
    )
    shown = here("show", PLAN, "--format", "json")
    assert json.loads(shown.out) == json.loads((folder / PLAN).read_text(encoding="utf-8"))
    (folder / "again.json").write_text(shown.out, encoding="utf-8")
    assert here("show", "again.json", "--format", "json").out == shown.out
    page = here("show", PLAN, "--format", "html").out
    assert "2001-02-03T04:05:06.000Z by reconciler 0.9.9" in page
    monkeypatch.setenv("RECONCILER_REQUESTS__BATCH", "none")
    assert here("show", PLAN).code == 0, "showing a plan needs no settings"


def test_a_page_can_leave_out_the_records_of_deletes(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was entered by hand is named, its values are not; such a plan is never JSON to apply."""
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    fill(remote, 1)
    assert here("plan", "--out", PLAN).code == 0

    def enter(document: dict[str, Any]) -> None:
        (removal,) = [c for c in document["changes"] if c["action"] == "delete"]
        removal["record"] |= {"comment": "runs-very-small", "supplier": "secret-supplier"}

    resealed(folder, enter)
    for format in ("html", "markdown", "text"):
        assert "runs-very-small" in here("show", PLAN, "--format", format).out
        shown = here("show", PLAN, "--format", format, "--without-records").out
        assert "runs-very-small" not in shown
        assert "secret-supplier" not in shown
        assert "not shown" in shown
    assert here("show", PLAN, "--format", "json", "--without-records").code == 1


def test_the_store_is_named_once(stores: Path, remote: Sandbox, other: Sandbox, here: Here) -> None:
    """Two --store are an error that names `fleet`, not the last of the two."""
    for command in (
        ("plan",),
        ("apply", "--yes"),
        ("status",),
        ("pull",),
        ("log",),
        ("unlock",),
        ("ledger", "show"),
        ("diff", "HEAD"),
    ):
        for second in ("fr", "de"):
            done = here(*command, "--store", "de", "--store", second)
            assert (done.code, done.out) == (1, ""), command
            assert "--store is given twice" in done.err
            assert "fleet" in done.err
    assert remote.store.calls() == other.store.calls() == []
