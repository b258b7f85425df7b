"""One ref of a git remote, used as a small versioned folder.

Reading fetches only that ref and keeps it under the same name in the checkout, so that
`git log refs/reconciler/default` shows the history. Branches, tags, the index, the work tree and
FETCH_HEAD stay as they are. Writing makes a commit object and pushes it with --force-with-lease, so
the server takes it only if the ref is still what was read.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from reconciler.errors import LedgerError
from reconciler.git import Git, GitResult, without_credentials
from reconciler.ledger.together import Together
from reconciler.model import LedgerCommit

_SOMEBODY: Final = {"NAME": "reconciler", "EMAIL": "reconciler@localhost"}
_LOG_FIELDS: Final = ("%H", "%aI", "%an", "%s", "%b")


class _Remote:
    """A git remote as the stores of this process use it: with one call for many refs.

    The stores of a fleet share one checkout, and git allows one fetch at a time in a shallow one.
    """

    def __init__(self, git: Git, remote: str) -> None:
        self._git = git
        self._remote = remote
        self.look: Together[str, GitResult] = Together(self._look, _failed)
        self.fetch: Together[tuple[str, int], GitResult] = Together(self._fetch, _failed)
        self.push: Together[tuple[str, str], GitResult] = Together(self._push, _failed)

    def _look(self, names: Sequence[str]) -> GitResult:
        """List the refs of these names."""
        return self._git.run("ls-remote", "--refs", self._remote, *names)

    def _fetch(self, wanted: Sequence[tuple[str, int]]) -> GitResult:
        """Fetch refs, in a shallow clone only to the greatest depth that is asked for."""
        # Elsewhere no depth is given: it would turn the user's full clone into a shallow one.
        shallow = self._git.text("rev-parse", "--is-shallow-repository") == "true"
        return self._git.run(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-prune"),
            # An empty refmap leaves the user's remote-tracking refs alone.
            *("--no-recurse-submodules", "--no-filter", "--refmap="),
            *((f"--depth={max(depth for _, depth in wanted)}",) if shallow else ()),
            *(self._remote, *(f"+{name}:{name}" for name, _ in wanted)),
        )

    def _push(self, wanted: Sequence[tuple[str, str]]) -> GitResult:
        """Push refs, each with the lease that holds it to what was read; one may fail alone."""
        # A mirror remote would push every ref. A URL has no configuration, and could break `-c`.
        named = "://" not in self._remote
        plain = ("-c", f"remote.{self._remote}.mirror=false") if named else ()
        return self._git.run(
            *(*plain, "push", "--quiet", "--no-verify"),
            *("--no-follow-tags", "--no-signed", "--no-recurse-submodules"),
            *(f"--force-with-lease={lease}" for lease, _ in wanted),
            *(self._remote, *(refspec for _, refspec in wanted)),
        )


def _failed(answer: GitResult) -> bool:
    return answer.code != 0


_remotes: dict[tuple[Path, str], _Remote] = {}
_making: Final = Lock()


def _remote_of(git: Git, remote: str) -> _Remote:
    with _making:
        return _remotes.setdefault((git.folder, remote), _Remote(git, remote))


class Tip(NamedTuple):
    """The newest commit of the ref, or None, and the blob ids of its files."""

    commit: str | None
    files: Mapping[str, str]


class Pushed(Enum):
    """The outcome of a push."""

    LANDED = "the ref is the new commit"
    OVERTAKEN = "another run wrote the ref after it was read"
    REFUSED = "the server refused it, and the ref is unchanged"


class GitRef:
    """The ref `name` at `remote`, reached through the checkout of `git`."""

    def __init__(self, git: Git, *, name: str, remote: str) -> None:
        self.name = name
        self._git = git
        self._remote = remote
        self._calls = _remote_of(git, remote)

    @property
    def remote(self) -> str:
        """The remote without credentials, for messages: a URL may hold a token."""
        return without_credentials(self._remote)

    def at_remote(self) -> str | None:
        """The commit of the ref at the remote; None if the remote has no such ref.

        Raises LedgerError if the remote cannot be reached.
        """
        answer = self._calls.look(self.name)
        self._check_reached(answer)
        for line in answer.output.decode(errors="replace").splitlines():
            commit, _, name = line.partition("\t")
            # ls-remote matches the end of a name: refs/x/refs/reconciler/default would match too.
            if name == self.name:
                return commit
        return None

    def read(self) -> Tip:
        """The newest commit at the remote and its files, fetched; LedgerError if that fails."""
        commit = self.at_remote()
        if commit is None:
            return Tip(None, {})
        if commit != self._local():
            self._fetch(depth=1)
            commit = self._local() or commit
        return Tip(commit, self.files(commit))

    def blob(self, id: str) -> bytes:
        """The content of one file."""
        return self._git.read("cat-file", "blob", id)

    def commit(self, parent: str | None, files: Mapping[str, bytes | str], message: str) -> str:
        """Make a commit on `parent` and return its id; a file is its content, or its blob's id."""
        entries = []
        for name, content in sorted(files.items()):
            id = content if isinstance(content, str) else self._store(content)
            entries.append(f"100644 blob {id}\t{name}\n")
        tree = self._git.text("mktree", data="".join(entries).encode())
        parents = () if parent is None else ("-p", parent)
        output = self._git.read(
            # A pipeline has no key to sign with.
            *("commit-tree", "--no-gpg-sign", *parents, "-F", "-", tree),
            data=message.encode(errors="replace"),
            environment=self._identity(),
        )
        return output.decode().strip()

    def push(self, *, old: str | None, new: str) -> tuple[Pushed, str]:
        """Set the ref to `new` at the remote if it still is `old`; also return git's message.

        Raises LedgerError if the outcome is unknown. The same push may then be tried again: if it
        had landed, that is noticed.
        """
        answer = self._calls.push((f"{self.name}:{old or ''}", f"{new}:{self.name}"))
        # The exit code is the same for a refusal and a lost answer, so look at the ref.
        seen = new if answer.code == 0 else self.at_remote()
        if seen == new:
            # Only saves the next read a fetch, so a failure does not matter.
            self._git.run("update-ref", self.name, new)
            return Pushed.LANDED, ""
        return (Pushed.REFUSED if seen == old else Pushed.OVERTAKEN), answer.complaint

    def log(self, limit: int, *, without: str) -> Sequence[LedgerCommit]:
        """The last `limit` commits, newest first, except those with `without` in their message."""
        commit = self.at_remote()
        if commit is None:
            return ()
        # In a shallow clone fetch no more than needed; a long apply has many lock commits to skip.
        depth = 4 * limit
        while True:
            self._fetch(depth=depth)
            commit = self._local() or commit
            found = self._logged(commit, limit, without)
            known = int(self._git.text("rev-list", "--count", "--first-parent", commit, "--"))
            if len(found) == limit or known < depth:
                return found
            # Deepening by a factor keeps the number of fetches small, however long the history is.
            depth *= 4

    def _logged(self, commit: str, limit: int, without: str) -> Sequence[LedgerCommit]:
        """`log`, among the commits that are in the checkout."""
        output = self._git.read(
            *("log", "-z", f"--max-count={limit}", "--first-parent", "--invert-grep"),
            *("--fixed-strings", f"--grep={without}", "--format=" + "%x00".join(_LOG_FIELDS)),
            *(commit, "--"),
        )
        texts = output.decode(errors="replace").split("\0")[:-1]
        count = len(_LOG_FIELDS)
        rows = [texts[start : start + count] for start in range(0, len(texts), count)]
        return tuple(LedgerCommit(*(text.strip() for text in row)) for row in rows)

    def _fetch(self, *, depth: int) -> None:
        """Fetch the ref, in a shallow clone only to `depth`."""
        answer = self._calls.fetch((self.name, depth))
        self._check_reached(answer)

    def _check_reached(self, result: GitResult) -> None:
        if result.code != 0:
            raise LedgerError(
                f"The ledger {self.name} cannot be read from the remote "
                f"{self.remote!r}: {result.complaint}",
                # Git does not say why if it refuses the whole checkout, so the hint must.
                hint=self._git.advice()
                or "`ledger: git` needs its remote on every run: check the network, the name "
                "of the remote, and that the checkout keeps its token for later steps.",
            )

    def _local(self) -> str | None:
        """The commit of the ref in this checkout, or None."""
        answer = self._git.run("rev-parse", "--verify", "--quiet", f"{self.name}^{{commit}}")
        return answer.output.decode().strip() if answer.code == 0 else None

    def files(self, commit: str) -> Mapping[str, str]:
        """The ids of the blobs in a commit's top folder, by name."""
        files = {}
        for line in self._git.read("ls-tree", "-z", commit).decode(errors="replace").split("\0"):
            about, _, name = line.partition("\t")
            if name:
                files[name] = about.split()[2]
        return files

    def _store(self, content: bytes) -> str:
        return self._git.text("hash-object", "-w", "--stdin", data=content)

    def _identity(self) -> Mapping[str, str]:
        """Variables that name an author and a committer, if the user has configured none."""
        found: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            # Without useConfigOnly git would make up a name from the user and the host.
            configured = self._git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT")
            if configured.code != 0:
                found |= {f"GIT_{role}_{part}": text for part, text in _SOMEBODY.items()}
        return found
