"""Git for the ledger: every failure is a LedgerError."""

from collections.abc import Mapping

from reconciler.errors import GitError, LedgerError
from reconciler.git import Git, GitResult


class LedgerGit(Git):
    """A Git whose failures are LedgerErrors."""

    def run(
        self, *arguments: str, data: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> GitResult:
        """Run `git arguments` and return any exit code; LedgerError if git cannot run."""
        try:
            return super().run(*arguments, data=data, environment=environment)
        except GitError as error:
            raise LedgerError(error.message, hint=error.hint) from error

    def read(
        self, *arguments: str, data: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """The output of `git arguments`; LedgerError if the command fails."""
        try:
            return super().read(*arguments, data=data, environment=environment)
        except GitError as error:
            raise LedgerError(
                error.message,
                hint=self.advice()
                or "`ledger: git` needs a clone of the repository as its working folder, or "
                "keep the ledger in a file: `ledger: file`.",
            ) from error
