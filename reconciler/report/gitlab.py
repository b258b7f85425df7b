"""GitLab's two reports: counts of a plan for the merge request, code quality for findings."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from reconciler.model import Finding
from reconciler.planning.plan import Plan
from reconciler.report.escape import break_commands, escape
from reconciler.report.json_text import json_text


def plan_gitlab(plan: Plan) -> str:
    """The counts that a merge request shows: `{"create": n, "update": n, "delete": n}`."""
    summary = plan.summary
    # GitLab's report of infrastructure changes, which has room for these three numbers alone.
    return json_text({"create": summary.create, "update": summary.update, "delete": summary.delete})


def findings_gitlab(findings: Sequence[Finding]) -> str:
    """The findings as a code quality report, each with a fingerprint that outlives moved lines."""
    seen: Counter[tuple[str, str, str]] = Counter()
    issues = []
    for finding in findings:
        file = finding.location.file if finding.location else "."
        key = (file, str(finding.code), finding.message)
        issues.append(_issue(finding, file, seen[key]))
        seen[key] += 1
    return break_commands(json.dumps(issues, indent=2), "\\u0023") + "\n"


def _issue(finding: Finding, file: str, repeat: int) -> dict[str, Any]:
    """One issue; `repeat` tells apart findings that differ in their line only."""
    # Without the line: else an edit above would make every finding below it a new one.
    identity = json.dumps([file, finding.code, finding.message, repeat])
    return {
        "description": escape(finding.message),
        "check_name": finding.code,
        "fingerprint": hashlib.sha256(identity.encode()).hexdigest(),
        "severity": "major" if finding.severity == "error" else "minor",
        "location": {
            "path": file,
            # The format demands a line, also of a finding that has none.
            "lines": {"begin": finding.location.line if finding.location else 1},
        },
    }
