"""`init --deploy`: files that the tools which read them accept, and alerts for every event."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.reconcile.init import Deploy, init
from tests.git.pipeline import git

KINDS: tuple[Deploy, ...] = ("systemd", "kubernetes", "compose")


def made(folder: Path, kind: Deploy) -> Path:
    """The files of one kind, for a repository whose remote has a token in its URL."""
    git(folder, "init", "--quiet", "--initial-branch=trunk", ".")
    git(
        folder, "remote", "add", "origin", "https://user:hush-token@git.example/a%20shop.git?x=hush"
    )
    init(folder, ci="none", deploy=kind)
    return folder / "deploy"


def documents(file: Path) -> list[Any]:
    """The documents of a YAML file."""
    return list(YAML(typ="safe").load_all(file))


@pytest.mark.parametrize("kind", KINDS)
def test_files_hold_the_repository_and_no_token(kind: Deploy, tmp_path: Path) -> None:
    """Each kind knows the branch and the repository's address; a token in it stays out."""
    folder = made(tmp_path, kind)
    text = "".join(file.read_text(encoding="utf-8") for file in folder.iterdir())
    assert "hush" not in text
    assert "trunk" in text
    assert "git.example/a" in text
    assert "{{branch}}" not in text
    assert {"alerts.yaml", "dashboard.json"} < {file.name for file in folder.iterdir()}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """systemd-analyze has nothing to say about the unit, and finds it well shut in."""
    unit = made(tmp_path, "systemd") / "reconciler-watch.service"
    text = unit.read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/reconciler/bin/reconciler", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    own = [line for line in done.stderr.splitlines() if "reconciler-watch" in line]
    assert own == []
    assert "a%%20shop" in text


def test_kubernetes_shuts_the_watch_in(tmp_path: Path) -> None:
    """No root, no writing but to its volumes, probes, and the key from a secret."""
    file = made(tmp_path, "kubernetes") / "kubernetes.yaml"
    found = {document["kind"]: document for document in documents(file)}
    pod = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["envFrom"] == [{"secretRef": {"name": "reconciler-keys"}}]
    assert {"startupProbe", "livenessProbe", "readinessProbe"} < container.keys()
    assert found["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


def test_kubernetes_knows_every_field(tmp_path: Path) -> None:
    """The schema of Kubernetes accepts each object, if that schema is here."""
    schema = pytest.importorskip("kubernetes_validate")
    file = made(tmp_path, "kubernetes") / "kubernetes.yaml"
    versions = [
        schema.validate(document, schema.latest_version(), strict=True)
        for document in documents(file)
    ]
    assert len(versions) == 3


def test_compose_file_is_one(tmp_path: Path) -> None:
    """The schema of compose files accepts it, and the page is published on loopback alone."""
    file = made(tmp_path, "compose") / "compose.yaml"
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (document,) = documents(file)
    watch = document["services"]["watch"]
    assert watch["ports"] == ["127.0.0.1:9464:9464"]
    assert watch["read_only"] is True


def test_dashboard_and_alerts_use_metrics_that_exist(tmp_path: Path) -> None:
    """Every metric that a panel or a rule asks for is one that a watch gives."""
    import re

    from reconciler.watch.metrics import Meters

    folder = made(tmp_path, "systemd")
    known = {metric.name for metric in Meters().registry.collect()}
    panels = json.loads((folder / "dashboard.json").read_text())["panels"]
    (rules,) = documents(folder / "alerts.yaml")[0]["groups"]
    asked = [panel["targets"][0]["expr"] for panel in panels]
    asked += [rule["expr"] for rule in rules["rules"]]
    names = {name for expr in asked for name in re.findall(r"reconciler_\w+", expr)}
    assert {re.sub("_(total|bucket)$", "", name) for name in names} <= known


EVENTS = {
    "ReconcilerApplied": 'reconciler_apply_outcomes_total{store="de",outcome="applied"}',
    "ReconcilerApplyFailed": 'reconciler_apply_outcomes_total{store="de",outcome="failed"}',
    "ReconcilerAppliedInPart": 'reconciler_apply_outcomes_total{store="de",outcome="unknown"}',
    "ReconcilerKeyRefused": 'reconciler_errors_total{store="de",code="key_refused"}',
}
"""Alerts about something that is counted, each with what counts it."""


def promtool_tests() -> dict[str, Any]:
    """A test for promtool: each alert fires after its event, and none before."""
    ok = {"series": 'reconciler_last_success_timestamp_seconds{store="de"}', "values": "0+60x120"}

    def fires(alert: str, series: list[dict[str, str]], at: str) -> dict[str, Any]:
        return {
            "interval": "1m",
            "input_series": series,
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                    "eval_time": at,
                    "exp_samples": [{"labels": "{}", "value": 1}],
                },
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                    "eval_time": "1m",
                    "exp_samples": [],
                },
            ],
        }

    drift = 'reconciler_drift_since_seconds{store="de"}'
    tests = [
        fires(alert, [ok, {"series": series, "values": "0x10 1x30"}], "15m")
        for alert, series in EVENTS.items()
    ]
    tests += [
        fires("ReconcilerDrift", [ok, {"series": drift, "values": "0+60x90"}], "70m"),
        fires("ReconcilerDriftGone", [ok, {"series": drift, "values": "0 0 60+60x8 0x20"}], "15m"),
        fires(
            "ReconcilerRefused",
            [ok, {"series": 'reconciler_refused{store="de"}', "values": "0x5 1x30"}],
            "20m",
        ),
        fires("ReconcilerFailed", [{**ok, "values": "0x120"}], "70m"),
        fires("ReconcilerAbsent", [{"series": "up", "values": "1x120"}], "40m"),
    ]
    return {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": tests}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not here")
def test_an_alert_fires_for_each_event(tmp_path: Path) -> None:
    """Promtool finds the rules sound, and each one firing after its event and not before."""
    folder = made(tmp_path, "systemd")
    (folder / "test.yaml").write_text(json.dumps(promtool_tests()), encoding="utf-8")
    for command in (("check", "rules", "alerts.yaml"), ("test", "rules", "test.yaml")):
        done = subprocess.run(
            ["promtool", *command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
