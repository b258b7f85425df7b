"""Prove what was done: list again, compare every touched product, mend what landed in part.

What the closing list shows is what happened, whatever the answers said. A product that a shared
call left undone, or whose answer was lost, is sent once more, alone; what then still differs is
what the server keeps instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.applying.execute import Execution
from reconciler.applying.settle import ids_by_store_id
from reconciler.applying.stale import shown
from reconciler.codes import Code
from reconciler.errors import Interrupted, RemoteError
from reconciler.model import Finding, Listing, RemoteProduct, Value
from reconciler.planning.hints import few, products, warning
from reconciler.planning.operations import Patch, values
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Create, Delete, Update

_MENDS = 2
"""How often a product is sent again alone, before the server is held to keep its own value."""


@dataclass(slots=True)
class Verification:
    """What the closing list showed. `closing` is None where it could not be read."""

    closing: Listing | None = None
    warnings: list[Finding] = field(default_factory=list)


def verify(execution: Execution) -> Verification:
    """Compare every touched product with a fresh list, and mend what can be mended."""
    verification = Verification()
    for attempt in range(_MENDS + 1):
        try:
            listing = execution.client.list()
        except (RemoteError, Interrupted) as error:
            verification.closing = None
            verification.warnings.append(
                warning(
                    Code.NOT_VERIFIED,
                    f"The closing list could not be read, so nothing is proven: {error.message}",
                )
            )
            return verification
        verification.closing = listing
        mends = _judge_all(execution, listing)
        if not mends or attempt == _MENDS or execution.stopped:
            break
        if attempt == 0:
            verification.warnings += _in_part(execution, mends)
        _mend(execution, mends)
    _conclude(execution, mends, verification)
    verification.warnings += _doubles(execution, listing)
    return verification


def _doubles(execution: Execution, listing: Listing) -> Iterator[Finding]:
    """Creates that the remote holds more than once: a server made two of one call."""
    creates = [t.change.store_id for t in execution.tracks.values() if isinstance(t.change, Create)]
    for store_id, ids in sorted(ids_by_store_id(listing, creates).items()):
        if len(ids) > 1:
            yield warning(
                Code.CREATED_TWICE,
                f"The remote holds {store_id} {len(ids)} times now ({', '.join(ids)}), though it "
                "was posted once at a time. Remove the extra product at Robosize; until then it "
                "is not touched.",
            )


def _judge_all(execution: Execution, listing: Listing) -> dict[str, dict[str, Value | None]]:
    """Correct every fate by what the list shows; what differs or is in doubt, by store_id."""
    by_id = {product.id: product for product in listing.products}
    lost_creates = [
        track.change.store_id
        for track in execution.tracks.values()
        if isinstance(track.change, Create) and track.id not in by_id
    ]
    found = ids_by_store_id(listing, lost_creates)
    mends: dict[str, dict[str, Value | None]] = {}
    for store_id, track in execution.tracks.items():
        change = track.change
        if isinstance(change, Delete):
            _judge_delete(track, by_id)
            continue
        if isinstance(change, Create) and track.id not in by_id:
            ids = found.get(store_id, ())
            if len(ids) == 1 and _is_ours(track, by_id[ids[0]]):
                execution.adopt(track, ids[0], landed=False)
                execution.losses.pop(store_id, None)
        product = by_id.get(track.id)
        if track.id is not None and (differing := _judge(track, product)):
            mends[store_id] = differing
    _keep_places(execution, listing, mends)
    return mends


def _is_ours(track: Track, product: RemoteProduct) -> bool:
    """Whether a product that is there after a create without an id is what the create made.

    After a lost answer it is, and after an answer with an id that is not listed. After a refusal it
    is only where it is just what was sent: else somebody else made it meanwhile, and it is theirs.
    """
    if track.fate in (Fate.UNKNOWN, Fate.APPLIED):
        return True
    return track.fate is Fate.FAILED and all(
        change.write_only or product.value(key) == change.after
        for key, change in track.change.fields.items()
    )


def _keep_places(
    execution: Execution, listing: Listing, mends: dict[str, dict[str, Value | None]]
) -> None:
    """No store_id is sent again that another product has by now: there must never be two."""
    holders: dict[str | None, set[str | None]] = {}
    for product in listing.products:
        holders.setdefault(product.store_id, set()).add(product.id)
    for store_id, differing in tuple(mends.items()):
        track = execution.tracks[store_id]
        if "store_id" in differing and holders.get(store_id, set()) - {track.id}:
            track.fate = Fate.FAILED
            track.error = "it was not renamed, and another product has its store_id"
            del mends[store_id]


def _judge_delete(track: Track, by_id: Mapping[str | None, RemoteProduct]) -> None:
    present = track.id in by_id
    if track.fate is Fate.APPLIED and present:
        track.fate, track.error = Fate.FAILED, "the server said it was deleted, but still lists it"
    elif track.fate in (Fate.UNKNOWN, Fate.FAILED):
        track.fate = Fate.FAILED if present else Fate.APPLIED


def _judge(track: Track, product: RemoteProduct | None) -> dict[str, Value | None]:
    """The fields of a Create or Update that are not as declared, with what the remote has."""
    change = track.change
    if product is None:
        if track.fate is Fate.APPLIED and isinstance(change, Create):
            track.fate, track.error = Fate.UNKNOWN, "it was created, but the list does not show it"
        elif track.fate in (Fate.APPLIED, Fate.UNKNOWN):
            track.fate, track.error = Fate.FAILED, "it is gone from the remote"
        return {}
    if track.fate is Fate.NOT_ATTEMPTED and not track.landed:
        return {}
    differing = _differing(track, product)
    _doubt_calls(track, differing)
    if not differing and track.landed >= change.fields.keys():
        track.fate, track.error = Fate.APPLIED, None
    # A call that was refused is not made again; one that was accepted or lost is.
    return differing if track.fate in (Fate.APPLIED, Fate.UNKNOWN) else {}


def _differing(track: Track, product: RemoteProduct) -> dict[str, Value | None]:
    """What is not as it was sent, but for what the server is known to keep; what is in doubt."""
    differing: dict[str, Value | None] = {}
    for key, change_of in track.change.fields.items():
        actual = product.value(key)
        if change_of.write_only:
            if key in track.lost:
                differing[key] = None
        elif actual == change_of.after:
            track.landed.add(key)
            track.lost.discard(key)
        elif key not in track.kept or track.kept[key] != actual:
            differing[key] = actual
    return differing


def _doubt_calls(track: Track, differing: dict[str, Value | None]) -> None:
    """A call that left a readable field undone may have left its write-only ones undone as well."""
    for call in track.calls:
        if call & differing.keys():
            for key in call:
                if track.change.fields[key].write_only:
                    differing[key] = None
                    track.lost.add(key)
                    track.landed.discard(key)


def _in_part(
    execution: Execution, mends: Mapping[str, Mapping[str, Value | None]]
) -> Iterator[Finding]:
    undone = sorted(mends.keys() & execution.shared)
    if undone:
        yield warning(
            Code.BATCH_IN_PART,
            f"A shared call did not take full effect: {products(len(undone))} of it "
            f"({few(undone)}) had to be sent again alone.",
        )


def _mend(execution: Execution, mends: Mapping[str, Mapping[str, Value | None]]) -> None:
    """Send what differs or is in doubt once more, a call for each product."""

    def job(store_id: str) -> None:
        track = execution.tracks[store_id]
        change = track.change
        id = str(track.id)
        if isinstance(change, Delete):
            return
        body = {key: value for key, value in values(change).items() if key in mends[store_id]}
        # The call is made by the id that the create got; the Change is still the plan's own.
        target = Update(change.store_id, id, change.name, change.fields, RemoteProduct(id, ()))
        patch = Patch((target,), body)
        try:
            result = execution.attempt(patch, lambda: execution.client.update([id], body))
        except Interrupted:
            return
        if isinstance(result, RemoteError):
            track.error = result.message
            track.lost |= body.keys() if result.may_have_landed else set()
            # A refusal says nothing of the call before it, whose answer was lost.
            unseen = any(change.fields[key].write_only for key in track.lost)
            in_doubt = result.may_have_landed or unseen
            track.fate = Fate.UNKNOWN if in_doubt else Fate.FAILED
        else:
            track.lost -= body.keys()
            track.landed |= body.keys()
            track.calls.clear()
            track.fate = Fate.APPLIED

    execution.side_by_side(job, sorted(mends))


def _conclude(
    execution: Execution,
    mends: Mapping[str, Mapping[str, Value | None]],
    verification: Verification,
) -> None:
    """What still differs after all: the server's own value, or an answer that never came."""
    cases: dict[str, list[tuple[str, Value | None, Value | None]]] = {}
    for store_id, differing in mends.items():
        track = execution.tracks[store_id]
        for key, actual in differing.items():
            change_of = track.change.fields[key]
            if key in track.lost or track.fate is not Fate.APPLIED:
                track.fate = Fate.UNKNOWN
                track.error = track.error or f"no answer told whether {key} was set"
            elif execution.stopped:
                track.fate = Fate.FAILED
                track.error = f"{key} is not as it was sent, and the run ended before a second try"
            elif not change_of.write_only:
                track.kept[key] = actual
                cases.setdefault(key, []).append((store_id, change_of.after, actual))
    for key, kept in cases.items():
        store_id, sent, actual = kept[0]
        more = f", and likewise for {len(kept) - 1} more" if len(kept) > 1 else ""
        verification.warnings.append(
            warning(
                Code.SERVER_KEEPS,
                f"The server keeps {shown(actual)} for {shown(sent)} as {key} of {store_id}{more}. "
                "Nothing more is sent for it until either side changes; declare what the server "
                "keeps to end this.",
            )
        )
