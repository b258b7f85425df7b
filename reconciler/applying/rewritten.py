"""Find what a lost create made where the server rewrites store_ids: by what is new and alike.

Only a product that was not listed before the apply began, that no other Change means, and that is
what was sent but for case, white space and Unicode form is taken for it; and only where there is
just one such product for just one such create. Everything else is left unknown, for people to see.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from reconciler.applying.execute import Execution
from reconciler.model import Listing, RemoteProduct
from reconciler.planning.likeness import Likeness, likeness_of, likeness_sent
from reconciler.planning.outcome import Fate, Track
from reconciler.planning.plan import Create, Delete


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
    alike: defaultdict[Likeness, list[Track]] = defaultdict(list)
    for track in lost:
        if isinstance(track.change, Create):
            sent = {key: field.after for key, field in track.change.fields.items()}
            alike[likeness_sent(sent)].append(track)
    found: defaultdict[Likeness, list[str]] = defaultdict(list)
    for product in _new(execution, listing):
        likeness = likeness_of(product)
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
