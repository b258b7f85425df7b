"""The story of `init`: makes the files that a new catalogue starts from.

Existing files are never changed, except for `.gitignore`, which gets more lines at its end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from re import fullmatch
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.authoring.folder import write_changes
from reconciler.errors import OutputError
from reconciler.installed import has_sandbox, installed_from, installing
from reconciler.linting.vocabulary import NO_VOCABULARY, Vocabulary
from reconciler.reconcile.files import pull
from reconciler.reconcile.schemas import schema_text
from reconciler.reconcile.store import Store
from reconciler.reconcile.surroundings import (
    CATALOG_FOLDER,
    SETTINGS,
    Surroundings,
    catalogs_in,
    guessed_ci,
    in_quotes,
    settings_in,
    surroundings_of,
)
from reconciler.reconcile.surroundings import CI as CI

Deploy: TypeAlias = Literal["systemd", "kubernetes", "compose"]
Made: TypeAlias = Literal["made", "kept", "extended"]

_IGNORED: Final = (".reconciler/", "plan.json")
_ACTION: Final = ".github/actions/reconcile"
_WITH_KEY: Final = ("reconciler validate", "reconciler status", "reconciler plan")
_WITHOUT_KEY: Final = (
    "reconciler validate",
    "reconciler plan --sandbox",
    "reconciler apply --sandbox",
)
_HOSTS: Final[dict[CI, str]] = {"github": "GitHub", "gitlab": "GitLab"}
_FIRST_JOB: Final = "\nvalidate:\n"
"""The start of the jobs in the pipeline of GitLab; a fleet has its own, of the same parts."""
# The files with which a watch is run, each with a template of its name in deploy/.
_DEPLOY_FILES: Final[dict[Deploy, tuple[str, ...]]] = {
    "systemd": ("reconciler-watch.service",),
    "kubernetes": ("kubernetes.yaml", "Dockerfile"),
    "compose": ("compose.yaml", "Dockerfile"),
}
_OBSERVING: Final = ("alerts.yaml", "dashboard.json")
_NOWHERE: Final = "SAY-WHERE-RECONCILER-COMES-FROM"
# Made as files, so that an editor completes fields without a network.
_SCHEMAS: Final = ("catalog", "defaults", "settings")
# The end of the action's input `package`, which names the source to install from.
_DEFAULT: Final = 'it came from itself.\n    default: ""'


class StartFile(NamedTuple):
    """One file, named relative to the folder, and whether it was made, kept or extended."""

    path: str
    fate: Made


@dataclass(frozen=True, slots=True)
class Beginning:
    """The files that `init` made, and the commands to type next.

    `to_fill`: there is a key, so the empty catalogue can be filled from the remote. `notes`: which
    pipeline was chosen and why, and what is left to do before it runs.
    """

    files: tuple[StartFile, ...]
    commands: tuple[str, ...]
    to_fill: bool = False
    notes: tuple[str, ...] = ()


def _notes(ci: CI, found: "Surroundings", folder: Path) -> Iterator[str]:
    """Messages about what is left to do before a pipeline runs."""
    if ci == "none":
        return
    settings = settings_in(folder)
    if not found.remote and settings is not None and settings.ledger == "git":
        yield (
            "This repository has no remote called origin yet: add one before the first plan, since "
            "the ledger is kept there."
        )
    elif not found.remote:
        yield (
            "The ledger is a file, since there is no remote called origin yet. A pipeline needs it "
            "in git: with a remote, run `reconciler ledger move file git`, and write `ledger: git` "
            "in reconciler.yaml."
        )
    if not installed_from("sandbox"):
        setting = "RECONCILER_PACKAGE" if ci == "gitlab" else "the input `package` of the action"
        yield (
            "This reconciler was installed from this machine, which a pipeline cannot reach. Set "
            f"{setting} to a version at your package index, or to a git URL with a commit."
        )


def init(
    folder: Path, *, ci: CI | None = None, deploy: Deploy | None = None, has_key: bool = False
) -> Beginning:
    """Put a catalogue, settings, schemas and CI files into `folder`, which is made if missing.

    `ci` is guessed from the folder if it is None. With `deploy` the files to run a watch are made
    too. With a key there is a shop to pull from, so no example product is made. Raises OutputError
    if a file cannot be written.
    """
    try:
        # The guess is told, so that nobody takes it for a fact.
        chosen, why = (ci, None) if ci else guessed_ci(folder)
        made = tuple(_all(folder, chosen, has_key, asked=ci is not None))
        guessed = (f"The pipeline is for {_HOSTS[chosen]}: {why}.",) if why else ()
        notes = (*guessed, *_notes(chosen, surroundings_of(folder), folder))
        if deploy is not None:
            made += tuple(_deployed(folder, deploy))
        empty = not any(_has_files(folder / name) for name in catalogs_in(folder))
        return Beginning(made, _next(has_key), has_key and empty, notes)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        name = getattr(error, "filename", None) or folder / ".gitignore"
        raise OutputError(
            f"Cannot write {name}: {reason}.",
            hint="Fix this and run init again: existing files are kept.",
        ) from error


def fill(store: Store) -> int:
    """Pull every product of the remote into a file of its own; return their number."""
    pulled = pull(store)
    write_changes(pulled.files)
    return pulled.added


def _next(has_key: bool) -> tuple[str, ...]:
    """The commands to type next, which all work in this installation."""
    if has_key:
        return _WITH_KEY
    if has_sandbox():
        return _WITHOUT_KEY
    return (_WITHOUT_KEY[0], installing("sandbox"), *_WITHOUT_KEY[1:])


def _vocabulary(folder: Path) -> Vocabulary:
    """What fields may be by existing settings, for the schemas that editors use."""
    settings = settings_in(folder)
    return NO_VOCABULARY if settings is None else settings.vocabulary()


def _all(folder: Path, ci: CI, has_key: bool, *, asked: bool) -> Iterator[StartFile]:
    folder.mkdir(parents=True, exist_ok=True)
    found = surroundings_of(folder)
    # A ledger in a file is lost at the end of a pipeline. A git ledger needs a remote even for a
    # plan, so without one it is chosen only if a pipeline was asked for.
    shared = ci != "none" and (asked or found.remote)
    words = {"catalog": CATALOG_FOLDER, "ledger": "git" if shared else "file"}
    yield _made(folder, SETTINGS, _template("reconciler.yaml", words))
    catalog = folder / found.catalogs[0]
    catalog.mkdir(parents=True, exist_ok=True)
    if not has_key and not any(_has_files(folder / name) for name in found.catalogs):
        yield _made(folder, f"{found.catalogs[0]}/example.yaml", _template("example.yaml", words))
    vocabulary = _vocabulary(folder)
    for kind in _SCHEMAS:
        yield _made(folder, f".schemas/{kind}.json", schema_text(kind, vocabulary))
    package = installed_from("sandbox")
    for name, template in _pipeline(ci, fleet=found.fleet).items():
        text = _template(template, found.words(package))
        if found.fleet and name == ".gitlab-ci.yml":
            jobs = _template("ci/gitlab/fleet-jobs.yml", found.words(package))
            text = text.partition(_FIRST_JOB)[0] + jobs
        text = text.replace(_DEFAULT, _DEFAULT.replace('""', f'"{in_quotes(package)}"'))
        made = _made(found.top, name, text)
        yield made._replace(path="../" * found.below.count("/") + made.path)
    yield _ignore(folder)


def _pipeline(ci: CI, *, fleet: bool) -> dict[str, str]:
    """The path of each file of a pipeline, and its template."""
    if ci == "none":
        return {}
    if ci == "gitlab":
        return {".gitlab-ci.yml": "ci/gitlab/.gitlab-ci.yml"}
    names = [f"fleet-{name}.yml" for name in ("plan", "apply")]
    if not fleet:
        names = [f"catalog-{name}.yml" for name in ("plan", "apply", "drift")]
    return {
        **{f".github/workflows/{name}": f"ci/github/{name}" for name in names},
        **{f"{_ACTION}/{name}": f"ci/github/{name}" for name in ("action.yml", "reconcile.sh")},
    }


def _deployed(folder: Path, deploy: Deploy) -> Iterator[StartFile]:
    """The files to run a watch, its alerts and its dashboard."""
    found = surroundings_of(folder)
    package = installed_from("watch") or _NOWHERE
    # It goes into a shell command, whose meaning an odd name must not change.
    branch = found.branch if fullmatch(r"[\w./-]+", found.branch) else "main"
    words = {
        **found.words(package),
        "branch": branch,
        "repository": in_quotes(found.address or "https://git.example/shop.git"),
    }
    if deploy == "systemd":
        # systemd reads a percent sign as the beginning of a specifier.
        words = {name: word.replace("%", "%%") for name, word in words.items()}
    for name in (*_DEPLOY_FILES[deploy], *_OBSERVING):
        yield _made(folder, f"deploy/{name}", _template(f"deploy/{name}", words))


def _has_files(catalog: Path) -> bool:
    return any(path.suffix in (".yaml", ".yml") for path in catalog.rglob("*"))


def _made(folder: Path, name: str, text: str) -> StartFile:
    """Write a file unless it exists; a dangling link counts as existing."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Mode "x" refuses an existing file, so nothing is overwritten by a race either.
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return StartFile(name, "kept")
    return StartFile(name, "made")


def _ignore(folder: Path) -> StartFile:
    """Add the files that belong to one machine to .gitignore."""
    path = folder / ".gitignore"
    if path.is_symlink() and not path.exists():
        # A link that leads nowhere may lead anywhere: nothing is written through it.
        return StartFile(".gitignore", "kept")
    had = path.read_text(encoding="utf-8") if path.exists() else None
    lines = {line.strip().strip("/") for line in (had or "").splitlines()}
    missing = [name for name in _IGNORED if name.strip("/") not in lines]
    if not missing:
        return StartFile(".gitignore", "kept")
    gap = "" if not had or had.endswith("\n") else "\n"
    # Appended, so that no other line of the user's file can change.
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(gap + "".join(f"{name}\n" for name in missing))
    return StartFile(".gitignore", "made" if had is None else "extended")


def _template(name: str, words: dict[str, str]) -> str:
    text = (files("reconciler") / "templates" / name).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace("{{" + word + "}}", value)
    return text
