"""The story of `init`: what a new catalogue starts from. Files that are there are never touched.

The one exception is `.gitignore`, which gains lines at its end and loses none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.authoring.folder import write_changes
from reconciler.errors import OutputError
from reconciler.reconcile.files import pull
from reconciler.reconcile.schemas import schema_text
from reconciler.reconcile.store import Store

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


def init(folder: Path, *, ci: CI | None = None, has_key: bool = False) -> Beginning:
    """Put a catalogue, settings, schemas and CI files into `folder`, which is made if need be.

    `ci` is guessed from the folder if it is None. With a key there is a shop to pull from, so no
    example product is made. Raises OutputError if a file cannot be written.
    """
    try:
        made = tuple(_all(folder, ci or guessed_ci(folder), has_key))
        return Beginning(made, _NEXT[has_key], has_key and not _has_files(folder / CATALOG))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        name = getattr(error, "filename", None) or folder / ".gitignore"
        raise OutputError(
            f"Cannot write {name}: {reason}.",
            hint="Mend what is in the way and run init again: what is there is kept.",
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


def _all(folder: Path, ci: CI, has_key: bool) -> Iterator[Made]:
    folder.mkdir(parents=True, exist_ok=True)
    # A git ledger is read from its remote even for a plan, so there must be one.
    shared = ci != "none" and '[remote "origin"]' in _git_config(folder)
    words = {"catalog": CATALOG, "ledger": "git" if shared else "file"}
    yield _made(folder, SETTINGS, _template("reconciler.yaml", words))
    catalog = folder / CATALOG
    catalog.mkdir(exist_ok=True)
    if not has_key and not _has_files(catalog):
        yield _made(folder, f"{CATALOG}/example.yaml", _template("example.yaml", words))
    for kind in _SCHEMAS:
        yield _made(folder, f".schemas/{kind}.json", schema_text(kind))
    for name, template in _CI_FILES[ci].items():
        yield _made(folder, name, _template(template, {}))
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
