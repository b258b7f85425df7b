"""The shape of a plan's changes in Plan JSON; each becomes its Change as soon as it is read."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, create_model

from reconciler.model import FIELDS, INDEX, Kind, Location, Notes, RemoteProduct, Value
from reconciler.planning.plan import Change, Create, Delete, FieldChange, Origin, Update

# Not `str`: remote text may hold lone surrogates, which pydantic's own str refuses.
Text: TypeAlias = InstanceOf[str]
Wire: TypeAlias = Text | list[Text] | None


class UnknownNameError(ValueError):
    """The plan names a code or a field that this version lacks, or gives a field a wrong value."""


class StrictDocument(BaseModel):
    """Strict: no value is ever converted into what it should have been."""

    # Unknown keys are ignored: a later tool may add some without a new format.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SourceDocument(StrictDocument):
    """A place in a catalogue file, 1-based."""

    file: Text
    line: int
    column: int

    def location(self) -> Location:
        """The Location meant."""
        return Location(self.file, self.line, self.column)


class FieldDocument(StrictDocument):
    """What becomes of one field."""

    before: Wire
    after: Wire
    write_only: bool = False
    in_doubt: bool = False

    def change(self, key: str) -> FieldChange:
        """The FieldChange meant, if `key` can hold such values."""
        before, after = value_of(key, self.before), value_of(key, self.after)
        return FieldChange(before, after, self.write_only, self.in_doubt)


# Built from the field table, so that a row added there is saved and read here.
_SEEN: dict[str, Any] = {
    field.key: (list[Text] | None if field.kind is Kind.TAGS else Text | None, ...)
    for field in FIELDS
    if field.readable
}
_Seen: Any = create_model("_Seen", __base__=StrictDocument, **_SEEN)


class SeenDocument(_Seen):
    """The remote product that an update was made from: its readable fields."""

    # For showing alone: it is the service's own rendition, which nothing compares.
    image_md: Text | None = None

    def product(self, id: str) -> RemoteProduct:
        """The RemoteProduct meant."""
        values = tuple(
            value_of(field.key, getattr(self, field.key)) if field.readable else None
            for field in FIELDS
        )
        return RemoteProduct(id, values)


class _ChangeDocument(StrictDocument):
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


def value_of(key: str, value: str | list[str] | None) -> Value | None:
    """`value` as the field `key` holds it; raises UnknownNameError if it cannot."""
    if key not in INDEX:
        # To apply the change without that field would be something else than was approved (P4).
        raise UnknownNameError(f'"{key}" is not a field that this version knows')
    if value is None:
        return None
    if (FIELDS[INDEX[key]].kind is Kind.TAGS) is not isinstance(value, list):
        raise UnknownNameError(f'"{key}" holds the wrong kind of value')
    return tuple(value) if isinstance(value, list) else value
