"""Is one commit older than another? Asked before an apply: no old pipeline undoes a new one.

A shallow clone does not know. Then the commits alone, without trees and files, are fetched into a
repository of their own: the clone stays as it is. A single commit that a clone lacks, and whose
files are asked for, is fetched in the same way.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.errors import GitError
from reconciler.git import Git

_PATIENCE: Final = 120.0
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def is_older(folder: Path, commit: str, than: str, *, remote: str) -> bool | None:
    """Whether `commit` is an ancestor of `than`; None if that cannot be told.

    `folder` is in a clone, and `remote` is the git remote that has what it lacks.
    """
    if commit == than:
        return False
    # Both are texts from a ledger or a plan file: to git, one that begins with a dash is an option.
    if not (is_commit(commit) and is_commit(than)):
        return None
    try:
        git = Git(folder, timeout=_PATIENCE)
        answer = _ancestor(git, commit, than)
        # A shallow history ends too soon, so its "no" proves nothing.
        if answer is None or (not answer and _is_shallow(git)):
            return _asked_remote(git, commit, than, remote)
        return answer
    except (GitError, OSError):
        return None


def is_commit(text: str) -> bool:
    """Whether `text` can be the id of a commit, written out whole."""
    return _COMMIT.fullmatch(text) is not None


def _ancestor(git: Git, commit: str, than: str) -> bool | None:
    """What this repository says; None if it lacks one of the two."""
    code = git.run("merge-base", "--is-ancestor", commit, than).code
    return code == 0 if code in (0, 1) else None


def _is_shallow(git: Git) -> bool:
    return git.text("rev-parse", "--is-shallow-repository") == "true"


def _asked_remote(git: Git, commit: str, than: str, remote: str) -> bool | None:
    """The answer from the remote's history of `than`, which `commit` is in if it is older."""
    # Commits alone: a catalogue's trees and files are most of a repository.
    with fetched(git, than, remote, "--filter=tree:0") as history:
        if history is None:
            # Not knowing is told as a warning; an apply must not fail for want of a network.
            return None
        known = history.run("cat-file", "-e", f"{commit}^{{commit}}")
        return known.code == 0 and bool(_ancestor(history, commit, than))


@contextmanager
def fetched(git: Git, commit: str, remote: str, *options: str) -> Iterator[Git | None]:
    """A repository with `commit` as the remote has it, gone after the block; None if it has not.

    The clone that `git` is in stays as it is; `options` are those of `git fetch`.
    """
    # The clone's own configuration names the remote, and holds what a pipeline reaches it with.
    settings = git.text("rev-parse", "--path-format=absolute", "--git-path", "config")
    with tempfile.TemporaryDirectory(prefix="reconciler-") as folder:
        apart = Git(Path(folder), timeout=_PATIENCE)
        apart.read("init", "--quiet", ".")
        answer = apart.run(
            *("-c", f"include.path={settings}", "fetch", "--quiet", "--no-tags", *options),
            *("--no-write-fetch-head", "--no-recurse-submodules", "--refmap=", remote, commit),
        )
        yield apart if answer.code == 0 else None
