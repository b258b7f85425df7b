"""The story of `init`: what a new catalogue starts from. Files that are there are never touched.

The one exception is `.gitignore`, which gains lines at its end and loses none.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.authoring.folder import write_changes
from reconciler.errors import GitError, OutputError, SettingsError
from reconciler.git import Git
from reconciler.reconcile.files import pull
from reconciler.reconcile.schemas import schema_text
from reconciler.reconcile.store import Store
from reconciler.settings import load_settings
from reconciler.version import VERSION

CI: TypeAlias = Literal["github", "gitlab", "none"]
Fate: TypeAlias = Literal["made", "kept", "extended"]

CATALOG: Final = "catalog"
SETTINGS: Final = "reconciler.yaml"
_IGNORED: Final = (".reconciler/", "plan.json")
_ACTION: Final = ".github/actions/reconcile"
_CI_FILES: Final[dict[CI, dict[str, str]]] = {
    "github": {
        **{
            f".github/workflows/catalog-{name}.yml": f"ci/github/catalog-{name}.yml"
            for name in ("plan", "apply", "drift")
        },
        **{f"{_ACTION}/{name}": f"ci/github/{name}" for name in ("action.yml", "reconcile.sh")},
    },
    "gitlab": {".gitlab-ci.yml": "ci/gitlab/.gitlab-ci.yml"},
    "none": {},
}
"""Where each file of a pipeline goes, and the template that it is made from."""
_NEXT: Final = {
    True: ("reconciler validate", "reconciler status", "reconciler plan"),
    False: ("reconciler validate", "reconciler plan --sandbox", "reconciler apply --sandbox"),
}
_SCHEMAS: Final = ("catalog", "defaults", "settings")
_USER: Final = re.compile(r"(?<=://)[^/]*@")
_DEFAULT: Final = 'it came from itself.\n    default: ""'
"""The end of the action's input `package`, which says where reconciler is installed from."""


class Made(NamedTuple):
    """One file of a beginning, named relative to the folder, and what became of it."""

    path: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class Beginning:
    """What `init` did, and the three commands to type next.

    `to_fill`: there is a key, and a catalogue without files that can be filled from the remote.
    """

    files: tuple[Made, ...]
    commands: tuple[str, ...]
    to_fill: bool = False
    notes: tuple[str, ...] = ()


def _notes(ci: CI, found: "_Surroundings") -> Iterator[str]:
    """What is left to do before a pipeline runs."""
    if ci == "none":
        return
    if not found.remote:
        yield (
            "This repository has no remote called origin yet: add one before the first plan, since "
            "the ledger is kept there."
        )
    if not installed_from():
        where = "RECONCILER_PACKAGE" if ci == "gitlab" else "the input `package` of the action"
        yield (
            "This reconciler was installed from this machine, which a pipeline cannot reach. Set "
            f"{where} to where it can be had: a version at your index, or a git URL with a commit."
        )


def init(folder: Path, *, ci: CI | None = None, has_key: bool = False) -> Beginning:
    """Put a catalogue, settings, schemas and CI files into `folder`, which is made if need be.

    `ci` is guessed from the folder if it is None. With a key there is a shop to pull from, so no
    example product is made. Raises OutputError if a file cannot be written.
    """
    try:
        chosen = ci or guessed_ci(folder)
        made = tuple(_all(folder, chosen, has_key, asked=ci is not None))
        notes = tuple(_notes(chosen, _looked(folder)))
        empty = not any(_has_files(folder / name) for name in _catalogs(folder))
        return Beginning(made, _NEXT[has_key], has_key and empty, notes)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        name = getattr(error, "filename", None) or folder / ".gitignore"
        raise OutputError(
            f"Cannot write {name}: {reason}.",
            hint="Fix what is in the way and run init again: what is there is kept.",
        ) from error


def fill(store: Store) -> int:
    """Pull every product of the remote into a file of its own; returns how many there are."""
    pulled = pull(store)
    write_changes(pulled.files)
    return pulled.added


def guessed_ci(folder: Path) -> CI:
    """The pipeline that the folder's repository has, or is likely to have; GitHub's if unknown."""
    if (folder / ".gitlab-ci.yml").exists():
        return "gitlab"
    if (folder / ".github").exists():
        return "github"
    return "gitlab" if "gitlab" in _git_config(folder) else "github"


def _git_config(folder: Path) -> str:
    try:
        return (folder / ".git" / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class _Surroundings(NamedTuple):
    """What `init` finds before it writes.

    `top` is the repository's, which the pipelines' files belong to, and `below` the way from there
    to the folder, "" or with a last slash.
    """

    top: Path
    below: str
    branch: str
    remote: bool
    catalogs: tuple[str, ...]

    def words(self, package: str) -> dict[str, str]:
        """What the templates leave open, as it stands between quotes of YAML."""
        catalogs = f'/**", "{self.below}'.join(self.catalogs)
        return {
            "branch": _quoted(self.branch),
            "catalog": f"{self.below}{catalogs}",
            "settings": _quoted(f"{self.below}{SETTINGS}"),
            "folder": _quoted(self.below.rstrip("/") or "."),
            "below": _quoted(self.below),
            "package": _quoted(package),
        }


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _looked(folder: Path) -> _Surroundings:
    git = Git(folder)

    def told(*arguments: str) -> str:
        try:
            answer = git.run(*arguments)
        except GitError:
            return ""
        return answer.output.decode(errors="replace").rstrip("\n") if answer.code == 0 else ""

    top = told("rev-parse", "--show-toplevel")
    head = told("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    branch = head.removeprefix("origin/") or told("symbolic-ref", "--quiet", "--short", "HEAD")
    return _Surroundings(
        top=Path(top) if top else folder,
        below=told("rev-parse", "--show-prefix"),
        branch=branch or "main",
        remote='[remote "origin"]' in _git_config(folder)
        or "origin" in told("remote").splitlines(),
        catalogs=_catalogs(folder),
    )


def _catalogs(folder: Path) -> tuple[str, ...]:
    """The folders of catalogues that settings which are there name, relative to theirs."""
    try:
        settings = load_settings(environ={}, folder=folder)
    except SettingsError:
        return (CATALOG,)
    found = dict.fromkeys(
        (entry.catalog or settings.catalog).as_posix() for entry in settings.stores.values()
    )
    inside = [name for name in found if not name.startswith(("/", ".."))]
    return tuple(inside) or (CATALOG,)


def installed_from() -> str:
    """What pip has to install to get this very tool; "" where only this machine has it."""
    try:
        noted = distribution("robosize-reconciler").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    if not noted:
        return f"robosize-reconciler=={VERSION}"
    note = json.loads(noted)
    url, vcs = str(note.get("url", "")), note.get("vcs_info")
    if url.startswith("file:") or "dir_info" in note:
        return ""
    # A user name or a token in the address is not for a file that is committed.
    url = _USER.sub("", url)
    if vcs:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    where = note.get("subdirectory")
    return f"robosize-reconciler @ {url}" + (f"#subdirectory={where}" if where else "")


def _all(folder: Path, ci: CI, has_key: bool, *, asked: bool) -> Iterator[Made]:
    folder.mkdir(parents=True, exist_ok=True)
    found = _looked(folder)
    # What a pipeline learns is thrown away but for a git ledger. Where nobody asked for a pipeline
    # there must be a remote for it, since even a plan reads it there.
    shared = ci != "none" and (asked or found.remote)
    words = {"catalog": CATALOG, "ledger": "git" if shared else "file"}
    yield _made(folder, SETTINGS, _template("reconciler.yaml", words))
    catalog = folder / found.catalogs[0]
    catalog.mkdir(parents=True, exist_ok=True)
    if not has_key and not any(_has_files(folder / name) for name in found.catalogs):
        yield _made(folder, f"{found.catalogs[0]}/example.yaml", _template("example.yaml", words))
    for kind in _SCHEMAS:
        yield _made(folder, f".schemas/{kind}.json", schema_text(kind))
    package = installed_from()
    for name, template in _CI_FILES[ci].items():
        text = _template(template, found.words(package))
        text = text.replace(_DEFAULT, _DEFAULT.replace('""', f'"{_quoted(package)}"'))
        made = _made(found.top, name, text)
        yield made._replace(path="../" * found.below.count("/") + made.path)
    yield _ignore(folder)


def _has_files(catalog: Path) -> bool:
    return any(path.suffix in (".yaml", ".yml") for path in catalog.rglob("*"))


def _made(folder: Path, name: str, text: str) -> Made:
    """Write a file that is not there; one that is, a link to nowhere too, is kept."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return Made(name, "kept")
    return Made(name, "made")


def _ignore(folder: Path) -> Made:
    """Let git pass over what belongs to one machine."""
    path = folder / ".gitignore"
    had = path.read_text(encoding="utf-8") if path.exists() else None
    lines = {line.strip().strip("/") for line in (had or "").splitlines()}
    missing = [name for name in _IGNORED if name.strip("/") not in lines]
    if not missing:
        return Made(".gitignore", "kept")
    gap = "" if not had or had.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(gap + "".join(f"{name}\n" for name in missing))
    return Made(".gitignore", "made" if had is None else "extended")


def _template(name: str, words: dict[str, str]) -> str:
    text = (files("reconciler") / "templates" / name).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace("{{" + word + "}}", value)
    return text
