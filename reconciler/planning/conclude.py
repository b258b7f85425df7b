"""What an apply writes into the ledger: before its first write (`in_doubt`), and at its end.

The rules are those of "Write-only fields" in the interface. Both functions are pure: a Ledger in,
a Ledger out.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from reconciler.model import (
    FIELDS,
    INDEX,
    KEYS,
    MOST_APPLIED,
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

Utc: TypeAlias = Callable[[float], str]
"""A moment of the clock of the run as the time of day, in ISO 8601, UTC."""


def in_doubt(ledger: Ledger, plan: Plan) -> Ledger:
    """The ledger as if every call of `plan` had been sent, and none had been answered.

    A crash at any later moment, or an answer that never comes, then ends with the declared values.
    """
    books = _Books(ledger)
    books.enter(
        # One path for doubts and for lost answers, so that the two can never be recorded
        # differently.
        Verdict(change, Fate.UNKNOWN, change.id, lost=frozenset(change.fields))
        for change in plan.changes
    )
    return Ledger(books.products, books.creates, ledger.applied)


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


def concluded(
    ledger: Ledger,
    plan: Plan,
    verdicts: Collection[Verdict],
    *,
    now: float = 0.0,
    utc: Utc | None = None,
    present: Collection[str | None] | None = None,
    settle: float = 0.0,
) -> Ledger:
    """The ledger after the apply of `plan`: what came of each Change, and what was adopted.

    `ledger` is what was known before. A value that was surely not sent is as it was; one whose
    answer was lost is in doubt. If everything was applied, declared values that there was no reason
    to send are assumed. `now` is of the clock of the run, and without `utc` nothing is dated.
    `present` are the ids that were listed before or after: what lists have lacked for `settle`
    seconds is forgotten.
    """
    books = _Books(ledger, now, utc)
    books.enter(verdicts)
    applied = ledger.applied
    # After a failure the next plan must still see what this one did not adopt.
    if all(verdict.fate is Fate.APPLIED for verdict in verdicts):
        books.adopt(plan.adoptions)
        applied = _applied(plan, applied, books.at)
    if present is not None:
        # While such a create is open, the next run must know as well that the product was there
        # once.
        waiting = {c.store_id for c in plan.changes if isinstance(c, Create)} & books.creates.keys()
        books.forget(present, waiting, settle)
    return Ledger(books.products, books.creates, applied)


def _applied(plan: Plan, applied: tuple[Applied, ...], at: str | None) -> tuple[Applied, ...]:
    """The plans that were applied, with this one if it changed something or is of a new commit."""
    # Edits that were left out would look like drift to the next run with `--base applied`.
    commit = None if plan.partial else plan.catalog.commit
    last = applied[-1].commit if applied else None
    # An apply without effect leaves the ledger's bytes alone, so its git history stays short.
    if at is None or not (plan.changes or (commit is not None and commit != last)):
        return applied
    return (*applied, Applied(commit, plan.digest, at))[-MOST_APPLIED:]


class _Books:
    """A ledger that verdicts are entered into."""

    def __init__(self, before: Ledger, now: float = 0.0, utc: Utc | None = None) -> None:
        self._before = before
        self._utc = utc
        self.at = None if utc is None else utc(now)
        self.products = dict(before.products)
        self.creates = dict(before.creates)

    def enter(self, verdicts: Iterable[Verdict]) -> None:
        """Record what became of each Change."""
        # A product that moves takes its own lost create along, before another is made in its place.
        for verdict in sorted(verdicts, key=lambda verdict: verdict.change.action == "create"):
            change = verdict.change
            if isinstance(change, Create):
                self._create(verdict, change)
            elif isinstance(change, Update):
                self._update(verdict, change)
            # A delete that only a list has proven keeps its record: that list may have lagged.
            elif verdict.fate is Fate.APPLIED and verdict.error is None:
                self.products.pop(change.id, None)
                self.creates.pop(change.store_id, None)

    def forget(
        self, present: Collection[str | None], waiting: Collection[str], settle: float
    ) -> None:
        """Drop what lists have lacked for `settle` seconds; date the rest of what they lack."""
        for id, known in list(self.products.items()):
            if id in present:
                if known.missing is not None:
                    self.products[id] = known._replace(missing=None)
            # Two lists in a row may lag alike, and who is forgotten would be created anew (P2).
            elif known.store_id in waiting or not self._is_gone(known, settle):
                self.products[id] = known._replace(missing=known.missing or self.at)
            else:
                del self.products[id]

    def _is_gone(self, known: Known, settle: float) -> bool:
        if self.at is None:
            return True
        if known.missing is None:
            return False
        age = datetime.fromisoformat(self.at) - datetime.fromisoformat(known.missing)
        return age.total_seconds() >= settle

    def _create(self, verdict: Verdict, change: Create) -> None:
        """Record one Create: by its id once it is listed, as open while nobody knows."""
        store_id = change.store_id
        entries = _with(_UNSENT, _sent(change, change.fields, State.DOUBT))
        learnt = self._learnt(change, verdict, Known(store_id, entries, came_from=change.came_from))
        # If an older create may be the one that landed, what it sent is still in doubt.
        if verdict.landed and store_id not in self._before.creates:
            unsent = {KEYS[position] for position in WRITE_ONLY} - change.fields.keys()
            empty = {key: Entry(FIELDS[INDEX[key]].empty, State.CONFIRMED) for key in unsent}
            learnt = learnt._replace(entries=_with(learnt.entries, empty))
        # An id that no list has shown may be somebody else's, so the create stays open until then.
        if verdict.listed and verdict.id is not None:
            self.creates.pop(store_id, None)
            self.products[verdict.id] = learnt
        elif verdict.id is not None or verdict.fate is Fate.UNKNOWN:
            self.creates[store_id] = Sent(
                learnt.entries, self._time(verdict), verdict.id, change.came_from
            )

    def _time(self, verdict: Verdict) -> str | None:
        """When a create was last sent or answered."""
        # An id without a time would be waited for without an end: then it is now.
        if self._utc is None or verdict.sent is None:
            return self.at
        return self._utc(verdict.sent)

    def _update(self, verdict: Verdict, change: Update) -> None:
        """Record one Update: what was not lost is known as it was before, unless it landed."""
        known = self._before.products.get(change.id)
        renamed = "store_id" in verdict.landed | verdict.lost
        if known is None:
            created_as = _created_as(change, self._before.creates)
            # Readable fields need no record: the next list shows them.
            unseen = renamed or bool(_sent(change, verdict.lost, State.DOUBT))
            if not (verdict.landed or unseen or (verdict.lost and created_as)):
                return
            # A create whose answer was lost is found: what it sent is of this product now.
            lost = self.creates.pop(created_as or "", _NO_CREATE)
            known = Known(change.store_id, lost.entries, came_from=change.came_from)
            if "store_id" in change.fields and not renamed:
                known = known._replace(store_id=str(change.seen.store_id), came_from=None)
        elif renamed:
            known = known._replace(store_id=change.store_id, came_from=change.came_from)
        self.products[change.id] = self._learnt(change, verdict, known)

    def _learnt(self, change: Create | Update, verdict: Verdict, known: Known) -> Known:
        """What is known of a product once its calls were answered, or were not."""
        kept = dict(known.kept)
        for key in verdict.landed & change.fields.keys():
            kept.pop(key, None)
        for key, actual in verdict.kept.items():
            # Dated anew, so that the server gets another day before the value is sent again.
            kept[key] = Kept(change.fields[key].after, actual, self.at)  # type: ignore[arg-type]
        entries = _with(known.entries, _sent(change, verdict.lost, State.DOUBT))
        entries = _with(entries, _sent(change, verdict.landed, State.CONFIRMED))
        return known._replace(entries=entries, kept=kept)

    def adopt(self, adoptions: Iterable[Adoption]) -> None:
        """Record what a whole apply takes as given, and what the list shows as it is declared."""
        for adoption in adoptions:
            known = self.products.get(adoption.id)
            if known is None:
                # What a create whose answer was lost sent stays in doubt, declared now or not.
                lost = self.creates.get(adoption.store_id, _NO_CREATE)
                known = Known(adoption.store_id)
                if lost.may_be(adoption.id):
                    self.creates.pop(adoption.store_id, None)
                    known = known._replace(entries=lost.entries)
            assumed = {
                key: Entry(value, State.ASSUMED)
                for key, value in adoption.assumed.items()
                if known.entries[slot(key)] is None
            }
            kept = {key: case for key, case in known.kept.items() if key not in adoption.outdated}
            entries = _with(known.entries, assumed)
            self.products[adoption.id] = Known(adoption.store_id, entries, kept, adoption.came_from)


_NO_CREATE: Final = Sent()


def _created_as(change: Update, creates: Mapping[str, Sent]) -> str | None:
    """The store_id by which a lost create of this product is recorded; None if none is.

    It is the listed one, unless that is what the server has made of the declared one.
    """
    listed, sent = str(change.seen.store_id), creates.get(change.store_id)
    if sent is not None and (sent.id == change.id or alike(listed, change.store_id)):
        return change.store_id if sent.may_be(change.id) else None
    sent = creates.get(listed)
    return listed if sent is not None and sent.may_be(change.id) else None


def _sent(change: Create | Update, keys: Iterable[str], state: State) -> dict[str, Entry]:
    """The write-only values among `keys` that `change` sends, as known by `state`."""
    return {
        key: Entry(change.fields[key].after, state)  # type: ignore[arg-type]  # no Delete: not None
        for key in keys
        if change.fields[key].write_only
    }


def _with(entries: Entries, changes: Mapping[str, Entry]) -> Entries:
    if not changes:
        return entries
    row = list(entries)
    for key, entry in changes.items():
        row[slot(key)] = entry
    return tuple(row)
