"""`init`: a beginning that works at once and overwrites nothing."""

import json
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from reconciler.sandbox.server import Sandbox
from reconciler.version import VERSION

from .here import Here


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below the folder with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_beginning_is_sound(folder: Path, here: Here) -> None:
    """The catalogue is without findings, the settings load, and the next commands work."""
    done = here("init", "--ci", "none")
    assert (done.code, done.err) == (0, "")
    commands = done.out.split("Next:\n")[1].split("\n")[:-1]
    assert [command.strip().split()[1] for command in commands] == ["validate", "plan", "apply"]
    assert here("validate").out == "1 product in 1 file: no findings.\n"
    for command in commands:
        assert here(*command.split()[1:], *(["--yes"] if "apply" in command else [])).code == 0
    assert here("plan", "--sandbox", "--detailed-exitcode").code == 0


def test_nothing_is_overwritten(folder: Path, here: Here) -> None:
    """What is there is kept byte for byte, and a second run changes nothing."""
    (folder / "reconciler.yaml").write_text("prune: none\n", encoding="utf-8")
    (folder / "catalog").mkdir()
    (folder / "catalog" / "mine.yml").write_text("# mine\n", encoding="utf-8")
    (folder / ".gitignore").write_text("*.log", encoding="utf-8")
    done = here("init")
    assert "kept as it is  reconciler.yaml" in done.out
    assert "added to       .gitignore" in done.out
    first = everything(folder)
    assert first["reconciler.yaml"] == b"prune: none\n"
    assert first[".gitignore"] == b"*.log\n.reconciler/\nplan.json\n"
    assert "catalog/example.yaml" not in first
    assert "made" not in here("init").out
    assert everything(folder) == first


@pytest.mark.parametrize(
    ("ci", "expected"),
    [
        ("github", {".github/workflows/catalog-plan.yml", ".github/workflows/catalog-apply.yml"}),
        ("gitlab", {".gitlab-ci.yml"}),
        ("none", set()),
    ],
)
def test_ci_files(ci: str, expected: set[str], folder: Path, here: Here) -> None:
    """The pipeline that was asked for has its files where it reads them, and no other has any."""
    done = here("init", "shop", "--ci", ci)
    assert "Next, in shop:" in done.out
    found = everything(folder / "shop")
    pipelines = {name for name in found if name.startswith((".github/", ".gitlab"))}
    assert expected <= pipelines
    assert bool(expected) == bool(pipelines)
    assert len({name.split("/")[0] for name in pipelines}) <= 1
    assert all(f"made           {name}\n" in done.out for name in found)


@pytest.mark.parametrize(
    ("path", "text", "ci", "ledger"),
    [
        (".git/config", '[remote "origin"]\nurl = https://gitlab.test/x\n', "gitlab", "git"),
        (".git/config", '[remote "origin"]\nurl = https://github.test/x\n', "github", "git"),
        (".git/config", "[core]\n", "github", "file"),
        (".gitlab-ci.yml", "x: y\n", "gitlab", "file"),
        (".github/dependabot.yml", "x: y\n", "github", "file"),
    ],
)
def test_ci_and_ledger_are_guessed(
    path: str, text: str, ci: str, ledger: str, folder: Path, here: Here
) -> None:
    """Whose pipeline it is comes from the folder; the ledger is git's where git has a remote."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
    assert here("init").code == 0
    assert (folder / ".gitlab-ci.yml").exists() is (ci == "gitlab")
    settings = YAML(typ="safe").load((folder / "reconciler.yaml").read_text(encoding="utf-8"))
    assert settings["ledger"] == ledger


def test_editor_lines_lead_to_schemas(folder: Path, here: Here) -> None:
    """Each `$schema=` line names a file that is there and accepts the file it stands in."""
    here("init")
    for name in ("reconciler.yaml", "catalog/example.yaml"):
        path = folder / name
        first, _, _ = path.read_text(encoding="utf-8").partition("\n")
        named = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        schema = json.loads(named.read_text(encoding="utf-8"))
        assert Draft202012Validator(schema).is_valid(YAML(typ="safe").load(path))


def test_the_catalogue_is_in_canonical_form(folder: Path, here: Here) -> None:
    """`fmt` has nothing to change in what `init` makes, so the first commit passes its own CI."""
    here("init")
    assert here("fmt", "--check") == (0, "", "1 file in canonical form.\n")


def test_with_a_key_the_catalogue_is_filled(
    folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key the products at the remote are pulled, in place of an example."""
    with Sandbox(api_key="hush-hush") as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", "hush-hush")
        sandbox.store.seed(
            [{"store_id": f"{n}", "name": f"Shirt: {n}", "tags": ["No", "1.0"]} for n in range(3)]
        )
        done = here("init", "shop", "--ci", "none")
        assert done.code == 0
        assert "pulled         3 products" in done.out
        monkeypatch.chdir(folder / "shop")
        assert "example" not in "".join(everything(folder / "shop"))
        assert here("plan", "--detailed-exitcode").code == 0
        assert here("fmt", "--check") == (0, "", "3 files in canonical form.\n")
        assert "pulled" not in here("init").out


def test_a_remote_that_fails_leaves_the_files(
    folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the key is refused that is told, after what was made."""
    with Sandbox(api_key="other") as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", "hush-hush")
        done = here("init", "--ci", "none")
    assert done.code == 1
    assert "made           reconciler.yaml" in done.out
    assert "key" in done.err
    assert "hush" not in done.err


@pytest.mark.parametrize("blocking", ["catalog", ".schemas", ".gitignore/x"])
def test_what_is_in_the_way_is_told(blocking: str, folder: Path, here: Here) -> None:
    """A file where a folder must be, or the other way round, is an error with its name."""
    (folder / blocking).parent.mkdir(exist_ok=True)
    (folder / blocking).write_text("x", encoding="utf-8")
    done = here("init")
    assert done.code == 1
    assert f"Cannot write {folder / blocking.partition('/')[0]}" in done.err


def git(folder: Path, *arguments: str) -> None:
    """One git command, which must succeed."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@shop.example")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_in_a_larger_repository_the_pipeline_is_at_its_top(
    ci: str, folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default branch, the folder and the catalogue that settings name are in the files."""
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    shop = folder / "shops" / "acme"
    shop.mkdir(parents=True)
    (shop / "reconciler.yaml").write_text("catalog: goods\n", encoding="utf-8")
    monkeypatch.chdir(shop)
    done = here("init", "--ci", ci)
    assert done.code == 0, done.err
    assert (shop / "goods" / "example.yaml").exists()
    assert not (shop / "catalog").exists()
    assert "no remote called origin yet" in done.out
    yaml = YAML(typ="safe")
    if ci == "gitlab":
        pipeline = (folder / ".gitlab-ci.yml").read_text(encoding="utf-8")
        assert 'RECONCILER_FOLDER: "shops/acme"' in pipeline
        assert '"shops/acme/plan.html"' in pipeline
        assert "{{" not in pipeline
        return
    apply = yaml.load((folder / ".github/workflows/catalog-apply.yml").read_text(encoding="utf-8"))
    push = apply[True]["push"] if True in apply else apply["on"]["push"]
    assert push["branches"] == ["trunk"]
    assert push["paths"][:2] == ["shops/acme/goods/**", "shops/acme/reconciler.yaml"]
    (job,) = apply["jobs"].values()
    assert job["steps"][-1]["with"]["folder"] == "shops/acme"
    assert "made           ../../.github/workflows/catalog-plan.yml" in done.out
    assert not list((folder / ".github").rglob("*{{*"))


def test_it_is_told_where_the_ledger_is(folder: Path, here: Here) -> None:
    """Without a remote the ledger is a file, unless a pipeline was asked for by name."""
    assert "`reconciler ledger move file git`" in here("init").out
    assert "The ledger is a file" in here("init").out
    (folder / "reconciler.yaml").write_text("ledger: git\n")
    assert "add one before the first plan" in here("init").out
    (folder / "reconciler.yaml").write_text("ledger: [\n")
    assert here("init").code == 0


def test_asked_for_a_pipeline_it_writes_a_git_ledger(folder: Path, here: Here) -> None:
    """Whether there is a remote yet or not: what a pipeline learns is kept nowhere else."""
    for ci, ledger in (("github", "git"), ("gitlab", "git"), ("none", "file")):
        assert here("init", ci, "--ci", ci).code == 0
        settings = YAML(typ="safe").load((folder / ci / "reconciler.yaml").read_text("utf-8"))
        assert settings["ledger"] == ledger


@pytest.mark.parametrize(
    ("note", "package"),
    [
        (None, f"robosize-reconciler[sandbox]=={VERSION}"),
        (
            {
                "url": "https://user:token@git.example/x.git",
                "vcs_info": {"vcs": "git", "commit_id": "c0ffee"},
            },
            "robosize-reconciler[sandbox] @ git+https://git.example/x.git@c0ffee",
        ),
        (
            {"url": "https://h.example/x.whl", "archive_info": {}},
            "robosize-reconciler[sandbox] @ https://h.example/x.whl",
        ),
        (
            {"url": "https://h.example/x.whl?signature=token", "archive_info": {}},
            "robosize-reconciler[sandbox] @ https://h.example/x.whl",
        ),
        ({"url": "file:///srv/x", "dir_info": {"editable": True}}, ""),
        ({"url": "file:///srv/x.whl", "archive_info": {}}, ""),
    ],
)
def test_the_pipeline_installs_what_this_copy_came_from(
    note: object, package: str, folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A git URL with its commit, or index and version, without a token; a local path is told."""

    class Installed:
        version = VERSION

        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return json.dumps(note) if note else None

    monkeypatch.setattr("reconciler.installed.distribution", lambda _: Installed())
    for ci in ("github", "gitlab"):
        done = here("init", ci, "--ci", ci)
        assert ("was installed from this machine" in done.out) is (package == "")
    yaml = YAML(typ="safe")
    action = yaml.load((folder / "github/.github/actions/reconcile/action.yml").read_text("utf-8"))
    assert action["inputs"]["package"]["default"] == package
    text = (folder / "gitlab/.gitlab-ci.yml").read_text("utf-8").replace("!reference ", "")
    assert yaml.load(text)[".reconciler"]["variables"]["RECONCILER_PACKAGE"] == package


@pytest.mark.parametrize(
    ("prefix", "note", "command"),
    [
        ("/usr", None, f"pip install 'robosize-reconciler[sandbox]=={VERSION}'"),
        (
            "/usr/.local/share/uv/tools/robosize-reconciler",
            {"url": "https://h.example/x.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            "uv tool install --force 'robosize-reconciler[sandbox] @ "
            "git+https://h.example/x.git@c0ffee'",
        ),
        (
            "/usr/.local/pipx/venvs/robosize-reconciler",
            {"url": "file:///srv/a%20b", "dir_info": {}},
            "pipx install --force '/srv/a b[sandbox]'",
        ),
        (
            "/srv/x/.venv",
            {"url": "file:///srv/x", "dir_info": {"editable": True}},
            "pip install --editable '/srv/x[sandbox]'",
        ),
    ],
)
def test_without_the_extra_the_next_command_installs_it(
    prefix: str,
    note: object,
    command: str,
    folder: Path,
    here: Here,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `init` suggests works in this installation, whatever made it."""

    class Installed:
        version = VERSION

        def read_text(self, name: str) -> str | None:
            return json.dumps(note) if note else None

    monkeypatch.setattr("reconciler.installed.distribution", lambda _: Installed())
    monkeypatch.setattr("reconciler.installed.find_spec", lambda _: None)
    monkeypatch.setattr("sys.prefix", prefix)
    done = here("init", "--ci", "none")
    assert done.out.split("Next:\n")[1].splitlines()[:3] == [
        "  reconciler validate",
        f"  {command}",
        "  reconciler plan --sandbox",
    ]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (".gitlab-ci.yml", "x: 1", "for GitLab: .gitlab-ci.yml is there."),
        (".github/x", "", "for GitHub: .github is there."),
        (".git/config", "url = git@gitlab.example:a", "for GitLab: the repository has a remote"),
        (".git/config", "url = git@github.com:a", "for GitHub: the repository has a remote"),
        ("x", "", "for GitHub: nothing here says otherwise; `init --ci gitlab`"),
    ],
)
def test_which_pipeline_was_chosen_is_told(
    file: str, text: str, told: str, folder: Path, here: Here
) -> None:
    """A guess is told with its reason; what was asked for is not."""
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(text)
    assert f"Note: The pipeline is {told}" in here("init").out
    assert "The pipeline is" not in here("init", "--ci", "github").out


def test_a_link_that_leads_nowhere_is_not_followed(folder: Path, here: Here) -> None:
    """Nothing is written where a dangling link points, whatever file it stands for."""
    for name in (".gitignore", "reconciler.yaml"):
        (folder / name).symlink_to(folder / "elsewhere" / name)
    (folder / "elsewhere").mkdir()
    done = here("init", "--ci", "none")
    assert (done.code, list((folder / "elsewhere").iterdir())) == (0, [])
    assert "kept as it is  .gitignore" in done.out
