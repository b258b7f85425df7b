"""What an apply writes into the ledger: before its first write, and after its last.

The rules are those of "Write-only fields" in the interface. Both functions are pure: a Ledger in,
a Ledger out.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.model import (
    FIELDS,
    INDEX,
    KEYS,
    NOTHING,
    WRITE_ONLY,
    Entry,
    Kept,
    Ledger,
    Listing,
    Remembered,
    State,
    slot,
)
from reconciler.planning.likeness import folded_text
from reconciler.planning.operations import rings
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Create, Plan, Update

_UNSENT: Final = tuple(Entry(FIELDS[position].empty, State.DOUBT) for position in WRITE_ONLY)
"""What a Create leaves out is empty at the remote: so an edit that adds it later is seen."""


def in_doubt(ledger: Ledger, plan: Plan) -> Ledger:
    """The ledger with every write-only value that `plan` sends in doubt, and every create open.

    A crash at any later moment, or an answer that never comes, then ends with the declared values.
    """
    products = dict(ledger.products)
    creates = dict(ledger.creates)
    for change in plan.changes:
        if isinstance(change, Update):
            doubts = _doubts(change)
            if change.id not in products and (doubts or _created_as(change) in creates):
                # A create whose answer was lost is found: what it sent is of this product now.
                lost = creates.get(_created_as(change), NOTHING)
                if not _is_rewritten(change):
                    # Otherwise only the open create tells of whose product it is, until it is kept.
                    creates.pop(_created_as(change), None)
                products[change.id] = Remembered(change.store_id, _with(lost, doubts))
            elif doubts:
                known = products[change.id]
                products[change.id] = known._replace(entries=_with(known.entries, doubts))
    for change in plan.changes:
        if isinstance(change, Create):
            creates[change.store_id] = _with(_UNSENT, _doubts(change))
    begun = {ring.links: ring for ring in (*ledger.rings, *rings(plan))}
    return Ledger(products, creates, tuple(begun.values()))


def _doubts(change: Create | Update) -> dict[str, Entry]:
    """The write-only values that `change` sends, as they are until its call has succeeded."""
    return {
        key: Entry(field.after, State.DOUBT)  # type: ignore[arg-type]  # no Delete: not None
        for key, field in change.fields.items()
        if field.write_only
    }


def _created_as(change: Update) -> str:
    """The store_id by which a lost create of this product would be remembered.

    It is the listed one, unless that is what the server has made of the declared one.
    """
    return change.store_id if _is_rewritten(change) else str(change.seen.store_id)


def _is_rewritten(change: Update) -> bool:
    """Whether the product is what the server has made of a create of the declared store_id."""
    listed = str(change.seen.store_id)
    alike = folded_text(listed) == folded_text(change.store_id)
    return "store_id" in change.fields and change.moves_from is None and alike


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
    is as it was before; one whose answer was lost stays in doubt. Where everything was applied,
    declared values that there was no reason to send are assumed, and renames that are declared no
    more are forgotten. So are products that the `closing` list does not have any more.
    """
    products = dict(ledger.products)
    creates = dict(ledger.creates)
    complete = True
    for track in tracks:
        change = track.change
        complete = complete and track.fate is Fate.APPLIED
        if isinstance(change, Create):
            _conclude_create(track, change, products, creates, before)
        elif isinstance(change, Update):
            _conclude_update(track, change, products, before)
            if track.fate is Fate.APPLIED and _is_rewritten(change):
                creates.pop(change.store_id, None)
        elif track.fate is Fate.APPLIED:
            products.pop(change.id, None)
            creates.pop(change.store_id, None)
    begun = ledger.rings
    if complete:
        _adopt(plan, products, creates)
        released = set(plan.released)
        begun = tuple(ring for ring in begun if ring not in released)
    if closing is not None:
        present = {product.id for product in closing.products}
        products = {id: known for id, known in products.items() if id in present}
    return Ledger(products, creates, begun)


def _conclude_create(
    track: Track,
    change: Create,
    products: dict[str, Remembered],
    creates: dict[str, tuple[Entry | None, ...]],
    before: Ledger,
) -> None:
    """Record one Create: under its id where that is known, as before where it surely failed."""
    if track.fate is Fate.UNKNOWN and track.landed:
        # Answered, but not listed: the next run looks again before it creates.
        return
    if track.id is not None:
        entries = creates.pop(change.store_id, NOTHING)
        learnt = _learnt(track, Remembered(change.store_id, entries))
        # Where an older create may be the one that landed, what it sent is still in doubt.
        if track.landed and change.store_id not in before.creates:
            unsent = {KEYS[position] for position in WRITE_ONLY} - change.fields.keys()
            empty = {key: Entry(FIELDS[INDEX[key]].empty, State.CONFIRMED) for key in unsent}
            learnt = learnt._replace(entries=_with(learnt.entries, empty))
        products[track.id] = learnt
    elif track.fate is Fate.UNKNOWN:
        return
    elif change.store_id in before.creates:
        creates[change.store_id] = before.creates[change.store_id]
    else:
        creates.pop(change.store_id, None)


def _conclude_update(
    track: Track, change: Update, products: dict[str, Remembered], before: Ledger
) -> None:
    """Record one Update: what was not lost is known as it was before, unless it landed."""
    lost = Remembered(change.store_id, before.creates.get(_created_as(change), NOTHING))
    earlier = before.products.get(change.id) or lost
    not_sent = {
        key: earlier.entries[slot(key)]
        for key, field in change.fields.items()
        if field.write_only and key not in track.lost
    }
    known = products.get(change.id, earlier)
    learnt = _learnt(track, known._replace(entries=_with(known.entries, not_sent)))
    if change.id in before.products or learnt.kept or any(learnt.entries):
        products[change.id] = learnt
    else:
        # Only a successful apply makes a product this ledger's own; adoption says so.
        products.pop(change.id, None)


def _learnt(track: Track, known: Remembered) -> Remembered:
    """What is remembered of a product once its calls were answered."""
    confirmed: dict[str, Entry] = {}
    kept = dict(known.kept)
    for key, field in track.change.fields.items():
        if key in track.kept:
            kept[key] = Kept(field.after, track.kept[key])  # type: ignore[arg-type]
        elif key in track.landed:
            kept.pop(key, None)
            if field.write_only:
                confirmed[key] = Entry(field.after, State.CONFIRMED)  # type: ignore[arg-type]
    store_id = track.change.store_id if track.fate is Fate.APPLIED else known.store_id
    return Remembered(store_id, _with(known.entries, confirmed), kept)


def _adopt(
    plan: Plan,
    products: dict[str, Remembered],
    creates: dict[str, tuple[Entry | None, ...]],
) -> None:
    updated = {change.id for change in plan.changes}
    for adoption in plan.adoptions:
        known = products.get(adoption.id)
        if known is None:
            # What was sent by a create whose answer was lost stays in doubt, declared now or not.
            found = adoption.id not in updated
            lost = creates.pop(adoption.store_id, NOTHING) if found else NOTHING
            known = Remembered(adoption.store_id, lost)
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
