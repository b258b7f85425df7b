"""Make the calls of a plan, phase by phase, and track what becomes of every Change.

Renames (see `renames`), updates, creates, then deletes; each phase side by side. One failure does
not stop the others, but a refused key and a dead server stop everything, and nothing is deleted
unless all before it was applied.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock
from typing import TypeVar

from reconciler.applying.journal import Journal
from reconciler.applying.stale import record_changes
from reconciler.errors import (
    Interrupted,
    KeyRefused,
    LedgerNotWritten,
    ReconcilerError,
    Rejected,
    RemoteError,
)
from reconciler.model import Record
from reconciler.planning.operations import Patch, Post, Remove
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Plan, Update
from reconciler.remote.client import Client

T = TypeVar("T")


class Execution:
    """One run of a plan's operations: who is to be called, what was noted, what became of it.

    `tracks` holds one Track per Change, by store_id, which is unique within a plan. `halted` is
    what ended the run for all, where something did. `listed` holds the ids that the remote had
    before the run; None where that is not known.
    """

    def __init__(
        self,
        plan: Plan,
        client: Client,
        journal: Journal,
        listed: Collection[str | None] | None = None,
    ) -> None:
        self.plan = plan
        self.client = client
        self.journal = journal
        self.listed = listed
        self.tracks = {change.store_id: Track(change, change.id) for change in plan.changes}
        self.losses: dict[str, tuple[float, RemoteError]] = {}
        """Creates whose answer was lost, by store_id: when, and how."""
        self.halted: ReconcilerError | None = None
        self.parked = False
        """Whether a product of a ring was left aside, under a store_id that nobody declared."""
        self.shared: set[str] = set()
        """Changes that shared a call with others."""
        self._lock = Lock()

    # What every call has in common ---------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        """Whether no further call is to be made: interrupted, key refused, server dead."""
        return self.client.stop.is_set() or self.halted is not None

    def side_by_side(self, job: Callable[[T], None], items: Sequence[T]) -> None:
        """Run `job` for every item, as many at once as the client's governor lets through."""
        for _ in self.client.spread(job, items):
            pass

    def attempt(self, operation: Post | Patch | Remove, call: Callable[[], T]) -> T | RemoteError:
        """Make one call with its journal lines; the result, or what went wrong."""
        if self.stopped or self.client.governor.dead:
            raise Interrupted("Stopped before the call was made.")
        try:
            number = self.journal.before(operation)
        except OSError as error:
            self._halt(_journal_error(error))
            raise Interrupted("Stopped: the journal cannot be written.") from None
        result: T | RemoteError
        try:
            result = call()
        except RemoteError as error:
            result = error
            if isinstance(error, KeyRefused) or self.client.governor.dead:
                self._halt(error)
        except Interrupted:
            self._journal_result(number, "not sent")
            raise
        said = f"{result.code}: {result.message}" if isinstance(result, RemoteError) else "ok"
        self._journal_result(number, said)
        return result

    def _journal_result(self, number: int, result: str) -> None:
        try:
            self.journal.after(number, result)
        except OSError as error:
            self._halt(_journal_error(error))

    def _halt(self, error: ReconcilerError) -> None:
        with self._lock:
            self.halted = self.halted or error

    def finished(self, count: int) -> None:
        """Tell the listener that `count` more Changes have been dealt with."""
        self.client.progress.advance(count)

    # The phases ----------------------------------------------------------------------------------

    def update(self, patches: Sequence[Patch]) -> None:
        """Run the shared calls; one that is refused is halved until the culprit stands alone."""

        def job(patch: Patch) -> None:
            try:
                self.patch(patch)
            except Interrupted:
                return

        self.side_by_side(job, patches)

    def patch(self, patch: Patch) -> None:
        """Make one PATCH and track what it means for each of its Changes."""
        result = self.attempt(patch, lambda: self.client.update(patch.ids, patch.body))
        if isinstance(result, Rejected) and not result.may_have_landed and len(patch.changes) > 1:
            half = len(patch.changes) // 2
            for part in (patch.changes[:half], patch.changes[half:]):
                self.patch(Patch(part, patch.body))
            return
        with self._lock:
            for change in patch.changes:
                if len(patch.changes) > 1:
                    self.shared.add(change.store_id)
                self._note(patch, self.tracks[change.store_id], result)

    def _note(self, patch: Patch, track: Track, result: RemoteError | None) -> None:
        """What one PATCH means for one Change. The last of its calls completes it."""
        if isinstance(result, RemoteError):
            track.error = result.message
            if result.may_have_landed:
                track.lost |= patch.body.keys()
                track.fate = Fate.UNKNOWN if track.fate is not Fate.FAILED else Fate.FAILED
            else:
                track.fate = Fate.FAILED
            self.finished(1)
        elif not patch.parking:
            track.landed |= patch.body.keys()
            track.lost -= patch.body.keys()
            track.calls.append(frozenset(patch.body))
            if track.landed >= track.change.fields.keys():
                track.fate = Fate.APPLIED
                self.finished(1)

    def create(self, posts: Sequence[Post]) -> None:
        """Post each product once; what is left open is noted in `losses`, to be settled."""
        renames = {
            change.leaves: change.store_id
            for change in self.plan.changes
            if isinstance(change, Update) and change.leaves
        }

        def job(post: Post) -> None:
            track = self.tracks[post.change.store_id]
            vacating = renames.get(post.change.store_id)
            if vacating and self.tracks[vacating].fate is not Fate.APPLIED:
                track.error = f"needs the rename to {vacating}, which was not made"
                return
            try:
                self.post(post)
            except Interrupted:
                return

        self.side_by_side(job, posts)

    def post(self, post: Post, *, again: bool = False) -> None:
        """Make one POST, perhaps `again`, and track what came of it."""
        result = self.attempt(post, lambda: self.client.create(post.body, again=again))
        track = self.tracks[post.change.store_id]
        if isinstance(result, str):
            self.adopt(track, result, landed=True)
        else:
            track.error = result.message
            track.fate = Fate.UNKNOWN if result.may_have_landed else Fate.FAILED
            if result.may_have_landed:
                with self._lock:
                    self.losses[track.change.store_id] = (self.client.clock.now(), result)
        self.finished(1)

    def adopt(self, track: Track, id: str, *, landed: bool) -> None:
        """A create is done: `id` is the product. What its call set is known only if it answered."""
        track.id = id
        track.fate = Fate.APPLIED
        track.error = None
        fields = set(track.change.fields)
        track.landed, track.lost = (fields, set()) if landed else (set(), fields)
        track.calls = [frozenset(fields)] if landed else []

    def delete(self, removals: Sequence[Remove], records: Mapping[str, Record] | None) -> None:
        """Delete, if everything before was applied; else every delete is left undone.

        `records` are the products as they are now, where other calls were made since the plan: one
        that somebody edited meanwhile is not deleted.
        """
        undone = [t for t in self.tracks.values() if t.fate is not Fate.APPLIED]
        if any(track.change.action != "delete" for track in undone):
            for removal in removals:
                track = self.tracks[removal.change.store_id]
                track.error = "nothing is deleted after a failure before it"
            return

        def job(removal: Remove) -> None:
            track = self.tracks[removal.change.store_id]
            if records is not None:
                changes = tuple(record_changes(removal.change, records.get(removal.change.id)))
                if changes:
                    track.fate, track.error = Fate.FAILED, changes[0]
                    return
            try:
                result = self.attempt(removal, lambda: self.client.delete(removal.change.id))
            except Interrupted:
                return
            if isinstance(result, RemoteError):
                track.error = result.message
                track.fate = Fate.UNKNOWN if result.may_have_landed else Fate.FAILED
            elif result:
                track.fate = Fate.APPLIED
            else:
                # Gone already, or an answer that is wrong: the closing list tells.
                track.fate = Fate.UNKNOWN
                track.error = "the server says that there is no such product"
            self.finished(1)

        self.side_by_side(job, removals)


def _journal_error(error: OSError) -> LedgerNotWritten:
    return LedgerNotWritten(
        f"The journal cannot be written any more: {error.strerror}.",
        hint="The apply was stopped. Free some space and apply again.",
    )
