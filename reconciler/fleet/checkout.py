"""The files of a run: the same folder if a worker has it at the same commit, else its own clone."""

import re
from pathlib import Path
from threading import Lock
from typing import Final

from reconciler.errors import GitError, SettingsError
from reconciler.fleet.task import Checkout
from reconciler.fleet.versions import worker_name
from reconciler.git import Git

_OWN: Final = Path(".reconciler") / "fleet"
"""Below a worker's own folder: its bare clones, and the files of a commit."""
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_cloning: Final = Lock()


def checkout_of(folder: Path, config: Path | None, *, remote: str) -> Checkout:
    """The checkout that a run on a scheduler works on.

    Raises SettingsError if `folder` is not in a git repository, or has changes that are not
    committed: a commit is all that workers elsewhere can have.
    """
    git = Git(folder)
    try:
        commit = git.text("rev-parse", "--verify", "HEAD")
        prefix = git.text("rev-parse", "--show-prefix")
        url = git.run("remote", "get-url", remote)
    except GitError as error:
        raise SettingsError(
            f"A scheduler needs the catalogue in git: {error.message}",
            hint="Commit it, or run the fleet on this machine, without --scheduler.",
        ) from error
    if changed := _changed(git):
        raise SettingsError(
            f"There are changes that are not committed, such as {changed[0]}: workers would not "
            "have them.",
            hint="Commit and push them, or run the fleet on this machine, without --scheduler.",
        )
    # `remote` may be an address itself, of which git knows no name, so that call may fail.
    address = url.output.decode(errors="replace").strip() if url.code == 0 else remote
    # Git takes a path from the top of the checkout, which a worker elsewhere does not have.
    top = Path(git.text("rev-parse", "--show-toplevel"))
    if "://" not in address and (top / address).exists():
        address = str((top / address).resolve())
    below = prefix.rstrip("/") or "."
    return Checkout(folder, config, commit, below, remote, _without_token(address))


def _without_token(address: str) -> str:
    """The address as it may travel: a worker has its own credentials for it."""
    scheme, divided, rest = address.partition("://")
    user, at, host = rest.partition("@")
    # An @ behind the first slash belongs to the path.
    if not divided or not at or "/" in user:
        return address
    # Over http a user name may itself be the token; ssh needs its user, without a password.
    name = "" if scheme.startswith("http") else f"{user.partition(':')[0]}@"
    return f"{scheme}://{name}{host}"


def folder_of(checkout: Checkout) -> Path:
    """The working folder on this worker; SettingsError, which names it, if it cannot be had."""
    if checkout.commit is None or _has(checkout.folder, checkout.commit):
        return checkout.folder
    # Several stores are under way in one worker: each would else clone into the same folder.
    with _cloning:
        try:
            return _cloned(checkout, checkout.commit) / checkout.below
        except (GitError, OSError) as error:
            raise SettingsError(
                f"The worker {worker_name()} cannot get the commit {checkout.commit[:12]}: {error}",
                hint="Push the commit, and let the worker read the repository's remote; or let it "
                "work in the same folder.",
            ) from error


def _has(folder: Path, commit: str) -> bool:
    """Whether `folder` is a checkout of `commit` without changes."""
    if not folder.is_dir():
        return False
    git = Git(folder)
    try:
        return git.text("rev-parse", "--verify", "HEAD") == commit and not _changed(git)
    except GitError:
        return False


def _changed(git: Git) -> list[str]:
    """The YAML files below the folder that are not as they were committed."""
    found = git.read("status", "--porcelain", "-z", "--", "*.yaml", "*.yml").decode(
        errors="replace"
    )
    return [entry[3:] for entry in found.split("\0") if entry]


def _cloned(checkout: Checkout, commit: str) -> Path:
    """The top folder of a work tree at `commit`, made from this worker's bare clone."""
    own = Path.cwd() / _OWN
    bare, tree = own / "repository.git", own / commit
    if tree.is_dir() and _has(tree, commit):
        return tree
    if not bare.is_dir():
        bare.mkdir(parents=True)
        Git(own).read("init", "--quiet", "--bare", str(bare))
    git = Git(bare)
    # Named by --git-dir: git is told to take no bare repository that it finds by itself.
    at = f"--git-dir={bare}"
    if _NAME.fullmatch(checkout.remote):  # for the ledger, which is at the same remote
        git.read(at, "config", f"remote.{checkout.remote}.url", checkout.address)
    # One commit without its history: a worker reads files.
    git.read(at, "fetch", "--quiet", "--no-tags", "--depth=1", checkout.address, commit)
    # A work tree that git still knows, but whose folder is gone, is refused without --force.
    git.read(at, "worktree", "add", "--quiet", "--force", "--detach", str(tree), commit)
    return tree
