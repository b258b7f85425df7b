"""Catalogue findings, as text with a place first and as JSON."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from reconciler.codes import Code
from reconciler.model import Finding
from reconciler.report.escape import escape
from reconciler.report.json_text import json_text
from reconciler.report.style import Style
from reconciler.report.words import finding_line, plural
from reconciler.wording import wrapped


class Read(NamedTuple):
    """What was checked: how many products in how many files below which folders."""

    products: int
    files: int
    folders: Sequence[str] = ()


def findings_text(
    findings: Sequence[Finding],
    read: Read | None = None,
    *,
    color: bool = False,
    width: int | None = None,
    indent: str = "",
) -> str:
    """One line a finding, `file:line:column: error: message [code]`, and the total last.

    `read` is told with the total. With a `width` lines are broken between words.
    """
    style = Style(color)
    lines = []
    for finding in findings:
        paint = style.red if finding.severity == "error" else style.yellow
        line = f"{indent}{finding_line(finding)}"
        lines += [paint(part) for part in wrapped(line, width, hang=f"{indent}    ")]
    lines += wrapped(findings_summary(findings, read), width)
    return "\n".join(lines) + "\n"


def findings_summary(findings: Sequence[Finding], read: Read | None = None) -> str:
    """The findings counted: "2 errors and 1 warning in 2 files.", after what was read."""
    counted = _counted(findings)
    # Of a folder that is not there nothing was read, so no numbers are told.
    if read is None or any(finding.code == Code.NO_CATALOG for finding in findings):
        return counted
    if not read.files:
        # What is there and could not be read makes no folder empty.
        if any(finding.severity == "error" for finding in findings):
            return counted
        where = f" below {escape(', '.join(read.folders))}" if read.folders else ""
        empty = f"Empty: there is no .yaml or .yml file{where}."
        return f"{empty} {counted}" if findings else empty
    return (
        f"{plural(read.products, 'product')} in {plural(read.files, 'file')}: "
        f"{counted[0].lower()}{counted[1:]}"
    )


def _counted(findings: Sequence[Finding]) -> str:
    """The findings counted."""
    if not findings:
        return "No findings."
    errors = sum(1 for finding in findings if finding.severity == "error")
    files = {finding.location.file for finding in findings if finding.location}
    counts = f"{plural(errors, 'error')} and {plural(len(findings) - errors, 'warning')}"
    return f"{counts} in {plural(len(files), 'file')}." if files else f"{counts}."


def findings_json(findings: Sequence[Finding]) -> str:
    """`{"findings": [{"severity", "code", "file", "line", "column", "message"}]}`."""
    return json_text({"findings": [_document(finding) for finding in findings]})


def _document(finding: Finding) -> dict[str, Any]:
    """One finding; the three parts of its place are null if it has none."""
    location = finding.location
    return {
        "severity": finding.severity,
        "code": finding.code,
        # Null and not left out: a script reads the same keys of every finding.
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
        "message": finding.message,
    }
