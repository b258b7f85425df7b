"""Pipelines of a fleet: a matrix of jobs with a key each, and one comment for all of them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.reconcile.init import init
from reconciler.sandbox.server import Sandbox, shop_key
from tests.pipelines.conftest import Repository
from tests.pipelines.test_files import CHECKED

EVENT = {"github.event.pull_request.number": "7", "github.event.pull_request.head.sha": "4ead"}
SHOPS = ("a", "b")
SECRETS = json.dumps(
    {"SHOP_A_ROBOSIZE_KEY": "shop-1", "SHOP_B_ROBOSIZE_KEY": "shop-2", "DEPLOY_TOKEN": "hush-hush"}
)


@pytest.fixture
def repository(tmp_path: Path, path: str, start: Path) -> Iterator[Repository]:
    """A repository with two shops, each with a remote of its own."""
    with Sandbox(shops=2) as sandbox:
        made = Repository(tmp_path, sandbox, path, start)
        made.write("reconciler.yaml", "ledger: git\ninclude: ['shops/*/store.yaml']\n")
        (made.folder / "shops").mkdir()
        for shop in SHOPS:
            made.write(
                f"shops/{shop}/store.yaml", f"api_key_env: SHOP_{shop.upper()}_ROBOSIZE_KEY\n"
            )
            text = f"store_id: '1'\nname: Shirt of {shop}\ntype: top\nimage_url: ''\n"
            made.write(f"shops/{shop}/catalog/one.yaml", text)
        made.push("main")
        yield made


def test_a_matrix_plans_comments_and_applies(repository: Repository) -> None:
    """Each job has its shops' keys only; the comment is one, and is edited by the next run."""
    run, steps = repository.run("plan", EVENT, fleet="list")
    assert [step.code for step in steps] == [0], steps
    matrix = json.loads(run.values["steps.fleet.outputs.matrix"])
    assert [job["stores"] for job in matrix["include"]] == ["a", "b"]
    jobs = []
    for job in matrix["include"]:
        run, steps = repository.run(
            "plan", EVENT, fleet="plan", stores=job["stores"], secrets=SECRETS, base="HEAD"
        )
        assert [step.code for step in steps] == [0], steps
        assert "1 to create" in steps[0].log
        jobs.append(run)
    for _ in range(2):
        comment, steps = repository.run("plan", EVENT, fleet="comment")
        results = comment.temporary / "reconciler"
        results.mkdir(exist_ok=True)
        for job in jobs:
            for file in (job.temporary / "reconciler").glob("*.fleet.json"):
                shutil.copy(file, results)
        steps = comment.steps()
        assert [step.code for step in steps] == [0], steps
    (found,) = repository.host["comments"]
    assert found["body"].startswith("<!-- reconciler-fleet -->\n### Fleet plan: 2 stores")
    assert "Shirt of a" in found["body"]
    assert "Shirt of b" in found["body"]
    # The job of one shop was lost, with all that it knew.
    comment, _ = repository.run("plan", EVENT, fleet="comment")
    (comment.temporary / "reconciler").mkdir(exist_ok=True)
    for file in (jobs[0].temporary / "reconciler").glob("*.fleet.json"):
        shutil.copy(file, comment.temporary / "reconciler")
    assert [step.code for step in comment.steps()] == [0]
    assert "<code>b</code> | No run has told" in repository.host["comments"][0]["body"]
    _, steps = repository.run("apply", fleet="apply", stores="a b", secrets=SECRETS)
    assert [step.code for step in steps] == [0], steps
    assert [store.count() for store in repository.sandbox.stores.values()] == [1, 1]
    assert repository.sandbox.stores[shop_key(1)].rows()[0].value("name") == "Shirt of a"


def test_a_job_without_its_key_fails_and_is_told(repository: Repository) -> None:
    """A secret whose name does not hold ROBOSIZE is given to no store, whatever settings say."""
    repository.write("shops/b/store.yaml", "api_key_env: DEPLOY_TOKEN\n")
    _, steps = repository.run("plan", EVENT, fleet="plan", stores="b", secrets=SECRETS)
    assert steps[0].code == 1
    assert "DEPLOY_TOKEN is not set" in steps[0].log
    _, steps = repository.run("plan", EVENT, fleet="comment")
    assert steps[0].code == 0
    assert "No job has left a plan" in repository.host["comments"][0]["body"]
    _, steps = repository.run("plan", EVENT, fleet="nothing")
    assert (steps[0].code, "A fleet has no step" in steps[0].log) == (1, True)


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_init_hands_out_the_fleet_s_pipelines(tmp_path: Path, ci: str) -> None:
    """With several stores in the settings, `init` makes pipelines that work on all of them."""
    text = "stores: {a: {catalog: a}, b: {catalog: b}}\n"
    (tmp_path / "reconciler.yaml").write_text(text, encoding="utf-8")
    init(tmp_path, ci=ci)  # type: ignore[arg-type]  # one of the two
    if ci == "github":
        names = {path.name for path in (tmp_path / ".github" / "workflows").iterdir()}
        assert names == {"fleet-plan.yml", "fleet-apply.yml"}
        return
    file = tmp_path / ".gitlab-ci.yml"
    schema, _, more = CHECKED[2]
    tool = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more)
    done = subprocess.run([*tool, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "fleet plan" in file.read_text(encoding="utf-8")


def test_gitlab_s_jobs_share_the_stores_out(repository: Repository, tmp_path: Path) -> None:
    """Each of the parallel jobs takes its part of the stores, and one that has none ends well."""
    template = Path(init.__code__.co_filename).parents[1] / "templates/ci/gitlab/fleet-jobs.yml"
    text = template.read_text(encoding="utf-8").replace("!reference", "")
    jobs = YAML(typ="safe").load(text)
    script = "\n".join(["set -e", *jobs[".share"]["script"], 'echo "mine: $stores"'])
    told = []
    for node in (1, 2, 3):
        environ = {**repository.environ, "CI_NODE_INDEX": str(node), "CI_NODE_TOTAL": "3"}
        done = subprocess.run(
            ["bash", "-c", script.replace("python -I", f"{sys.executable} -I")],
            cwd=repository.folder, env=environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.append(done.stdout.strip())
    assert told == [
        "mine: --store a",
        "mine: --store b",
        "There are fewer stores than jobs.",
    ]
