"""The shape of Plan JSON, checked strictly when a saved plan is read.

Loaded only when a plan is read or its JSON Schema is asked for.
"""

import re
from typing import Any, Final, Literal, cast

from pydantic import Field

from reconciler.codes import Code
from reconciler.model import KEYS, WRITE_ONLY, Finding, Value
from reconciler.planning.plan import Adoption, Blocked, CatalogFacts, Change, Plan, Refusal
from reconciler.report.change_schema import (
    ChangeDocument,
    SourceDocument,
    StrictDocument,
    Text,
    UnknownNameError,
    value_of,
)

_RULE_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class CatalogDocument(StrictDocument):
    """The declared side."""

    products: int
    digest: Text
    commit: Text | None
    dirty: bool | None


class RemoteDocument(StrictDocument):
    """The remote side."""

    products: int
    api_url: Text | None


class SummaryDocument(StrictDocument):
    """Counts of products."""

    create: int
    update: int
    delete: int
    unchanged: int
    blocked: int
    unconfirmed: int
    # With a default, since plans of earlier versions have no such key.
    kept: int = 0
    undeclared: int = 0


class BlockedDocument(StrictDocument):
    """Remote products that are left untouched."""

    store_id: Text | None
    ids: list[Text]
    reason: Text


class AdoptionDocument(StrictDocument):
    """A product whose declared values a successful apply records."""

    id: Text
    store_id: Text
    assumed: dict[Text, Text | list[Text]]
    came_from: Text | None = None
    outdated: list[Text] = Field(default_factory=list)


class WarningDocument(StrictDocument):
    """A warning, with its place if it has one."""

    code: Text
    message: Text
    source: SourceDocument | None

    def finding(self) -> Finding:
        """The Finding meant."""
        source = self.source.location() if self.source else None
        return Finding("warning", _finding_code(self.code), self.message, source)


class RefusalDocument(StrictDocument):
    """Why apply will refuse, and the flag that allows it."""

    code: Text
    message: Text
    allow: Text


class RehearsalDocument(StrictDocument):
    """How the plan went on a copy of the remote."""

    calls: int
    converges: bool


class PlanDocument(StrictDocument):
    """A saved plan. `operations` are for reading: an apply derives its calls from `changes`."""

    format: Literal["reconciler.plan/1"]
    tool: Text
    store: Text
    created_at: Text
    digest: Text
    catalog: CatalogDocument
    remote: RemoteDocument
    summary: SummaryDocument
    changes: list[ChangeDocument]
    operations: list[dict[Text, Any]]
    blocked: list[BlockedDocument]
    warnings: list[WarningDocument]
    refusals: list[RefusalDocument]
    adoptions: list[AdoptionDocument]
    partial: bool = False
    rehearsal: RehearsalDocument | None = None
    seal: Text

    def plan(self) -> Plan:
        """The Plan meant; raises UnknownNameError for codes that this tool does not know."""
        return Plan(
            store=self.store,
            catalog=CatalogFacts(**self.catalog.model_dump()),
            remote_products=self.remote.products,
            changes=tuple(cast("list[Change]", self.changes)),
            blocked=tuple(
                Blocked(blocked.store_id, tuple(blocked.ids), _code(blocked.reason))
                for blocked in self.blocked
            ),
            adoptions=tuple(
                Adoption(
                    adoption.id,
                    adoption.store_id,
                    _assumed(adoption.assumed),
                    adoption.came_from,
                    tuple(adoption.outdated),
                )
                for adoption in self.adoptions
            ),
            warnings=tuple(warning.finding() for warning in self.warnings),
            refusals=tuple(
                Refusal(_finding_code(refusal.code), refusal.message, refusal.allow)
                for refusal in self.refusals
            ),
            unchanged=self.summary.unchanged,
            unconfirmed=self.summary.unconfirmed,
            partial=self.partial,
            kept=self.summary.kept,
            undeclared=self.summary.undeclared,
        )


def _assumed(values: dict[str, str | list[str]]) -> tuple[Value | None, ...]:
    """One value for each write-only field."""
    read = {key: value_of(key, value) for key, value in values.items()}
    return tuple(read.get(KEYS[position]) for position in WRITE_ONLY)


def _finding_code(name: str) -> str:
    """A Code, or the name of a rule of the shop's own."""
    # A shop's rules are not known here, but their names have no underscore.
    return name if _RULE_NAME.fullmatch(name) else _code(name)


def _code(name: str) -> Code:
    """The Code of that name; raises UnknownNameError for one that this version lacks."""
    try:
        return Code(name)
    except ValueError as error:
        raise UnknownNameError(f'"{name}" is not a code that this version knows') from error
