"""One ref of a remote as a small versioned folder of files.

Reading fetches that one ref and keeps it under the same name in the checkout, so that
`git log refs/reconciler/default` shows the history; no branch, tag, index, work tree or FETCH_HEAD
is touched. Writing makes a commit object and pushes it with the lease of the commit that was
read: the server takes it only if nobody was quicker.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from threading import Lock
from typing import Final, NamedTuple

from reconciler.errors import LedgerError
from reconciler.git import Git, GitResult, without_credentials
from reconciler.ledger.stores import Revision

_SOMEBODY: Final = {"NAME": "reconciler", "EMAIL": "reconciler@localhost"}
_LOG_FIELDS: Final = ("%H", "%aI", "%an", "%s", "%b")


# The stores of a fleet share one checkout, and git takes one fetch at a time in a shallow one.
_FETCHING: Final = Lock()


class Tip(NamedTuple):
    """The newest commit of the ref, None if there is none, and the blob ids of its files."""

    commit: str | None
    files: Mapping[str, str]


class Pushed(Enum):
    """What became of a push."""

    LANDED = "the ref is the new commit"
    OVERTAKEN = "somebody else wrote the ref since it was read"
    REFUSED = "the server did not take it, and the ref is as it was"


class GitRef:
    """The ref `name` at `remote`, reached through the checkout that `git` runs in."""

    def __init__(self, git: Git, *, name: str, remote: str) -> None:
        self.name = name
        self._git = git
        self._remote = remote

    @property
    def remote(self) -> str:
        """The remote as messages name it: an address may hold a token."""
        return without_credentials(self._remote)

    def at_remote(self) -> str | None:
        """The commit that the ref is at the remote; None if the remote has no such ref.

        Raises LedgerError if the remote cannot be reached.
        """
        answer = self._git.run("ls-remote", "--refs", self._remote, self.name)
        self._check_reached(answer)
        for line in answer.output.decode(errors="replace").splitlines():
            commit, _, name = line.partition("\t")
            # The remote matches by ending: refs/x/refs/reconciler/default would match too.
            if name == self.name:
                return commit
        return None

    def read(self) -> Tip:
        """The newest commit at the remote, fetched with its files; LedgerError if that fails."""
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
        """The id of a new commit on `parent`; a file is its content, or the id of its blob."""
        entries = []
        for name, content in sorted(files.items()):
            id = content if isinstance(content, str) else self._store(content)
            entries.append(f"100644 blob {id}\t{name}\n")
        tree = self._git.text("mktree", data="".join(entries).encode())
        parents = () if parent is None else ("-p", parent)
        output = self._git.read(
            *("commit-tree", "--no-gpg-sign", *parents, "-F", "-", tree),
            data=message.encode(errors="replace"),
            environment=self._identity(),
        )
        return output.decode().strip()

    def push(self, *, old: str | None, new: str) -> tuple[Pushed, str]:
        """Make the ref `new` at the remote if it still is `old`; with git's words if it is not.

        Raises LedgerError if it cannot be told what became of the push. It may be tried again
        then: a push that landed is seen to have landed.
        """
        # Only a remote with a name is configured, and an address may hold what ends a setting.
        named = "://" not in self._remote
        plain = ("-c", f"remote.{self._remote}.mirror=false") if named else ()
        answer = self._git.run(
            *(*plain, "push", "--quiet", "--no-verify"),
            *("--no-follow-tags", "--no-signed", "--no-recurse-submodules"),
            *(f"--force-with-lease={self.name}:{old or ''}", self._remote, f"{new}:{self.name}"),
        )
        # The exit code does not tell a refusal from a lost answer; the ref does.
        seen = new if answer.code == 0 else self.at_remote()
        if seen == new:
            # It only saves the next reading a fetch: a ref that cannot be written harms nothing.
            self._git.run("update-ref", self.name, new)
            return Pushed.LANDED, ""
        return (Pushed.REFUSED if seen == old else Pushed.OVERTAKEN), answer.complaint

    def log(self, limit: int, *, without: str) -> Sequence[Revision]:
        """The last `limit` commits, newest first, but those with `without` in their message."""
        commit = self.at_remote()
        if commit is None:
            return ()
        # A shallow clone fetches no more than it must, but a long apply has many commits.
        depth = 4 * limit
        while True:
            self._fetch(depth=depth)
            commit = self._local() or commit
            found = self._logged(commit, limit, without)
            known = int(self._git.text("rev-list", "--count", "--first-parent", commit, "--"))
            if len(found) == limit or known < depth:
                return found
            depth *= 4

    def _logged(self, commit: str, limit: int, without: str) -> Sequence[Revision]:
        """The last `limit` commits that are there, without those with `without` in a message."""
        output = self._git.read(
            *("log", "-z", f"--max-count={limit}", "--first-parent", "--invert-grep"),
            *("--fixed-strings", f"--grep={without}", "--format=" + "%x00".join(_LOG_FIELDS)),
            *(commit, "--"),
        )
        texts = output.decode(errors="replace").split("\0")[:-1]
        count = len(_LOG_FIELDS)
        rows = [texts[start : start + count] for start in range(0, len(texts), count)]
        return tuple(Revision(*(text.strip() for text in row)) for row in rows)

    def _fetch(self, *, depth: int) -> None:
        """Fetch the ref; `depth` counts only if the clone is shallow already.

        A depth would make a whole clone a shallow one.
        """
        shallow = self._git.text("rev-parse", "--is-shallow-repository") == "true"
        with _FETCHING:
            answer = self._git.run(
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-prune"),
                *("--no-recurse-submodules", "--no-filter", "--refmap="),
                *((f"--depth={depth}",) if shallow else ()),
                *(self._remote, f"+{self.name}:{self.name}"),
            )
        self._check_reached(answer)

    def _check_reached(self, result: GitResult) -> None:
        if result.code != 0:
            raise LedgerError(
                f"The ledger {self.name} cannot be read from the remote "
                f"{self.remote!r}: {result.complaint}",
                # Git does not say why if it refuses the whole checkout, so the hint must.
                hint=self._git.advice()
                or "`ledger: git` needs its remote on every run: check the network, the name "
                "of the remote, and that the checkout has left its token for later steps.",
            )

    def _local(self) -> str | None:
        """The commit that this checkout has under the ref's name."""
        answer = self._git.run("rev-parse", "--verify", "--quiet", f"{self.name}^{{commit}}")
        return answer.output.decode().strip() if answer.code == 0 else None

    def files(self, commit: str) -> Mapping[str, str]:
        """The blobs of a commit's top folder, by name."""
        files = {}
        for line in self._git.read("ls-tree", "-z", commit).decode(errors="replace").split("\0"):
            about, _, name = line.partition("\t")
            if name:
                files[name] = about.split()[2]
        return files

    def _store(self, content: bytes) -> str:
        return self._git.text("hash-object", "-w", "--stdin", data=content)

    def _identity(self) -> Mapping[str, str]:
        """A neutral name for the roles that nobody has configured a name for."""
        found: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            configured = self._git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT")
            if configured.code != 0:
                found |= {f"GIT_{role}_{part}": text for part, text in _SOMEBODY.items()}
        return found
