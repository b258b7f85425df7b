"""The shape of an apply report, for whoever reads one; `report_json` writes it."""

from typing import Literal

from reconciler.report.change_schema import StrictDocument
from reconciler.report.plan_schema import WarningDocument


class TallyDocument(StrictDocument):
    """Counts of changes by what became of them."""

    applied: int
    failed: int
    not_attempted: int
    unknown: int


class RequestsDocument(StrictDocument):
    """Counts of calls by method, and of repeats."""

    GET: int
    POST: int
    PATCH: int
    DELETE: int
    retries: int


class OutcomeDocument(StrictDocument):
    """What became of one change."""

    action: Literal["create", "update", "delete"]
    store_id: str
    id: str | None
    outcome: Literal["applied", "failed", "not_attempted", "unknown"]
    error: str | None


class ReportDocument(StrictDocument):
    """The account of one apply: every change with its outcome."""

    format: Literal["reconciler.report/1"]
    store: str
    plan_digest: str
    started_at: str
    finished_at: str
    summary: TallyDocument
    requests: RequestsDocument
    converged: bool | None
    interrupted: bool
    error: str | None
    outcomes: list[OutcomeDocument]
    warnings: list[WarningDocument]
