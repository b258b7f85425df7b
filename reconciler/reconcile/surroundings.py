"""The surroundings of a folder: its repository, its settings and its likely pipeline."""

import json
from pathlib import Path
from re import sub
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.errors import GitError, SettingsError
from reconciler.git import Git
from reconciler.settings import Settings, load_settings

CI: TypeAlias = Literal["github", "gitlab", "none"]

CATALOG_FOLDER: Final = "catalog"
SETTINGS: Final = "reconciler.yaml"


def guessed_ci(folder: Path) -> tuple[CI, str]:
    """The kind of pipeline that the folder's repository has or is likely to have, and why."""
    if (folder / ".gitlab-ci.yml").exists():
        return "gitlab", ".gitlab-ci.yml is there"
    if (folder / ".github").exists():
        return "github", ".github is there"
    # A remote's host mostly has the name in it.
    if "gitlab" in _git_config(folder):
        return "gitlab", "the repository has a remote there"
    if "github" in _git_config(folder):
        return "github", "the repository has a remote there"
    return "github", "nothing here says otherwise; `init --ci gitlab` and `--ci none` do"


def _git_config(folder: Path) -> str:
    try:
        return (folder / ".git" / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class Surroundings(NamedTuple):
    """The repository around the folder, as `init` finds it before it writes.

    `top` is the repository's folder, which gets the files of pipelines; `below` is the path from
    there to the folder, "" or with a final slash.
    """

    top: Path
    below: str
    branch: str
    remote: bool
    catalogs: tuple[str, ...]
    fleet: bool
    address: str = ""
    """The URL of origin, without credentials."""

    def words(self, package: str) -> dict[str, str]:
        """The values of the placeholders in templates, escaped for quoted YAML."""
        # It fills the inside of one pair of quotes in the template, so each further path brings its
        # own.
        catalogs = f'/**", "{self.below}'.join(self.catalogs)
        return {
            "branch": in_quotes(self.branch),
            "catalog": f"{self.below}{catalogs}",
            "settings": in_quotes(f"{self.below}{SETTINGS}"),
            "folder": in_quotes(self.below.rstrip("/") or "."),
            "below": in_quotes(self.below),
            "package": in_quotes(package),
        }


def in_quotes(text: str) -> str:
    """`text` as it stands between the quotes of a YAML string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def surroundings_of(folder: Path) -> Surroundings:
    """The surroundings of `folder` as they are now."""
    git = Git(folder)

    def told(*arguments: str) -> str:
        try:
            answer = git.run(*arguments)
        except GitError:
            return ""
        return answer.output.decode(errors="replace").rstrip("\n") if answer.code == 0 else ""

    top = told("rev-parse", "--show-toplevel")
    # A clone knows the default branch; the branch that is checked out now may be another.
    head = told("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    settings = settings_in(folder)
    branch = head.removeprefix("origin/") or told("symbolic-ref", "--quiet", "--short", "HEAD")
    return Surroundings(
        top=Path(top) if top else folder,
        below=told("rev-parse", "--show-prefix"),
        branch=branch or "main",
        remote='[remote "origin"]' in _git_config(folder)
        or "origin" in told("remote").splitlines(),
        catalogs=catalogs_in(folder),
        fleet=settings is not None and len(settings.stores) > 1,
        # A token in the URL must not get into a file that is committed (P5).
        address=sub(r"(?<=://)[^/]*@", "", told("remote", "get-url", "origin")).partition("?")[0],
    )


def settings_in(folder: Path) -> Settings | None:
    """The folder's settings; None if they are at fault, since `init` is no place to tell it."""
    try:
        return load_settings(environ={}, folder=folder)
    except SettingsError:
        return None


def catalogs_in(folder: Path) -> tuple[str, ...]:
    """The catalogue folders in existing settings, relative to the settings file."""
    settings = settings_in(folder)
    if settings is None:
        return (CATALOG_FOLDER,)
    found = dict.fromkeys(
        (entry.catalog or settings.catalog).as_posix() for entry in settings.stores.values()
    )
    # A pipeline's path filters cannot name what is outside of the repository.
    inside = [name for name in found if not name.startswith(("/", ".."))]
    return tuple(inside) or (CATALOG_FOLDER,)
