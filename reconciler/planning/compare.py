"""What differs between one declared product and its remote product, field by field.

Readable fields compare with the list; write-only ones with the ledger, by the table "Write-only
fields" of the interface.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
)
from reconciler.planning.plan import Adoption, FieldChange

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
            # A create whose answer was lost is remembered by its store_id alone.
            remembered = Remembered(store_id, self.ledger.creates.get(store_id, NOTHING))
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
        assumed: dict[str, Value] = {}
        for slot, position in _SLOTS:
            value = product.values[position]
            if value is not None and remembered.entries[slot] is None:
                assumed[KEYS[position]] = value
        self.adoptions.append(Adoption(str(remote.id), product.store_id, assumed))


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
