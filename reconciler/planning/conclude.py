"""What an apply writes into the ledger: before its first write (`in_doubt`), and at its end.

The rules are those of "Write-only fields" in the interface. Both functions are pure: a Ledger in,
a Ledger out.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from reconciler.model import (
    FIELDS,
    INDEX,
    KEYS,
    MOST_APPLIED,
    NOTHING,
    WRITE_ONLY,
    Applied,
    Entries,
    Entry,
    Kept,
    Known,
    Ledger,
    Removed,
    Sent,
    State,
    slot,
)
from reconciler.planning.likeness import alike
from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Adoption, Create, Delete, Plan, Update

_UNSENT: Final = tuple(Entry(FIELDS[position].empty, State.DOUBT) for position in WRITE_ONLY)
"""What a Create leaves out is empty at the remote: so an edit that adds it later is seen."""


def in_doubt(ledger: Ledger, plan: Plan) -> Ledger:
    """The ledger with every write-only value and rename of `plan` in doubt, and every create open.

    A crash at any later moment, or an answer that never comes, then ends with the declared values.
    """
    products = dict(ledger.products)
    creates = dict(ledger.creates)
    for change in plan.changes:
        if isinstance(change, Update):
            doubts = _doubts(change)
            known = products.get(change.id)
            if known is None:
                # A create whose answer was lost is found: what it sent is of this product now.
                lost = creates.pop(_created_as(change, creates) or "", None)
                if not (doubts or lost or "store_id" in change.fields):
                    continue
                known = Known(change.store_id, lost.entries if lost else NOTHING)
                known = known._replace(came_from=change.came_from)
            elif "store_id" in change.fields:
                known = known._replace(store_id=change.store_id, came_from=change.came_from)
            products[change.id] = known._replace(entries=_with(known.entries, doubts))
    for change in plan.changes:
        if isinstance(change, Create):
            entries = _with(_UNSENT, _doubts(change))
            # When it is sent is not known yet: a run that finds it so waits from its own start.
            creates[change.store_id] = Sent(entries, came_from=change.came_from)
    return Ledger(products, creates, ledger.applied)


def removed(ledger: Ledger, deletes: Iterable[Delete], at: str) -> tuple[Removed, ...]:
    """What `deletes` take away, with the write-only values that the ledger knows, as of `at`."""
    return tuple(
        Removed(
            change.id,
            change.store_id,
            at,
            change.record,
            {
                KEYS[position]: entry.value
                for position in WRITE_ONLY
                if (entry := ledger.known(change.id, KEYS[position])) is not None
            },
        )
        for change in deletes
    )


def _doubts(change: Create | Update) -> dict[str, Entry]:
    """The write-only values that `change` sends, as they are until its call has succeeded."""
    return {
        key: Entry(field.after, State.DOUBT)  # type: ignore[arg-type]  # no Delete: not None
        for key, field in change.fields.items()
        if field.write_only
    }


def _created_as(change: Update, creates: Mapping[str, Sent]) -> str | None:
    """The store_id by which a lost create of this product is recorded; None if none is.

    It is the listed one, unless that is what the server has made of the declared one.
    """
    listed, sent = str(change.seen.store_id), creates.get(change.store_id)
    if sent is not None and (sent.id == change.id or alike(listed, change.store_id)):
        return change.store_id if sent.may_be(change.id) else None
    sent = creates.get(listed)
    return listed if sent is not None and sent.may_be(change.id) else None


def concluded(
    ledger: Ledger,
    plan: Plan,
    verdicts: Iterable[Verdict],
    *,
    before: Ledger,
    at: str | None = None,
    stamps: Mapping[str, str] | None = None,
    present: Collection[str | None] | None = None,
) -> Ledger:
    """The ledger after the apply of `plan`: what came of each Change, and what was adopted.

    `ledger` holds the doubts, `before` what was known until then. A value that was surely not sent
    is as it was before; one whose answer was lost stays in doubt. If everything was applied,
    declared values that there was no reason to send are assumed. `at` is the time now, and
    `stamps` when each create was last sent or answered, by store_id. `present` are the ids that
    were listed before or after the writes: products that neither list has are forgotten.
    """
    products, creates = dict(ledger.products), dict(ledger.creates)
    stamps = stamps or {}
    complete = True
    for verdict in verdicts:
        change = verdict.change
        complete = complete and verdict.fate is Fate.APPLIED
        if isinstance(change, Create):
            sent_at = stamps.get(change.store_id)
            _conclude_create(verdict, change, products, creates, before, at, sent_at)
        elif isinstance(change, Update):
            _conclude_update(verdict, change, products, creates, before, at)
        elif verdict.fate is Fate.APPLIED:
            products.pop(change.id, None)
            creates.pop(change.store_id, None)
    applied = ledger.applied
    if complete:
        _adopt(plan, products, creates)
        applied = _applied(plan, applied, at)
    if present is not None:
        waited_for = {c.store_id for c in plan.changes if isinstance(c, Create)} & creates.keys()
        products = {
            id: known
            for id, known in products.items()
            if id in present or known.store_id in waited_for
        }
    return Ledger(products, creates, applied)


def _applied(plan: Plan, applied: tuple[Applied, ...], at: str | None) -> tuple[Applied, ...]:
    """The plans that were applied, with this one if it changed something or is of a new commit."""
    commit = None if plan.partial else plan.catalog.commit
    last = applied[-1].commit if applied else None
    if at is None or not (plan.changes or (commit is not None and commit != last)):
        return applied
    return (*applied, Applied(commit, plan.digest, at))[-MOST_APPLIED:]


def _conclude_create(
    verdict: Verdict,
    change: Create,
    products: dict[str, Known],
    creates: dict[str, Sent],
    before: Ledger,
    at: str | None,
    sent_at: str | None,
) -> None:
    """Record one Create: by its id once it is listed, as open while nobody knows."""
    store_id = change.store_id
    known = Known(store_id, creates[store_id].entries, came_from=change.came_from)
    learnt = _learnt(verdict, known, at)
    # If an older create may be the one that landed, what it sent is still in doubt.
    if verdict.landed and store_id not in before.creates:
        unsent = {KEYS[position] for position in WRITE_ONLY} - change.fields.keys()
        empty = {key: Entry(FIELDS[INDEX[key]].empty, State.CONFIRMED) for key in unsent}
        learnt = learnt._replace(entries=_with(learnt.entries, empty))
    if verdict.listed and verdict.id is not None:
        del creates[store_id]
        products[verdict.id] = learnt
    elif verdict.id is not None or verdict.fate is Fate.UNKNOWN:
        # An id without a time would be waited for without an end.
        creates[store_id] = Sent(learnt.entries, sent_at or at, verdict.id, change.came_from)
    elif store_id in before.creates:
        creates[store_id] = before.creates[store_id]
    else:
        del creates[store_id]


def _conclude_update(
    verdict: Verdict,
    change: Update,
    products: dict[str, Known],
    creates: dict[str, Sent],
    before: Ledger,
    at: str | None,
) -> None:
    """Record one Update: what was not lost is known as it was before, unless it landed."""
    sent = verdict.landed | verdict.lost
    earlier = before.products.get(change.id)
    created_as = _created_as(change, before.creates)
    lost = before.creates.get(created_as or "") if earlier is None else None
    if earlier is None and not sent:
        # Only a call makes a product this ledger's own, and no call was made.
        products.pop(change.id, None)
        if lost is not None:
            creates.setdefault(str(created_as), lost)
        return
    was = earlier or Known(change.store_id, lost.entries if lost else NOTHING)
    known = products.get(change.id, was)
    if "store_id" in change.fields and "store_id" not in sent:
        pair = (was.store_id, was.came_from) if earlier else (str(change.seen.store_id), None)
        known = known._replace(store_id=pair[0], came_from=pair[1])
    not_sent = {
        key: was.entries[slot(key)]
        for key, field in change.fields.items()
        if field.write_only and key not in verdict.lost
    }
    known = known._replace(entries=_with(known.entries, not_sent))
    products[change.id] = _learnt(verdict, known, at)


def _learnt(verdict: Verdict, known: Known, at: str | None) -> Known:
    """What is known of a product once its calls were answered."""
    confirmed: dict[str, Entry] = {}
    kept = dict(known.kept)
    for key, field in verdict.change.fields.items():
        if key in verdict.kept:
            kept[key] = Kept(field.after, verdict.kept[key], at)  # type: ignore[arg-type]
        elif key in verdict.landed:
            kept.pop(key, None)
        if field.write_only and key in verdict.landed:
            confirmed[key] = Entry(field.after, State.CONFIRMED)  # type: ignore[arg-type]
    return known._replace(entries=_with(known.entries, confirmed), kept=kept)


def _adopt(plan: Plan, products: dict[str, Known], creates: dict[str, Sent]) -> None:
    """Record what a whole apply takes as given, and what the list shows as it is declared."""
    for adoption in plan.adoptions:
        products[adoption.id] = _adopted(adoption, products.get(adoption.id), creates)


def _adopted(adoption: Adoption, known: Known | None, creates: dict[str, Sent]) -> Known:
    if known is None:
        # What was sent by a create whose answer was lost stays in doubt, declared now or not.
        lost = creates.get(adoption.store_id)
        if lost is not None and lost.may_be(adoption.id):
            del creates[adoption.store_id]
        else:
            lost = None
        known = Known(adoption.store_id, lost.entries if lost else NOTHING)
    assumed = {
        key: Entry(value, State.ASSUMED)
        for key, value in adoption.assumed.items()
        if known.entries[slot(key)] is None
    }
    kept = {key: case for key, case in known.kept.items() if key not in adoption.outdated}
    return Known(adoption.store_id, _with(known.entries, assumed), kept, adoption.came_from)


def _with(entries: Entries, changes: Mapping[str, Entry | None]) -> Entries:
    if not changes:
        return entries
    row = list(entries)
    for key, entry in changes.items():
        row[slot(key)] = entry
    return tuple(row)
