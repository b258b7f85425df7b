"""What differs between one declared product and its remote product, field by field.

Readable fields compare with the list; write-only ones with the ledger, by the table "Write-only
fields" of the interface.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final

from reconciler.model import (
    FIELDS,
    KEYS,
    READABLE,
    WRITE_ONLY,
    Entry,
    Kept,
    Known,
    Ledger,
    Product,
    RemoteProduct,
    Sent,
    State,
    Value,
)
from reconciler.planning.plan import Adoption, FieldChange

_readable: Final = itemgetter(*READABLE)
_write_only: Final = itemgetter(*WRITE_ONLY)
_SLOTS: Final = tuple(enumerate(WRITE_ONLY))
_NOTHING_SENT: Final = Sent()
# Servers change: once a day a try tells whether this one takes the value now.
_KEPT_FOR: Final = timedelta(days=1)
"""How long nothing is sent for a field if the server keeps another value than was sent."""

_Resend = Callable[[str, str], bool]
"""Whether a declared value is to be sent whatever the ledger says: (field, store_id) -> bool."""


@dataclass(slots=True)
class Comparison:
    """Gathers what comparing many products has found, so that equal ones cost next to nothing.

    `now` is the time that the age of what the server keeps is judged by; without it nothing is too
    old. `made` holds by id the store_id of a lost create that made it, if the server rewrote it.
    `contested` are the declared store_ids of renames whose source and target both exist.
    """

    ledger: Ledger
    resend: _Resend | None = None
    made: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    contested: Collection[str] = ()
    adoptions: list[Adoption] = field(default_factory=list)
    unconfirmed: dict[str, list[str]] = field(default_factory=dict)
    """The store_ids of products about which nothing is known, by write-only field."""
    unconfirmed_products: int = 0
    kept: dict[str, list[tuple[str, Kept]]] = field(default_factory=dict)
    """The products for which the server keeps another value than was sent, by field."""
    kept_products: int = 0

    def differences(self, product: Product, remote: RemoteProduct) -> dict[str, FieldChange]:
        """The fields that an Update of `product` would change; empty if all is equal."""
        known = self.ledger.products.get(remote.id)  # type: ignore[arg-type]  # matched: text
        # Nearly all products end here, so that a large catalogue is not compared field by field.
        if self.resend is None and known is not None and _in_sync(product, remote, known):
            return {}
        changes: dict[str, FieldChange] = {}
        kept: dict[str, Kept] = {}
        for position in READABLE:
            value, actual = product.values[position], remote.values[position]
            if value is not None and value != actual:
                case = self._kept(product, known, KEYS[position])
                # If either side has changed since, it is a difference like any other.
                if case is not None and case[:2] == (value, actual):
                    kept[KEYS[position]] = case
                else:
                    changes[KEYS[position]] = FieldChange(actual, value)
        self._write_only(product, remote, known, changes, kept)
        for key, case in kept.items():
            self.kept.setdefault(key, []).append((product.store_id, case))
        self.kept_products += bool(kept) and not changes
        return changes

    def _kept(self, product: Product, known: Known | None, key: str) -> Kept | None:
        """What the server keeps of a field, if nothing is to be sent for it yet."""
        case = known.kept.get(key) if known is not None else None
        if case is None or (self.resend is not None and self.resend(key, product.store_id)):
            return None
        if self.now is not None and case.since is not None:
            # A date far ahead is a wrong clock's, and would keep the value for ever.
            age = abs(self.now - datetime.fromisoformat(case.since))
            return case if age < _KEPT_FOR else None
        return case

    def _write_only(
        self,
        product: Product,
        remote: RemoteProduct,
        known: Known | None,
        changes: dict[str, FieldChange],
        kept: dict[str, Kept],
    ) -> None:
        """Compare with what the ledger holds of a product; adopt it if that is not all."""
        store_id, came_from = product.store_id, self._came_from(product, known)
        sent = self._of_create(remote) if self.ledger.creates else _NOTHING_SENT
        entries = sent.entries if known is None else known.entries
        unconfirmed = False
        for slot, position in _SLOTS:
            key, value, entry = KEYS[position], product.values[position], entries[slot]
            if value is None:
                continue
            if self.resend is not None and self.resend(key, store_id):
                changes[key] = _sent_again(entry, value)
            elif (case := self._kept(product, known, key)) is not None and case.sent == value:
                kept[key] = case
            # A lost ledger must never become a mass of writes: this is said, not sent.
            elif entry is None and known is None:
                unconfirmed = True
                self.unconfirmed.setdefault(key, []).append(store_id)
            # In doubt it is sent even if the value is equal: the remote may hold the one before.
            elif entry is None or entry.state is State.DOUBT or entry.value != value:
                changes[key] = _sent_again(entry, value)
        self.unconfirmed_products += unconfirmed
        outdated = tuple(
            key
            for key, case in (known.kept if known is not None else {}).items()
            if key not in changes  # What is sent is judged by its own call.
            and (remote.value(key) == case.sent or product.value(key) != case.sent)
        )
        pair = None if known is None else (known.store_id, known.came_from)
        if outdated or (store_id, came_from) != pair:
            assumed = _write_only(product.values)  # A first plan adopts all, so this is short.
            if known is not None or sent is not _NOTHING_SENT:
                assumed = tuple(
                    product.values[position] if known is None and entries[slot] is None else None
                    for slot, position in _SLOTS
                )
            self.adoptions.append(Adoption(str(remote.id), store_id, assumed, came_from, outdated))

    def _of_create(self, remote: RemoteProduct) -> Sent:
        """What a create with a lost answer sent, if it made `remote`.

        It is recorded by its store_id alone, which is the remote one: the product may have been
        declared under another name since.
        """
        created_as = self.made.get(str(remote.id), str(remote.store_id))
        sent = self.ledger.creates.get(created_as, _NOTHING_SENT)
        return sent if sent.may_be(remote.id) else _NOTHING_SENT

    def _came_from(self, product: Product, known: Known | None) -> str | None:
        """The rename that has brought a product here, as the ledger is to hold it."""
        # An undone rename must not be recorded as done, or the source would never be renamed.
        if product.store_id not in self.contested:
            return product.renamed_from
        # The declared one has not been made: its source is still there.
        if known is None or known.store_id != product.store_id:
            return None
        return known.came_from


def _in_sync(product: Product, remote: RemoteProduct, known: Known) -> bool:
    """Whether every field is declared, known and equal: true of most products, and soon told."""
    desired = product.values
    # This runs for every product, and an itemgetter builds and compares tuples in C.
    if _readable(desired) != _readable(remote.values) or known.kept:
        return False
    if known.store_id != desired[0] or known.came_from != product.renamed_from:
        return False
    for value, entry in zip(_write_only(desired), known.entries, strict=True):
        if value is not None and (entry is None or entry[0] != value or entry[1] is State.DOUBT):
            return False
    return True


def _sent_again(entry: Entry | None, value: Value) -> FieldChange:
    """A write-only value that is sent; an entry in doubt tells no `before`."""
    in_doubt = entry is not None and entry.state is State.DOUBT
    before = None if entry is None or in_doubt else entry.value
    return FieldChange(before, value, write_only=True, in_doubt=in_doubt)


def declared(product: Product) -> dict[str, FieldChange]:
    """Every declared value, as a Create sends it."""
    return {
        field.key: FieldChange(None, value, write_only=not field.readable)
        for field, value in zip(FIELDS, product.values, strict=True)
        if value is not None
    }


def deleted_fields(remote: RemoteProduct) -> dict[str, FieldChange]:
    """Every readable value, as a Delete takes it away."""
    return {
        KEYS[position]: FieldChange(remote.values[position], None)
        for position in READABLE
        if remote.values[position] is not None
    }
