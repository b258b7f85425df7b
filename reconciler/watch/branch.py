"""Branch: what is on the watched branch, read from git's objects; the work tree is left alone."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from reconciler.catalog.revision import load_revision
from reconciler.errors import CatalogError, GitError
from reconciler.git import Git
from reconciler.model import Catalog, Finding

if TYPE_CHECKING:
    from reconciler.settings import Settings

# The refs that keep fetched commits from git's garbage collection.
_OWN: Final = "refs/reconciler-watch/"
# Products of all catalogues that are kept in memory while the branch does not move.
_MOST_KEPT: Final = 500_000


class Branch:
    """One branch of the repository that `folder` is in, as `remote` has it.

    A repository without that remote is watched itself. Of each store two catalogues are kept, that
    of the branch and the one that was applied last, since reading one takes git several processes.
    """

    def __init__(self, folder: Path, name: str, remote: str) -> None:
        self.name = name
        self._folder = folder
        self._git = Git(folder)
        self._remote = remote
        self._lock = Lock()
        self._commit: str | None = None
        self._kept: dict[str, Catalog] = {}
        self._earlier: dict[str, Catalog] = {}

    def fetch(self) -> str:
        """The commit that the branch is at now; GitError if that cannot be told."""
        # A path, or HOST:PATH, is an address and no name.
        is_address = any(sign in self._remote for sign in ":/\\")
        if is_address or self._remote in self._git.text("remote").splitlines():
            commit = self._fetched()
        else:
            commit = self._local()
        # What was applied last is another commit, so `_earlier` stays.
        if commit != self._commit:
            with self._lock:
                self._kept.clear()
            self._commit = commit
        return commit

    def forget(self) -> None:
        """Read the catalogues anew when they are asked for."""
        with self._lock:
            self._kept.clear()
            self._earlier.clear()

    def catalog(self, settings: "Settings", store: str) -> Catalog:
        """The catalogue of a store at the commit that was fetched; CatalogError for its faults."""
        with self._lock:
            if (kept := self._kept.get(store)) is not None:
                return kept
        commit = self._commit or ""
        try:
            catalog = load_revision(
                settings.store(store).catalog,
                commit,
                working_folder=settings.folder,
                lint=settings.for_store(store).ruleset(),
            )
        except CatalogError as error:
            # A commit in each place would make the same faults look new whenever the branch moves.
            faults = [_without(f"{commit}:", fault) for fault in error.findings]
            hint = f"Commit a fix to the branch {self.name}."
            raise CatalogError(faults, hint=hint) from None
        self._keep(self._kept, store, catalog)
        return catalog

    def earlier(self, store: str, commit: str, read: Callable[[], Catalog]) -> Catalog:
        """The catalogue of a store at an earlier commit, which `read` reads."""
        with self._lock:
            kept = self._earlier.get(store)
        if kept is not None and kept.commit == commit:
            return kept
        catalog = read()
        self._keep(self._earlier, store, catalog)
        return catalog

    def _keep(self, place: dict[str, Catalog], store: str, catalog: Catalog) -> None:
        with self._lock:
            # What is about to be replaced must not count against the limit.
            place.pop(store, None)
            all_kept = (*self._kept.values(), *self._earlier.values())
            if sum(len(c.products) for c in all_kept) + len(catalog.products) <= _MOST_KEPT:
                place[store] = catalog

    def _fetched(self) -> str:
        ref = f"refs/heads/{self.name}"
        told = self._git.text("ls-remote", self._remote, ref)
        commit = next(
            (c for c, _, r in (line.partition("\t") for line in told.splitlines()) if r == ref),
            None,
        )
        if commit is None:
            raise GitError(
                f"The remote {self._remote} has no branch {self.name}.",
                hint="Name another with --ref, or push it again: the next round looks again.",
            )
        # Asking is cheaper than fetching, and most rounds find nothing new.
        if commit != self._commit:
            self._git.read(
                # Somebody may work in this clone: neither FETCH_HEAD nor its tracking branches may
                # move.
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap="),
                *("--no-recurse-submodules", self._remote, f"+{ref}:{_OWN}{self.name}"),
            )
            # Somebody may have pushed in between: what is read is what was fetched.
            commit = self._git.text("rev-parse", f"{_OWN}{self.name}^{{commit}}")
        return commit

    def _local(self) -> str:
        answer = self._git.run(
            "rev-parse", "--verify", "--quiet", f"refs/heads/{self.name}^{{commit}}"
        )
        if answer.code != 0:
            raise GitError(
                f"The repository has no branch {self.name}.",
                hint=self._git.advice() or "Name another with --ref.",
            )
        return answer.output.decode().strip()


def _without(prefix: str, fault: Finding) -> Finding:
    if fault.location is None:
        return fault
    file = fault.location.file.removeprefix(prefix)
    return fault._replace(location=fault.location._replace(file=file))
