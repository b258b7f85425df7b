"""The error tree. Each error has a code, and the exit code of a command that it ends.

ReconcilerError                     1
├── UsageError                      1   a bad flag, argument or pattern
├── SettingsError                   1   reconciler.yaml, the environment, a missing key
├── CatalogError                    1   findings, each with file:line:column
├── ExportError                     1   a shop's export: findings, each with file:row:column
├── RemoteError                     1
│   ├── Unreachable                 1   no answer: name, connection, TLS, timeout
│   ├── KeyRefused                  1   401 or 403
│   ├── Rejected                    1   any other status that is not success
│   ├── BadAnswer                   1   an answer unlike what the API documents
│   └── UnstableList                1   the list changed during every attempt to read it
├── LedgerError                     1
├── GitError                        1   git is missing, fails, or has no such revision
├── Locked                          1   another apply holds the store
├── PlanFileError                   1   damaged, edited, or of a newer format
├── MissingExtra                    1   an optional dependency is not installed
├── OutputError                     1   the result could not be written
├── GuardRefused                    3
├── StalePlan                       4
├── OtherShop                       4   a saved plan of another endpoint or store
├── OlderCommit                     4   an ancestor of the commit applied last
└── Interrupted                   130

Only the command line exits. No message holds the key: `remote/` redacts whatever comes from the
network before it becomes part of an error.
"""

from collections.abc import Sequence
from typing import ClassVar

from reconciler.codes import Code
from reconciler.model import Finding, Location


class ReconcilerError(Exception):
    """An error that the user can act on: what happened (`message`), and what to do (`hint`)."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[Code] = Code.USAGE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReconcilerError):
    """The command line, or an argument of a call, makes no sense."""


class UnmatchedPattern(UsageError):
    """A pattern (`--select`, `--resend`) that matches nothing."""

    code = Code.UNMATCHED_PATTERN


class NotConfirmed(UsageError):
    """Nobody confirmed the apply: there was no terminal to ask on, or the answer was no."""

    code = Code.NOT_CONFIRMED


class SettingsError(ReconcilerError):
    """The settings cannot be used; `findings` holds one entry per fault, if locations are known."""

    code = Code.BAD_SETTINGS

    def __init__(
        self, message: str, *, hint: str | None = None, findings: Sequence[Finding] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.findings = tuple(findings)


class NoApiKey(SettingsError):
    """The environment has no API key under the name that the settings give."""

    code = Code.NO_API_KEY


class CatalogError(ReconcilerError):
    """The catalogue has errors; `findings` holds all of them, and the warnings, sorted."""

    code = Code.BAD_CATALOG

    def __init__(self, findings: Sequence[Finding], *, hint: str | None = None) -> None:
        self.findings = tuple(findings)
        errors = sum(1 for finding in self.findings if finding.severity == "error")
        faults = "1 error" if errors == 1 else f"{errors} errors"
        super().__init__(f"The catalogue has {faults}.", hint=hint)


class ExportError(ReconcilerError):
    """A shop's export cannot be imported; `findings` holds what is wrong, each with its row.

    `more` counts findings that are left out.
    """

    code = Code.BAD_EXPORT

    def __init__(
        self, findings: Sequence[Finding], more: int = 0, *, hint: str | None = None
    ) -> None:
        self.findings = tuple(sorted(findings, key=lambda each: each.location or ("", 0, 0)))
        count = len(self.findings) + more
        errors = "1 error" if count == 1 else f"{count} errors"
        shown = f" The first {len(self.findings)} are listed." if more else ""
        super().__init__(f"The export has {errors}; nothing was imported.{shown}", hint=hint)

    @classmethod
    def at(
        cls,
        file: str,
        message: str,
        code: Code = Code.BAD_EXPORT,
        *,
        row: int = 1,
        hint: str | None = None,
    ) -> "ExportError":
        """The error of a file with one fault."""
        return cls([Finding("error", code, message, Location(file, row, 1))], hint=hint)


class RemoteError(ReconcilerError):
    """A call to the API failed. The message does not hold the key.

    `may_have_landed`: a write may have taken effect all the same. `at_rest`: the server is
    certainly done with the call, so a list from now on shows its effect. `timed_out`: the time
    limit was reached. `status`: that of an answer which is not success. `repeats`: how often the
    call was repeated.
    """

    code = Code.BAD_ANSWER
    repeats: int = 0

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        may_have_landed: bool = False,
        at_rest: bool = True,
        timed_out: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.may_have_landed = may_have_landed
        self.at_rest = at_rest
        self.timed_out = timed_out
        self.status = status


class Unreachable(RemoteError):
    """No complete answer came."""

    code = Code.UNREACHABLE


class KeyRefused(RemoteError):
    """The server refused the API key."""

    code = Code.KEY_REFUSED


class Rejected(RemoteError):
    """The server answered with a status that is not success."""

    code = Code.REJECTED


class BadAnswer(RemoteError):
    """The server's answer does not have the documented form."""


class UnstableList(RemoteError):
    """The product list changed under every attempt to read it whole."""

    code = Code.UNSTABLE_LIST


class LedgerError(ReconcilerError):
    """The ledger cannot be read."""

    code = Code.BAD_LEDGER


class LedgerNotWritten(LedgerError):
    """The ledger cannot be written, so no call was made that needs it."""

    code = Code.LEDGER_NOT_WRITTEN


class GitError(ReconcilerError):
    """Git cannot be run, fails, or has no such revision."""

    code = Code.GIT


class Locked(ReconcilerError):
    """Another apply holds this store."""

    code = Code.LOCKED


class PlanFileError(ReconcilerError):
    """The plan file is damaged, was edited, or is of a newer format."""

    code = Code.BAD_PLAN_FILE


class MissingExtra(ReconcilerError):
    """A feature needs an optional dependency that is not installed."""

    code = Code.MISSING_EXTRA


class OutputError(ReconcilerError):
    """The result could not be written: full disk, closed pipe, no permission."""

    code = Code.OUTPUT


class GuardRefused(ReconcilerError):
    """A guard refused the plan before the first write."""

    exit_code = 3
    code = Code.REFUSED


class StalePlan(ReconcilerError):
    """The saved plan no longer fits the remote; `details` names each product that changed."""

    exit_code = 4
    code = Code.STALE_PLAN

    def __init__(self, message: str, *, details: Sequence[str], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.details = tuple(details)


class OtherShop(ReconcilerError):
    """The saved plan is for another endpoint or store."""

    exit_code = 4
    code = Code.OTHER_SHOP


class OlderCommit(ReconcilerError):
    """The plan's commit is an ancestor of the one that was applied last."""

    exit_code = 4
    code = Code.OLDER_COMMIT


class Interrupted(ReconcilerError):
    """The user or the system asked the command to stop."""

    exit_code = 130
    code = Code.INTERRUPTED
