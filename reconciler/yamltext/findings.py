"""Findings, gathered while a catalogue is read: each once, whatever leads to it."""

from collections.abc import Callable, Iterable

from reconciler.model import Finding, Severity, unpack_location

START = 1 << 32 | 1
"""The packed location 1:1, which stands for a whole file."""


class Findings:
    """All findings of one reading, without repeats, with the files that each is about."""

    def __init__(self) -> None:
        self._found: dict[Finding, frozenset[str]] = {}

    def add(self, finding: Finding, about: Iterable[str] = ()) -> None:
        """Keep `finding`; `about` names files that it concerns besides the one it is placed in."""
        files = {*about, finding.location.file} if finding.location else set(about)
        # An alias leads to one fault from many places.
        self._found[finding] = self._found.get(finding, frozenset()) | files

    def update(self, others: "Findings") -> None:
        """Keep all of `others`."""
        for finding, files in others._found.items():
            self.add(finding, files)

    def sorted(self, wanted: Callable[[str], bool] | None = None) -> tuple[Finding, ...]:
        """The findings by file, line, column and code; only those about a `wanted` file."""
        found = (
            finding
            for finding, files in self._found.items()
            if wanted is None or any(map(wanted, files))
        )
        return tuple(sorted(found, key=_order))


class Faults:
    """The findings of one file, told by location."""

    def __init__(self, file: str, findings: Findings) -> None:
        self.file = file
        self._findings = findings

    def error(self, code: str, message: str, at: int = START, about: Iterable[str] = ()) -> None:
        """Report an error at the packed location `at`."""
        self._add("error", code, message, at, about)

    def warning(self, code: str, message: str, at: int = START, about: Iterable[str] = ()) -> None:
        """Report a warning at the packed location `at`."""
        self._add("warning", code, message, at, about)

    def _add(
        self, severity: Severity, code: str, message: str, at: int, about: Iterable[str]
    ) -> None:
        location = unpack_location(self.file, at)
        self._findings.add(Finding(severity, code, message, location), about)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    at = finding.location or ("", 0, 0)
    return *at, finding.code, finding.message
