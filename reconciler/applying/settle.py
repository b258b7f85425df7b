"""Settle creates whose answer was lost: by looking, never by posting blindly.

Create is not idempotent (product-sync-api.txt, "Create product"), so a lost answer leaves the
outcome unknown until a list shows the product. Absence is believed only when the server has surely
ended its work on the call: at once where it refused, and after one more read timeout where it did
not answer, or with an error or something unheard of. Then there is one more try for what was not
refused, and a few for what was refused with "not now"; and the looking begins again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from reconciler.applying.execute import Execution
from reconciler.applying.rewritten import adopt_rewritten
from reconciler.errors import Interrupted, RemoteError
from reconciler.model import Ledger, Listing
from reconciler.planning.operations import Post
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Create

_SECOND_TRIES = 1
"""How often a create is posted again whose answer did not come, or did not tell."""
_REFUSED_TRIES = 5
"""How often a create is posted again that was answered with "not now"."""


def settle(execution: Execution) -> None:
    """Close every create in `losses`: found, absent and tried again, or left unknown."""
    silent: defaultdict[str, int] = defaultdict(int)
    refused: defaultdict[str, int] = defaultdict(int)
    while execution.losses and not execution.stopped:
        open_now = [execution.tracks[store_id] for store_id in sorted(execution.losses)]
        again: list[Track] = []
        for track in _look(execution, open_now):
            store_id = track.change.store_id
            _, error = execution.losses.pop(store_id)
            tries, most = (refused, _REFUSED_TRIES) if error.at_rest else (silent, _SECOND_TRIES)
            track.fate = Fate.FAILED
            track.error = f"{error.message} The product is not at the remote."
            tries[store_id] += 1
            if tries[store_id] <= most:
                again.append(track)
        _post(execution, again)


def _post(execution: Execution, tracks: Sequence[Track]) -> None:
    posts = [Post(track.change) for track in tracks if isinstance(track.change, Create)]

    def job(post: Post) -> None:
        try:
            execution.post(post, again=True)
        except Interrupted:
            return

    execution.side_by_side(job, posts)


def _look(execution: Execution, tracks: Sequence[Track]) -> list[Track]:
    """Adopt what the list shows; return what is surely absent. The rest stays unknown."""
    unseen = _adopt_found(execution, tracks)
    waits = [execution.losses[t.change.store_id] for t in unseen]
    silent = [moment for moment, error in waits if not error.at_rest]
    if not silent:
        return list(unseen)
    clock = execution.client.clock
    patience = max(silent) + execution.client.timeout - clock.now()
    if execution.stopped or clock.wait(patience, execution.client.stop):
        return [t for t in unseen if execution.losses[t.change.store_id][1].at_rest]
    return list(_adopt_found(execution, unseen))


def _adopt_found(
    execution: Execution,
    tracks: Sequence[Track],
    sources: Collection[str | None] = (),
    posted: Collection[str] = (),
) -> Sequence[Track]:
    """Adopt the products that a fresh list shows; return the tracks of those it does not show.

    A create whose source of a rename is among `sources`, and is there after all, is left to the
    next plan, which renames it. `posted` are those that an earlier run has lost. Where the list
    cannot be read nothing is known: everything stays unknown and the run ends.
    """
    if not tracks:
        return ()
    try:
        listing = execution.client.list()
    except (RemoteError, Interrupted) as error:
        if isinstance(error, RemoteError):
            execution.halted = execution.halted or error
        return ()
    by_store_id = ids_by_store_id(listing, {t.change.store_id for t in tracks} | set(sources))
    unseen = []
    for track in tracks:
        source = track.change.absent if isinstance(track.change, Create) else None
        if source in sources and by_store_id.get(source or ""):
            track.fate = Fate.FAILED
            track.error = f"{source} is there after all: the next plan renames it"
            continue
        found = by_store_id.get(track.change.store_id, ())
        if len(found) == 1:
            execution.adopt(track, found[0], landed=False)
            execution.losses.pop(track.change.store_id, None)
        elif found:
            track.fate = Fate.FAILED
            track.error = f"the remote has it {len(found)} times now: {', '.join(found)}"
            execution.losses.pop(track.change.store_id, None)
        else:
            unseen.append(track)
    return adopt_rewritten(execution, unseen, listing, posted)


def ids_by_store_id(
    listing: Listing, wanted: Iterable[str | None]
) -> Mapping[str, tuple[str, ...]]:
    """The remote ids of each wanted store_id."""
    wanted = set(wanted)
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for product in listing.products:
        if product.store_id in wanted and product.id is not None:
            found[str(product.store_id)] += (product.id,)
    return found


def look_before_creating(
    execution: Execution, posts: Sequence[Post], ledger: Ledger, started: float
) -> Sequence[Post]:
    """The posts that are safe to make: what the ledger has seen there before is looked for first.

    A run that died may have made some of them, unseen until now. Its calls ended before this run
    `started`, so their absence is believed one read timeout later. What the ledger knows under an
    id that the list lacks may be there all the same: a list that lags, or that was empty by
    mistake, is not believed once alone.
    """
    known = {remembered.store_id for remembered in ledger.products.values()}
    lost = [p for p in posts if {p.change.store_id, p.change.absent} & ledger.creates.keys()]
    missed = [p for p in posts if p.change.store_id in known]
    if not (lost or missed) or execution.stopped:
        return posts
    client = execution.client
    patience = started + client.timeout - client.clock.now() if lost else 0.0
    if client.clock.wait(patience, client.stop):
        return ()
    tracks = [execution.tracks[post.change.store_id] for post in (*lost, *missed)]
    sources = {post.change.absent for post in lost if post.change.absent in ledger.creates}
    posted = {post.change.store_id for post in lost} & ledger.creates.keys()
    absent = _adopt_found(execution, tracks, sources, posted)
    unseen = {track.change.store_id for track in absent}
    if execution.halted:
        return ()
    suspects = {track.change.store_id for track in tracks}
    return [p for p in posts if p.change.store_id not in suspects - unseen]
