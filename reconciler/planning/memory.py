"""What an apply writes into the ledger: before its first write, and after its last.

The rules are those of "Write-only fields" in the interface. Both functions are pure: a Ledger in,
a Ledger out.
"""

from collections.abc import Iterable, Mapping

from reconciler.model import (
    NOTHING,
    Entry,
    Kept,
    Ledger,
    Listing,
    Remembered,
    State,
    Value,
    slot,
)
from reconciler.planning.operations import rings
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Create, Delete, Plan, Update


def in_doubt(ledger: Ledger, plan: Plan) -> Ledger:
    """The ledger with every write-only value that `plan` sends in doubt, and every create open.

    A crash at any later moment, or an answer that never comes, then ends with the declared values.
    """
    products = dict(ledger.products)
    creates = dict(ledger.creates)
    for change in plan.changes:
        doubts = {
            key: Entry(field.after, State.DOUBT)  # type: ignore[arg-type]  # no Delete: not None
            for key, field in change.fields.items()
            if field.write_only
        }
        if isinstance(change, Create):
            creates[change.store_id] = _with(NOTHING, doubts)
        elif isinstance(change, Update) and doubts:
            known = products.get(change.id, Remembered(change.store_id, NOTHING))
            products[change.id] = known._replace(entries=_with(known.entries, doubts))
    begun = {ring.links: ring for ring in (*ledger.rings, *rings(plan))}
    return Ledger(products, creates, tuple(begun.values()))


def concluded(
    ledger: Ledger,
    plan: Plan,
    tracks: Iterable[Track],
    *,
    before: Ledger,
    closing: Listing | None = None,
) -> Ledger:
    """The ledger after the apply of `plan`: what came of each Change, and what was adopted.

    `ledger` holds the doubts, `before` what was known until then. A value that was surely not sent
    is as it was before; one whose answer was lost stays in doubt. Declared values that there was no
    reason to send are assumed, where everything was applied. Products that the `closing` list does
    not have any more are forgotten.
    """
    products = dict(ledger.products)
    creates = dict(ledger.creates)
    complete = True
    for track in tracks:
        change = track.change
        complete = complete and track.fate is Fate.APPLIED
        if isinstance(change, Delete):
            if track.fate is Fate.APPLIED:
                products.pop(change.id, None)
        else:
            _conclude(track, products, creates, before)
    if complete:
        _adopt(plan, products)
    if closing is not None:
        present = {product.id for product in closing.products}
        products = {id: known for id, known in products.items() if id in present}
    return Ledger(products, creates, ledger.rings)


def _conclude(
    track: Track,
    products: dict[str, Remembered],
    creates: dict[str, tuple[Entry | None, ...]],
    before: Ledger,
) -> None:
    """Record one Create or Update."""
    change = track.change
    id = track.id or change.id
    if id is None:
        if track.fate is not Fate.UNKNOWN:
            _restore_create(change.store_id, creates, before)
        return
    known = products.get(id) or Remembered(change.store_id, creates.get(change.store_id, NOTHING))
    if isinstance(change, Create):
        creates.pop(change.store_id, None)
    entries: dict[str, Entry | None] = {}
    kept = dict(known.kept)
    for key, field in change.fields.items():
        if field.write_only:
            if key in track.landed:
                entries[key] = Entry(field.after, State.CONFIRMED)  # type: ignore[arg-type]
            elif key not in track.lost and isinstance(change, Update):
                entries[key] = before.known(id, key)
        elif key in track.kept:
            kept[key] = Kept(field.after, track.kept[key])  # type: ignore[arg-type]
        elif key in track.landed:
            kept.pop(key, None)
    store_id = change.store_id if track.fate is Fate.APPLIED else known.store_id
    remembered = Remembered(store_id, _with(known.entries, entries), kept)
    if isinstance(change, Update) and id not in before.products and not any(remembered.entries):
        # Only a successful apply makes a product this ledger's own; adoption says so.
        products.pop(id, None)
    else:
        products[id] = remembered


def _restore_create(
    store_id: str, creates: dict[str, tuple[Entry | None, ...]], before: Ledger
) -> None:
    """A create that surely did not happen leaves no doubt behind, but for an older one."""
    if store_id in before.creates:
        creates[store_id] = before.creates[store_id]
    else:
        creates.pop(store_id, None)


def _adopt(plan: Plan, products: dict[str, Remembered]) -> None:
    for adoption in plan.adoptions:
        known = products.get(adoption.id, Remembered(adoption.store_id, NOTHING))
        assumed = {
            key: Entry(value, State.ASSUMED)
            for key, value in adoption.assumed.items()
            if known.entries[slot(key)] is None
        }
        products[adoption.id] = known._replace(entries=_with(known.entries, assumed))


def _with(
    entries: tuple[Entry | None, ...], changes: Mapping[str, Entry | None]
) -> tuple[Entry | None, ...]:
    if not changes:
        return entries
    row = list(entries)
    for key, entry in changes.items():
        row[slot(key)] = entry
    return tuple(row)


def known_value(ledger: Ledger, id: str, key: str) -> Value | None:
    """The remembered value of a write-only field, unless it is in doubt or unknown."""
    entry = ledger.known(id, key)
    return None if entry is None or entry.state is State.DOUBT else entry.value
