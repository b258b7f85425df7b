"""Find what a lost create made where the server rewrites store_ids: by what is new and alike.

Only a product that was not listed before the apply began, that no other Change means, and that is
what was sent but for case, white space and Unicode form is taken for it; and only where there is
just one such product for just one such create. Everything else is left unknown, for people to see.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypeAlias

from reconciler.applying.execute import Execution
from reconciler.model import FIELDS, READABLE, Listing, RemoteProduct, Value
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Create, Delete

_Likeness: TypeAlias = tuple[tuple[str, ...] | None, ...]


def adopt_rewritten(
    execution: Execution, unseen: Sequence[Track], listing: Listing, posted: Collection[str] = ()
) -> Sequence[Track]:
    """Adopt what lost creates among `unseen` surely made; return the tracks that are not settled.

    A create counts as lost that this run has lost, or an earlier one as `posted` says. What it
    might have made, but need not, leaves it unknown. The closing list then tells what the server
    keeps.
    """
    lost = [track for track in unseen if track.change.store_id in {*execution.losses, *posted}]
    if execution.listed is None or not lost:
        return unseen
    alike: defaultdict[_Likeness, list[Track]] = defaultdict(list)
    for track in lost:
        if isinstance(track.change, Create):
            alike[_sent(track.change)].append(track)
    found: defaultdict[_Likeness, list[str]] = defaultdict(list)
    for product in _new(execution, listing):
        likeness = tuple(_folded(product.values[position]) for position in READABLE)
        if likeness in alike:
            found[likeness].append(str(product.id))
    for likeness, ids in found.items():
        for track in alike[likeness]:
            execution.losses.pop(track.change.store_id, None)
            if len(ids) == len(alike[likeness]) == 1:
                execution.adopt(track, ids[0], landed=False)
            else:
                track.fate = Fate.UNKNOWN
                track.error = f"any of {', '.join(ids)} may be what was created: nobody can tell"
    settled = {track.change.store_id for likeness in found for track in alike[likeness]}
    return [track for track in unseen if track.change.store_id not in settled]


def _new(execution: Execution, listing: Listing) -> list[RemoteProduct]:
    """The products that came since the apply began, and that no Change of the plan is to make."""
    tracks = execution.tracks
    known = {*(execution.listed or ()), *(track.id for track in tracks.values())}
    meant = {store_id for store_id in tracks if not isinstance(tracks[store_id].change, Delete)}
    return [
        product
        for product in listing.products
        if product.id is not None and product.id not in known and product.store_id not in meant
    ]


def _sent(change: Create) -> _Likeness:
    """The readable values of what a create makes; what it leaves out is empty."""
    fields = {FIELDS[position].key: FIELDS[position].empty for position in READABLE}
    fields |= {key: field.after for key, field in change.fields.items() if key in fields}  # type: ignore[misc]  # no Delete: not None
    return tuple(_folded(value) for value in fields.values())


def _folded(value: Value | None) -> tuple[str, ...] | None:
    """A value without case, white space, Unicode form and order."""
    if value is None:
        return None
    texts = (value,) if isinstance(value, str) else value
    return tuple(sorted({_folded_text(text) for text in texts}))


def _folded_text(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
