"""The shape of Plan JSON, checked strictly when a saved plan is read.

Loaded only when a plan is read or its JSON Schema is asked for.
"""

import re
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, create_model

from reconciler.codes import Code
from reconciler.model import (
    FIELDS,
    INDEX,
    KEYS,
    WRITE_ONLY,
    Finding,
    Kind,
    Location,
    Notes,
    RemoteProduct,
    Value,
)
from reconciler.planning.plan import (
    Adoption,
    Blocked,
    CatalogFacts,
    Change,
    Create,
    Delete,
    FieldChange,
    Origin,
    Plan,
    Refusal,
    Update,
)

_RULE_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

# Not `str`: remote text may hold lone surrogates, which pydantic's own str refuses.
Text: TypeAlias = InstanceOf[str]
Wire: TypeAlias = Text | list[Text] | None


class UnknownNameError(ValueError):
    """The plan names a code or a field that this version lacks, or gives a field a wrong value."""


class _Model(BaseModel):
    """Strict: no value is ever converted into what it should have been."""

    # Unknown keys are ignored: a later tool may add some without a new format.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SourceDocument(_Model):
    """A place in a catalogue file, 1-based."""

    file: Text
    line: int
    column: int

    def location(self) -> Location:
        """The Location meant."""
        return Location(self.file, self.line, self.column)


class FieldDocument(_Model):
    """What becomes of one field."""

    before: Wire
    after: Wire
    write_only: bool = False
    in_doubt: bool = False

    def change(self, key: str) -> FieldChange:
        """The FieldChange meant, if `key` can hold such values."""
        before, after = _value(key, self.before), _value(key, self.after)
        return FieldChange(before, after, self.write_only, self.in_doubt)


# Built from the field table, so that a row added there is saved and read here.
_SEEN: dict[str, Any] = {
    field.key: (list[Text] | None if field.kind is Kind.TAGS else Text | None, ...)
    for field in FIELDS
    if field.readable
}
_Seen: Any = create_model("_Seen", __base__=_Model, **_SEEN)


class SeenDocument(_Seen):
    """The remote product that an update was made from: its readable fields."""

    # For showing alone: it is the service's own rendition, which nothing compares.
    image_md: Text | None = None

    def product(self, id: str) -> RemoteProduct:
        """The RemoteProduct meant."""
        values = tuple(
            _value(field.key, getattr(self, field.key)) if field.readable else None
            for field in FIELDS
        )
        return RemoteProduct(id, values)


class _ChangeDocument(_Model):
    store_id: Text
    fields: dict[Text, FieldDocument]
    origin: Origin | None = None
    notes: dict[Text, Text | list[Text]] = Field(default_factory=dict)

    def field_changes(self) -> dict[str, FieldChange]:
        return {key: field.change(key) for key, field in self.fields.items()}

    def all_notes(self) -> Notes:
        return tuple(
            (key, tuple(note) if isinstance(note, list) else note)
            for key, note in self.notes.items()
        )


class CreateDocument(_ChangeDocument):
    """A product that would be created."""

    action: Literal["create"]
    name: Text
    source: SourceDocument | None
    came_from: Text | None = None

    def change(self) -> Create:
        """The Create meant."""
        source = self.source.location() if self.source else None
        fields = self.field_changes()
        return Create(
            self.store_id,
            self.name,
            fields,
            source,
            self.origin,
            self.came_from,
            self.all_notes(),
        )


class UpdateDocument(_ChangeDocument):
    """A product that would be updated or renamed."""

    action: Literal["update"]
    id: Text
    name: Text
    source: SourceDocument | None
    seen: SeenDocument
    came_from: Text | None = None
    sent_as: Text | None = None
    type: Text | None = None

    def change(self) -> Update:
        """The Update meant."""
        return Update(
            store_id=self.store_id,
            id=self.id,
            name=self.name,
            fields=self.field_changes(),
            seen=self.seen.product(self.id),
            source=self.source.location() if self.source else None,
            origin=self.origin,
            image_md=self.seen.image_md,
            came_from=self.came_from,
            sent_as=self.sent_as,
            type=self.type,
            notes=self.all_notes(),
        )


class DeleteDocument(_ChangeDocument):
    """A product that would be deleted, with all that is known of it."""

    action: Literal["delete"]
    id: Text
    name: Text | None
    record: dict[Text, Any]

    def change(self) -> Delete:
        """The Delete meant."""
        fields = self.field_changes()
        return Delete(self.store_id, self.id, self.name, fields, self.record, self.origin)


class CatalogDocument(_Model):
    """The declared side."""

    products: int
    digest: Text
    commit: Text | None
    dirty: bool | None


class RemoteDocument(_Model):
    """The remote side."""

    products: int
    api_url: Text | None


class SummaryDocument(_Model):
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


class BlockedDocument(_Model):
    """Remote products that are left untouched."""

    store_id: Text | None
    ids: list[Text]
    reason: Text


class AdoptionDocument(_Model):
    """A product whose declared values a successful apply records."""

    id: Text
    store_id: Text
    assumed: dict[Text, Text | list[Text]]
    came_from: Text | None = None
    outdated: list[Text] = Field(default_factory=list)


class WarningDocument(_Model):
    """A warning, with its place if it has one."""

    code: Text
    message: Text
    source: SourceDocument | None

    def finding(self) -> Finding:
        """The Finding meant."""
        source = self.source.location() if self.source else None
        return Finding("warning", _finding_code(self.code), self.message, source)


class RefusalDocument(_Model):
    """Why apply will refuse, and the flag that allows it."""

    code: Text
    message: Text
    allow: Text


def _meant(document: "CreateDocument | UpdateDocument | DeleteDocument") -> Change:
    """The Change that a document means."""
    return document.change()


# Each document becomes its Change at once: 100,000 of them kept until the end cost the collector
# of garbage more time than the reading itself.
ChangeDocument: TypeAlias = Annotated[
    CreateDocument | UpdateDocument | DeleteDocument,
    Field(discriminator="action"),
    AfterValidator(_meant),
]


class RehearsalDocument(_Model):
    """How the plan went on a copy of the remote."""

    calls: int
    converges: bool


class PlanDocument(_Model):
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
    read = {key: _value(key, value) for key, value in values.items()}
    return tuple(read.get(KEYS[position]) for position in WRITE_ONLY)


def _value(key: str, value: str | list[str] | None) -> Value | None:
    """`value` as the field `key` holds it; raises UnknownNameError if it cannot."""
    if key not in INDEX:
        # To apply the change without that field would be something else than was approved (P4).
        raise UnknownNameError(f'"{key}" is not a field that this version knows')
    if value is None:
        return None
    if (FIELDS[INDEX[key]].kind is Kind.TAGS) is not isinstance(value, list):
        raise UnknownNameError(f'"{key}" holds the wrong kind of value')
    return tuple(value) if isinstance(value, list) else value


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
