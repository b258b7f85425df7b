"""Plan: the sorted, reviewable set of Changes, with its digest, warnings and blocked products."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from reconciler.codes import Code
from reconciler.model import (
    KEYS,
    WRITE_ONLY,
    Finding,
    Location,
    Notes,
    Record,
    RemoteProduct,
    Value,
)

Action: TypeAlias = Literal["create", "update", "delete"]
Prune: TypeAlias = Literal["all", "managed", "none"]
"""Which undeclared products are deleted: all, those this ledger created or adopted, or none."""
Origin: TypeAlias = Literal["edit", "drift", "both"]
"""Whose change it is: this branch's, the remote's since the base revision, or both."""


class FieldChange(NamedTuple):
    """What becomes of one field. `before` is None if it was null or absent, or is not known."""

    before: Value | None
    after: Value | None
    write_only: bool = False
    in_doubt: bool = False
    """Sent once, answer never seen: `before` is not known, and the value is sent again."""


@dataclass(frozen=True, slots=True)
class Create:
    """A declared product that the remote lacks. `fields` holds every declared value.

    `came_from` is the `renamed_from` that it declares, and that the remote has no product for.
    """

    action: ClassVar[Action] = "create"
    id: ClassVar[None] = None
    store_id: str
    name: str
    fields: Mapping[str, FieldChange]
    source: Location | None = None
    origin: Origin | None = None
    came_from: str | None = None
    notes: Notes = ()


@dataclass(frozen=True, slots=True)
class Update:
    """A product at the remote that differs. `store_id` is the declared one, also in a rename.

    `seen` is the remote product that the plan was made from; a saved plan is stale if it has
    changed since. `image_md` is the service's own rendition of its picture, and `type` the declared
    one; both are only shown. `came_from` is the declared `renamed_from`. `sent_as` is the store_id
    that a renamed product was last sent as, if the server keeps another for it.
    """

    action: ClassVar[Action] = "update"
    store_id: str
    id: str
    name: str
    fields: Mapping[str, FieldChange]
    seen: RemoteProduct
    source: Location | None = None
    origin: Origin | None = None
    image_md: str | None = None
    came_from: str | None = None
    sent_as: str | None = None
    type: str | None = None
    notes: Notes = ()

    @property
    def renamed_from(self) -> str | None:
        """The store_id at the remote, if this Update is a rename."""
        change = self.fields.get("store_id")
        return str(change.before) if change else None

    @property
    def leaves(self) -> str | None:
        """The store_id that a rename gives up for others, as it would be declared."""
        return self.renamed_from if self.sent_as is None else self.sent_as


@dataclass(frozen=True, slots=True)
class Delete:
    """A remote product that is declared nowhere. `record` is all that would be destroyed."""

    action: ClassVar[Action] = "delete"
    source: ClassVar[None] = None
    notes: ClassVar[Notes] = ()
    store_id: str
    id: str
    name: str | None
    fields: Mapping[str, FieldChange]
    record: Record = field(repr=False)
    origin: Origin | None = None


Change: TypeAlias = Create | Update | Delete

_ORDER: dict[Action, int] = {"create": 0, "update": 1, "delete": 2}


def change_order(change: Change) -> tuple[int, str]:
    """The order in which changes stand in a plan: by action, then by store_id."""
    return _ORDER[change.action], change.store_id


class Blocked(NamedTuple):
    """Remote products that are left untouched, whatever is declared, and why."""

    store_id: str | None
    ids: tuple[str, ...]
    reason: Code


class Adoption(NamedTuple):
    """A declared product at the remote about which the ledger has something to learn.

    A successful apply records `values` as assumed and sends nothing for them. It also forgets what
    the server kept of the `outdated` fields: these are now listed as declared, or the declaration
    has changed. There is one value per write-only field; None if the ledger has one already, or
    nothing is declared.
    """

    id: str
    store_id: str
    values: tuple[Value | None, ...]
    came_from: str | None = None
    outdated: tuple[str, ...] = ()

    @property
    def assumed(self) -> dict[str, Value]:
        """The values by field."""
        keys = (KEYS[position] for position in WRITE_ONLY)
        return {k: v for k, v in zip(keys, self.values, strict=True) if v is not None}


class Refusal(NamedTuple):
    """Why a guard will refuse to apply the plan, and the flag that allows it.

    `code` is a Code, or the name of one of the shop's own rules.
    """

    code: str
    message: str
    allow: str


class Rehearsal(NamedTuple):
    """How a plan went on a copy of the remote: its calls, and whether a second plan is empty."""

    calls: int
    converges: bool


class CatalogFacts(NamedTuple):
    """What the plan was made from, on the declared side."""

    products: int
    digest: str = ""
    commit: str | None = None
    dirty: bool | None = None


class Summary(NamedTuple):
    """Counts of products."""

    create: int
    update: int
    delete: int
    unchanged: int
    blocked: int
    unconfirmed: int
    kept: int = 0
    undeclared: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What apply would do, and all that a reviewer needs to judge it.

    `changes` stand in `change_order`. `unchanged` and `unconfirmed` count declared products, and
    `kept` counts those for which the server keeps another value than was sent. `undeclared` counts
    undeclared remote products that stay all the same, by `prune` or because they are protected.
    `partial` says that edits of the catalogue were left out, so its commit does not count as
    applied.
    """

    store: str
    catalog: CatalogFacts
    remote_products: int
    changes: tuple[Change, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    adoptions: tuple[Adoption, ...] = ()
    warnings: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unchanged: int = 0
    unconfirmed: int = 0
    kept: int = 0
    undeclared: int = 0
    partial: bool = False
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        # The class is frozen, and a digest that is passed in could disagree with the changes.
        object.__setattr__(self, "digest", digest(self.changes))

    def __repr__(self) -> str:
        return f"<Plan for {self.store!r}: {len(self.changes)} changes, {self.digest[:12]}>"

    @property
    def summary(self) -> Summary:
        """The plan in numbers."""
        counts = {"create": 0, "update": 0, "delete": 0}
        for change in self.changes:
            counts[change.action] += 1
        return Summary(
            **counts,
            unchanged=self.unchanged,
            blocked=len(self.blocked),
            unconfirmed=self.unconfirmed,
            kept=self.kept,
            undeclared=self.undeclared,
        )


def digest(changes: tuple[Change, ...]) -> str:
    """The SHA-256 of the changes alone: what would be done, not why or when."""
    hasher = hashlib.sha256()
    for change in changes:
        # Neither places nor notes nor warnings: a moved line must not void an approval.
        fields = {key: (c.before, c.after, c.in_doubt) for key, c in sorted(change.fields.items())}
        line = [change.action, change.store_id, change.id, fields]
        hasher.update(json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode())
        hasher.update(b"\n")
    return hasher.hexdigest()
