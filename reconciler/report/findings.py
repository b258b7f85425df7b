"""Catalogue findings, as text with a place first and as JSON."""

from collections.abc import Sequence
from typing import Any

from reconciler.model import Finding
from reconciler.report.json_text import json_text
from reconciler.report.style import Style
from reconciler.report.words import finding_line, plural


def findings_text(findings: Sequence[Finding], *, color: bool = False) -> str:
    """One line a finding, `file:line:column: error: message [code]`, and the total last."""
    style = Style(color)
    lines = [
        style.red(finding_line(finding))
        if finding.severity == "error"
        else style.yellow(finding_line(finding))
        for finding in findings
    ]
    return "\n".join([*lines, findings_summary(findings)]) + "\n"


def findings_summary(findings: Sequence[Finding]) -> str:
    """The findings counted: "2 errors and 1 warning in 2 files."."""
    errors = sum(1 for finding in findings if finding.severity == "error")
    if not findings:
        return "No findings."
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
        "file": location.file if location else None,
        "line": location.line if location else None,
        "column": location.column if location else None,
        "message": finding.message,
    }
