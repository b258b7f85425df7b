"""The apply report as JSON, exactly as "Apply report" in the interface."""

from typing import Any

from reconciler.planning.outcome import Report
from reconciler.report.json_text import json_text
from reconciler.report.plan_json import warning_document

_FORMAT = "reconciler.report/1"
_METHODS = ("GET", "POST", "PATCH", "DELETE", "retries")


def report_json(report: Report) -> str:
    """The report as JSON text, one line an outcome."""
    return json_text(report_document(report))


def report_document(report: Report) -> dict[str, Any]:
    """The report as plain JSON values; the summary is counted from the outcomes.

    Beyond the documented keys: `interrupted`, and `error`, which says what ended the apply early.
    """
    return {
        "format": _FORMAT,
        "store": report.store,
        "plan_digest": report.plan_digest,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "summary": report.summary._asdict(),
        # Zeros too: a script finds each method, whether it was called or not.
        "requests": dict.fromkeys(_METHODS, 0) | dict(report.requests),
        "converged": report.converged,
        "interrupted": report.interrupted,
        "error": report.error,
        "outcomes": [
            {
                "action": outcome.action,
                "store_id": outcome.store_id,
                "id": outcome.id,
                "outcome": outcome.fate,
                "error": outcome.error,
            }
            for outcome in report.outcomes
        ],
        "warnings": [warning_document(warning) for warning in report.warnings],
    }
