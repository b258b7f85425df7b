"""What differs between one declared product and its remote product, field by field.

Readable fields compare with the list; write-only ones with the ledger, by the table "Write-only
fields" of the interface.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from reconciler.model import (
    FIELDS,
    KEYS,
    NOTHING,
    READABLE,
    WRITE_ONLY,
    Entry,
    Kept,
    Ledger,
    Product,
    Remembered,
    RemoteProduct,
    State,
    Value,
    Values,
)
from reconciler.planning.plan import Adoption, FieldChange

_readable: Final = itemgetter(*READABLE)
_write_only: Final = itemgetter(*WRITE_ONLY)
_SLOTS: Final = tuple(enumerate(WRITE_ONLY))
_NOTHING_KEPT: Final[Mapping[str, Kept]] = MappingProxyType({})
_NEW: Final = Remembered("", NOTHING)

Resend = Callable[[str, str], bool]
"""Whether a declared value is to be sent whatever the ledger says: (field, store_id) -> bool."""


@dataclass(slots=True)
class Comparison:
    """Gathers what comparing many products has found, so that equal ones cost next to nothing."""

    ledger: Ledger
    resend: Resend | None = None
    created: Mapping[str, str] = field(default_factory=dict)
    """By id, the store_id of a lost create that made it, where the server has rewritten it."""
    adoptions: list[Adoption] = field(default_factory=list)
    unconfirmed: dict[str, list[str]] = field(default_factory=dict)
    """By write-only field, the store_ids of products of which nothing is known."""
    unconfirmed_products: int = 0
    kept: dict[str, list[tuple[str, Kept]]] = field(default_factory=dict)
    """By field, the products of which the server keeps another value than was sent."""

    def differences(self, product: Product, remote: RemoteProduct) -> dict[str, FieldChange]:
        """The fields that an Update of `product` would change; empty where all is equal."""
        desired, actual = product.values, remote.values
        remembered = self.ledger.products.get(remote.id)  # type: ignore[arg-type]  # matched: text
        if self.resend is None and remembered is not None and _in_sync(desired, actual, remembered):
            return {}
        kept = remembered.kept if remembered else _NOTHING_KEPT
        changes: dict[str, FieldChange] = {}
        for position in READABLE:
            value = desired[position]
            if value is not None and value != actual[position]:
                key = KEYS[position]
                if kept and kept.get(key) == (value, actual[position]):
                    self.kept.setdefault(key, []).append((product.store_id, kept[key]))
                else:
                    changes[key] = FieldChange(actual[position], value)
        self._write_only(product, remote, remembered, changes)
        return changes

    def _write_only(
        self,
        product: Product,
        remote: RemoteProduct,
        remembered: Remembered | None,
        changes: dict[str, FieldChange],
    ) -> None:
        store_id = product.store_id
        adopt = remembered is None
        if remembered is None:
            # A create whose answer was lost is remembered by its store_id alone, which is the
            # remote one: the product may have been declared under another name since.
            created_as = self.created.get(str(remote.id), str(remote.store_id))
            remembered = Remembered(store_id, self.ledger.creates.get(created_as, NOTHING))
        nothing_known = False
        for slot, position in _SLOTS:
            value = product.values[position]
            if value is None:
                continue
            entry = remembered.entries[slot]
            if self.resend is not None and self.resend(KEYS[position], store_id):
                changes[KEYS[position]] = _resent(entry, value)
            elif entry is None:
                adopt = nothing_known = True
                self.unconfirmed.setdefault(KEYS[position], []).append(store_id)
            elif entry.state is State.DOUBT:
                changes[KEYS[position]] = FieldChange(None, value, write_only=True, in_doubt=True)
            elif entry.value != value:
                changes[KEYS[position]] = FieldChange(entry.value, value, write_only=True)
        self.unconfirmed_products += nothing_known
        if adopt:
            self._adopt(product, remote, remembered)

    def _adopt(self, product: Product, remote: RemoteProduct, remembered: Remembered) -> None:
        assumed = Assumed(product.values, remembered.entries)
        self.adoptions.append(Adoption(str(remote.id), product.store_id, assumed))


class Assumed(Mapping[str, Value]):
    """The declared write-only values of which the ledger has no entry, by field.

    It looks into the product and the ledger, and holds no value itself: a first plan adopts
    every product of a shop.
    """

    __slots__ = ("_desired", "_entries")

    def __init__(self, desired: Values, entries: tuple[Entry | None, ...]) -> None:
        self._desired = desired
        self._entries = entries

    def __getitem__(self, key: str) -> Value:
        return self._found()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())

    def _found(self) -> dict[str, Value]:
        return {
            KEYS[position]: value
            for slot, position in _SLOTS
            if (value := self._desired[position]) is not None and self._entries[slot] is None
        }


def _in_sync(desired: Values, actual: Values, remembered: Remembered) -> bool:
    """Whether every field is declared, known and equal: true of most products, and soon told."""
    if _readable(desired) != _readable(actual):
        return False
    for value, entry in zip(_write_only(desired), remembered.entries, strict=True):
        if value is not None and (entry is None or entry[0] != value or entry[1] is State.DOUBT):
            return False
    return True


def _resent(entry: Entry | None, value: Value) -> FieldChange:
    """A value that is sent because the user says so; an entry in doubt tells no `before`."""
    known = entry is not None and entry.state is not State.DOUBT
    return FieldChange(
        entry.value if entry and known else None,
        value,
        write_only=True,
        in_doubt=entry is not None and not known,
    )


def declared(product: Product) -> dict[str, FieldChange]:
    """Every declared value, as a Create sends it."""
    return {
        field.key: FieldChange(None, value, write_only=not field.readable)
        for field, value in zip(FIELDS, product.values, strict=True)
        if value is not None
    }


def removed(remote: RemoteProduct) -> dict[str, FieldChange]:
    """Every readable value, as a Delete takes it away."""
    return {
        KEYS[position]: FieldChange(remote.values[position], None)
        for position in READABLE
        if remote.values[position] is not None
    }
