"""Metrics without a server: `--metrics FILE`, `status --format prometheus`, and its exit codes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.sandbox.server import Sandbox
from tests.cli.run import shop

from .here import Here

KEY = "hush-hush-key"
Numbers = dict[tuple[str, ...], float]


@pytest.fixture
def remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An empty remote, and a catalogue of two."""
    shop(folder, "Shirt", "Coat")
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        yield sandbox


def numbers(text: str) -> Numbers:
    """Every sample that is not 0, by its name and the values of its labels but the store's."""
    return {
        (sample.name, *(v for k, v in sorted(sample.labels.items()) if k != "store")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value and not sample.name.endswith("_created")
    }


def test_a_plan_writes_its_numbers(folder: Path, remote: Sandbox, here: Here) -> None:
    """The file has what the plan shows, in one piece, and neither key nor id."""
    remote.store.seed([{"store_id": "0001", "name": "Old"}, {"store_id": "x", "name": "Y"}])
    assert here("plan", "--metrics", "run.prom").code == 0
    text = (folder / "run.prom").read_text()
    found = numbers(text)
    assert found["reconciler_changes", "create", "none"] == 1
    assert found["reconciler_changes", "update", "none"] == 1
    assert found["reconciler_changes", "delete", "none"] == 1
    assert found["reconciler_products", "declared"] == 2
    assert found["reconciler_products", "remote"] == 2
    assert found["reconciler_requests_total", "GET", "ok"] == 1
    assert found["reconciler_plan_duration_seconds_count",] == 1
    assert found["reconciler_last_success_timestamp_seconds",] > 1e9
    assert KEY not in text
    assert str(remote.store.rows()[0].id) not in text


def test_an_apply_writes_its_outcomes(folder: Path, remote: Sandbox, here: Here) -> None:
    """Outcomes are counted, also of a run that a guard refuses; a failed one keeps the old file."""
    assert here("apply", "--yes", "--metrics", "run.prom").code == 0
    found = numbers((folder / "run.prom").read_text())
    assert found["reconciler_apply_outcomes_total", "applied"] == 2
    assert found["reconciler_requests_total", "POST", "ok"] == 2
    assert ("reconciler_changes", "create", "none") not in found
    assert found["reconciler_products", "remote"] == 2
    (folder / "catalog" / "0001.yaml").write_text("store_id: '0001'\nname: Hat\n")
    assert here("plan", "--out", "hat.json").code == 0
    for _ in ("applied", "applied already"):
        assert here("apply", "hat.json", "--metrics", "run.prom").code == 0
        found = numbers((folder / "run.prom").read_text())
        assert ("reconciler_changes", "update", "none") not in found
    before = (folder / "run.prom").read_text()
    remote.store.seed([{"store_id": f"x{n}", "name": "Y"} for n in range(9)])
    assert here("apply", "--yes", "--metrics", "run.prom").code == 3
    found = numbers((folder / "run.prom").read_text())
    assert found["reconciler_refused",] == 1
    (folder / "catalog" / "0001.yaml").write_text("name: [")
    assert here("plan", "--metrics", "run.prom").code == 1
    assert numbers((folder / "run.prom").read_text()) == found
    assert before != (folder / "run.prom").read_text()


def test_edits_and_drift_are_told_apart(folder: Path, remote: Sandbox, here: Here) -> None:
    """With --detailed-exitcode 0 is neither, 6 drift alone, and 2 what somebody has edited."""
    from tests.git.pipeline import git

    git(folder, "init", "--quiet", ".")
    git(folder, "add", "catalog")
    git(folder, "commit", "--quiet", "--message", "x")
    assert here("status", "--detailed-exitcode").code == 2
    assert here("apply", "--yes").code == 0
    assert here("status", "--detailed-exitcode").code == 0
    remote.store.update([str(remote.store.rows()[0].id)], {"name": "By hand"})
    done = here("status", "--detailed-exitcode", "--format", "prometheus")
    assert done.code == 6
    assert numbers(done.out)["reconciler_changes", "update", "drift"] == 1
    assert here("status").code == 0
    text = (folder / "catalog" / "0002.yaml").read_text()
    (folder / "catalog" / "0002.yaml").write_text(text.replace("Coat", "Cape"))
    assert here("status", "--detailed-exitcode").code == 2


def test_without_the_extra_it_is_named(
    remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metrics without prometheus_client are an error that says what to install, before any call."""
    monkeypatch.setitem(__import__("sys").modules, "prometheus_client", None)
    done = here("plan", "--metrics", "run.prom")
    assert done.code == 1
    assert "[watch]" in done.err
    assert remote.store.calls() == []
