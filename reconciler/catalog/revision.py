"""The catalogue as it was at any revision of git.

A revision is read from git's objects alone: no checkout, no index, nothing written. What a work
tree would offer to the reader is found in the tree object: the files, and links that lead to them.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.catalog.ancestry import fetched, is_commit
from reconciler.catalog.commit import CommitTree, find_commit_files
from reconciler.catalog.files import belongs
from reconciler.catalog.names import names_between, shown_name
from reconciler.catalog.read import load_sources
from reconciler.catalog.worktrees import SUBMODULE
from reconciler.codes import Code
from reconciler.errors import CatalogError, GitError, UsageError
from reconciler.git import Git
from reconciler.linting.registry import CATALOG_RULESET, Ruleset
from reconciler.model import Catalog, Finding, Location, Names
from reconciler.yamltext.findings import Faults, Findings

_LINK: Final = "120000"
_PATIENCE: Final = 120.0


class _Home(NamedTuple):
    """A catalogue's folder in its repository: `path` from the top, "" for the top."""

    git: Git
    path: str


def load_revision(
    folder: Path,
    revision: str,
    *,
    working_folder: Path,
    lint: Ruleset = CATALOG_RULESET,
    remote: str | None = None,
) -> Catalog:
    """The catalogue that `folder` was at `revision`: a commit, a branch, a tag, `main~2`.

    A commit that the clone lacks is read from `remote`, if there is one; the clone stays as it is.
    Files are named as `load_catalog` names them, and `commit` is the revision's. A folder that the
    revision does not have is a catalogue without products, and without files. Raises GitError
    if git lacks the revision, UsageError if it is not a revision's name, and CatalogError if
    the files of that time have faults; their locations begin with the revision.
    """
    folder = Path(os.path.abspath(working_folder / folder))  # noqa: PTH100  (links stay as named)
    names = names_between(folder, working_folder)
    findings = Findings()
    with _having(_home(folder), revision, remote) as home:
        commit = _commit(home.git, revision)
        try:
            sources = _read(home, commit, names, findings)
            catalog = load_sources(sources, root=names, lint=lint)
        except CatalogError as error:
            faults = {*findings.sorted(), *error.findings}
        else:
            faults = set(findings.sorted())
    if faults:
        raise CatalogError(
            sorted((_at(revision, finding) for finding in faults), key=_order),
            hint=f"These faults are in the revision {revision}, not in the work tree: commit a "
            "fix, or name another revision.",
        )
    return replace(catalog, commit=commit, dirty=False)


def merge_base(folder: Path, first: str, second: str) -> str:
    """The newest commit that both revisions have in their past; GitError if there is none."""
    git = _home(Path(os.path.abspath(folder))).git  # noqa: PTH100  (links stay as named)
    commits = [_commit(git, revision) for revision in (first, second)]
    answer = git.run("merge-base", *commits)
    if answer.code != 0:
        raise GitError(
            f"The revisions {first} and {second} have no common past in this clone.",
            hint=_deepen(git, first) or "Name a commit instead of the two.",
        )
    return answer.output.decode().strip()


def _home(folder: Path) -> _Home:
    """The repository that `folder` is in, also if the folder itself does not exist (any more)."""
    standing = folder if folder.is_dir() and not folder.is_symlink() else folder.parent
    while not standing.is_dir() and standing != standing.parent:
        standing = standing.parent
    git = Git(standing, timeout=_PATIENCE)
    answer = git.run("rev-parse", "--show-prefix")
    if answer.code != 0:
        raise GitError(
            f"{standing} is in no git repository that can be read: {answer.complaint}",
            hint=git.advice()
            or "Run the command in a clone of the repository that holds the catalogue.",
        )
    prefix = os.fsdecode(answer.output).removesuffix("\n").rstrip("/")
    rest = folder.relative_to(standing).as_posix()
    return _Home(git, "/".join(part for part in (prefix, rest) if part not in ("", ".")))


@contextmanager
def _having(home: _Home, commit: str, remote: str | None) -> Iterator[_Home]:
    """The catalogue's home in a repository with the commit: the clone, or one that is fetched."""
    # Only a whole id is fetched: a branch may mean another commit there than here.
    if remote is None or not is_commit(commit) or _verified(home.git, commit):
        yield home
        return
    with fetched(home.git, commit, remote, "--depth=1") as git:
        yield home if git is None else home._replace(git=git)


def _commit(git: Git, revision: str) -> str:
    """The commit that `revision` names."""
    # What begins with a dash would be an option to git.
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise UsageError(
            f"{revision!r} is not a git revision.",
            hint="Name a branch, a tag or a commit, such as `origin/main` or `HEAD~1`.",
        )
    commit = _verified(git, revision)
    if commit is not None:
        return commit
    raise GitError(f"This clone has no revision {revision}.", hint=_remedy(git, revision))


def _verified(git: Git, revision: str) -> str | None:
    # `^{commit}` follows a tag to its commit, and refuses a file's id.
    answer = git.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return answer.output.decode().strip() if answer.code == 0 else None


def _remedy(git: Git, revision: str) -> str:
    """What makes a revision known that is not."""
    if _verified(git, f"origin/{revision}"):
        return f"It has origin/{revision}: name that."
    if deepen := _deepen(git, revision):
        return deepen
    return "Look at `git branch --all` for what there is; `git fetch` brings what others pushed."


def _deepen(git: Git, revision: str) -> str | None:
    """What to do about a shallow clone; None if it is whole."""
    if git.text("rev-parse", "--is-shallow-repository") != "true":
        return None
    return (
        f"The clone is shallow. Fetch what is missing: `git fetch --unshallow origin`; in a "
        "pipeline let the checkout take the whole history (`fetch-depth: 0` on GitHub, "
        f"`GIT_DEPTH: 0` on GitLab), or fetch {revision} alone with "
        f"`git fetch --depth=1 origin {revision}` and name FETCH_HEAD."
    )


def _read(
    home: _Home, commit: str, names: Names, findings: Findings
) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the catalogue's files in `commit`; faults of links are findings."""
    tree, submodules = _tree(home.git, commit)
    top = tree.resolve(home.path)
    for path in submodules:
        _report_submodule(path, home.path if top is None else top, names, findings)
    if top is None or not tree.is_folder(top):
        return
    files = list(find_commit_files(tree, top, names, findings))
    contents = _blobs(home.git, [file.blob for file in files])
    for file in files:
        yield file.name, contents[file.blob]


def _report_submodule(path: str, top: str, names: Names, findings: Findings) -> None:
    """Report a submodule that holds files of the catalogue: they are in another repository."""
    below = "" if path == top else path.removeprefix(f"{top}/" if top else "")
    inside = path == top or not top or path.startswith(f"{top}/")
    around = top.startswith(f"{path}/")
    if around or (inside and belongs(f"{below}/a.yaml".removeprefix("/"))):
        Faults(names.of(shown_name("" if around else below)), findings).error(
            Code.ABSENT_FILE,
            "A submodule: git has its files in another repository, so what they were in this "
            "revision cannot be read. Compare the revisions of that repository, or plan.",
        )


def _tree(git: Git, commit: str) -> tuple[CommitTree, list[str]]:
    """Every file and link of a commit, and its submodules, by their paths from the top."""
    submodules: list[str] = []
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    for entry in git.read("ls-tree", "-rz", "--full-tree", commit).split(b"\0"):
        about, _, path = entry.partition(b"\t")
        if path:
            mode, _, blob = about.decode().split()
            if mode == _LINK:
                links[os.fsdecode(path)] = blob
            elif mode == SUBMODULE:
                # Its files are in another repository, so nothing in it can be read here.
                submodules.append(os.fsdecode(path))
            else:
                files[os.fsdecode(path)] = blob
    # Git keeps the text of a link as a blob of its own.
    targets = _blobs(git, list(links.values()))
    tree = CommitTree(files, {path: os.fsdecode(targets[blob]) for path, blob in links.items()})
    return tree, submodules


def _blobs(git: Git, ids: Sequence[str]) -> Mapping[str, bytes]:
    """The contents of these blobs, by id, in one call."""
    # Files with the same content share one blob.
    distinct = list(dict.fromkeys(ids))
    if not distinct:
        return {}
    output = git.read("cat-file", "--batch", data="".join(f"{id}\n" for id in distinct).encode())
    contents, start = {}, 0
    for id in distinct:
        end = output.index(b"\n", start)
        header = output[start:end].split()
        if header[1:2] != [b"blob"]:
            raise GitError(
                f"This clone lacks a file of the revision (object {id}).",
                hint="It is a partial clone, or damaged: `git fetch --refetch` completes it.",
            )
        start = end + 1 + int(header[2])
        contents[id] = output[end + 1 : start]
        # Git ends each content with a line break that is not part of it.
        start += 1
    return contents


def _at(revision: str, finding: Finding) -> Finding:
    """A finding whose location says that it is in `revision`, as git writes it: `main:a.yaml`."""
    location = finding.location
    if location is None:
        return finding
    return finding._replace(location=Location(f"{revision}:{location.file}", *location[1:]))


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    location = finding.location or ("", 0, 0)
    return *location, finding.code, finding.message
