"""Is the remote still what the plan was made from? Asked before the first write.

Only products that the plan touches are looked at; what it does not touch may change. A delete
compares the whole record, since all of it would go.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from reconciler.model import (
    KEYS,
    READABLE,
    Entry,
    Ledger,
    Listing,
    Record,
    RemoteProduct,
    State,
)
from reconciler.planning.hints import quoted
from reconciler.planning.ignore import NOTHING_IGNORED, Ignore
from reconciler.planning.plan import Create, Delete, FieldChange, Plan, Update
from reconciler.planning.select import Keep

_RENDITIONS = frozenset({"image_md"})
"""What the service makes itself, and may make anew at any time."""


def changed_since(
    plan: Plan,
    remote: Listing,
    ledger: Ledger,
    protected: Sequence[str] = (),
    ignore: Ignore = NOTHING_IGNORED,
) -> tuple[str, ...]:
    """What changed since `plan` was made, one sentence per touched product; empty if nothing did.

    `protected` are the patterns of what is never deleted, and `ignore` what is left alone, as the
    settings have them now.
    """
    keep = Keep(protected)
    by_id = {product.id: product for product in remote.products}
    deleted = [change.id for change in plan.changes if isinstance(change, Delete)]
    records = remote.records(deleted) if deleted else {}
    taken = _taken(plan, remote)
    times = Counter(product.store_id for product in remote.products)
    details: list[str] = []
    for change in plan.changes:
        if ignore.leaves(change.store_id):
            # The settings may have changed since the plan was saved, and the newer ones win.
            details.append(f"{change.store_id}: to be touched, but it is left alone by now")
        if isinstance(change, Create):
            if taken[change.store_id]:
                details.append(f"{change.store_id}: to be created, but it is at the remote by now")
        elif isinstance(change, Delete):
            now = by_id.get(change.id)
            if keep and now is not None and keep(now):
                details.append(f"{change.store_id}: to be deleted, but it is protected by now")
            details += delete_changes(change, records.get(change.id))
        else:
            details += _update_changes(change, by_id.get(change.id), ledger, ignore)
            if change.renamed_from and taken[change.store_id] - {change.id}:
                details.append(f"{change.store_id}: another product has this store_id by now")
        now = None if isinstance(change, Create) else by_id.get(change.id)
        # Which of them is the shop's cannot be known, so a new plan would block all.
        if now is not None and (count := times[now.store_id]) > 1:
            details.append(f"{change.store_id}: the remote has {now.store_id} {count} times by now")
    return tuple(details)


def holds(plan: Plan, remote: Listing, ledger: Ledger) -> bool:
    """Whether the remote and the ledger are as a successful apply of `plan` has left them."""
    by_id = {product.id: product for product in remote.products}
    by_store_id: dict[str | None, list[RemoteProduct]] = {}
    for product in remote.products:
        by_store_id.setdefault(product.store_id, []).append(product)
    for change in plan.changes:
        if isinstance(change, Delete):
            if change.id in by_id:
                return False
            continue
        there = by_store_id.get(change.store_id, ())
        now = by_id.get(change.id) if isinstance(change, Update) else None
        # A create has no id in the plan, so only a single product at its store_id can be its own.
        if isinstance(change, Create) and len(there) == 1:
            (now,) = there
        if now is None or not all(
            _is_kept(key, field, now, ledger) for key, field in change.fields.items()
        ):
            return False
    return True


def _is_kept(key: str, field: FieldChange, now: RemoteProduct, ledger: Ledger) -> bool:
    """Whether a field is as it was sent, as far as the list and the ledger tell."""
    id = now.id or ""
    if field.write_only:
        entry = ledger.known(id, key)
        return entry is not None and (entry.value, entry.state) == (field.after, State.CONFIRMED)
    known = ledger.products.get(id)
    kept = known.kept.get(key) if known else None
    listed = now.value(key)
    # A value that the server keeps in its own form would otherwise look like a failed apply.
    return listed == field.after or (
        kept is not None and (kept.sent, kept.kept) == (field.after, listed)
    )


def _taken(plan: Plan, remote: Listing) -> Mapping[str, set[str | None]]:
    """The remote ids at each store_id that the plan touches, without those that it moves away."""
    taken: dict[str, set[str | None]] = {change.store_id: set() for change in plan.changes}
    leaving = {c.id: c.renamed_from for c in plan.changes if isinstance(c, Update)}
    for product in remote.products:
        store_id = product.store_id
        if store_id in taken and leaving.get(str(product.id)) != store_id:
            taken[str(store_id)].add(product.id)
    return taken


def _update_changes(
    change: Update, now: RemoteProduct | None, ledger: Ledger, ignore: Ignore
) -> Iterator[str]:
    if now is None:
        yield f"{change.store_id}: to be changed, but it is gone from the remote"
        return
    for position in READABLE:
        before, after = change.seen.values[position], now.values[position]
        if KEYS[position] == "tags" and "tags" not in change.fields:
            # Others may change the tags that are theirs, as long as this plan writes none.
            before, after = ignore.own(before), ignore.own(after)
        if before != after:
            yield f"{change.store_id}: {KEYS[position]} was {quoted(before)}, is {quoted(after)}"
    for key, field in change.fields.items():
        entry = ledger.known(change.id, key) if field.write_only else None
        # No list shows a write-only field, so another apply is noticed by the ledger alone.
        if entry is not None and _written_since(field, entry):
            was = "in doubt or not known" if field.before is None else quoted(field.before)
            doubt = ", sent without an answer" if entry.state is State.DOUBT else ""
            held = f"{quoted(entry.value)}{doubt}"
            yield f"{change.store_id}: {key} was {was} in the ledger, is {held}"


def _written_since(field: FieldChange, entry: Entry) -> bool:
    """Whether the ledger's entry shows that another apply wrote the field after the plan."""
    if entry.state is State.DOUBT:
        # In doubt when it was planned: what was in doubt then is not in the plan.
        return not field.in_doubt and entry.value != field.after
    if field.before is None:
        return entry.value != field.after
    return entry.value != field.before


def delete_changes(change: Delete, now: Record | None) -> Iterator[str]:
    """What changed since the plan in a product that is to be deleted, one sentence per change."""
    if now is None:
        yield f"{change.store_id}: to be deleted, but it is gone from the remote"
        return
    before = {key: value for key, value in change.record.items() if key not in _RENDITIONS}
    after = {key: value for key, value in now.items() if key not in _RENDITIONS}
    if before != after:
        # It brings deepdiff, which only a delete that changed has to wait for.
        from reconciler.report.explain import record_changes

        for phrase in record_changes(before, after):
            yield f"{change.store_id}: to be deleted, but {phrase}"
