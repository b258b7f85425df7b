"""Renames: all chains side by side, each link after the one whose store_id it takes.

Links are made in rounds, the first of every chain, then the second of each. Between two rounds one
list shows, for all chains at once, that what the next links take was given up: an answer alone is
no proof, and two products must never share a store_id.
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from reconciler.applying.execute import Execution
from reconciler.errors import Interrupted, ReconcilerError, RemoteError
from reconciler.planning.operations import Patch
from reconciler.planning.outcome import Fate, Track

Chain: TypeAlias = tuple[Patch, ...]


def rename(execution: Execution, chains: Sequence[Chain]) -> None:
    """Make every chain, link by link; a failed link stops the links that depend on it."""
    going, position = list(chains), 0
    while going:
        links = [chain[position] for chain in going]
        made = list(execution.client.spread(partial(_make, execution), links))
        for chain, succeeded in zip(going, made, strict=True):
            if succeeded is False:
                _stop(execution, chain, position, "which failed")
            elif succeeded is None and position and chain[0].parking:
                _left_aside(execution, chain[0], "the run was stopped within its ring of renames")
        going = [
            chain
            for chain, succeeded in zip(going, made, strict=True)
            if succeeded and position + 1 < len(chain)
        ]
        going = _shown_to_go_on(execution, going, position)
        position += 1


def _make(execution: Execution, link: Patch) -> bool | None:
    """Make one link; whether it was done, None where the run was stopped before it."""
    try:
        execution.patch(link)
    except Interrupted:
        return None
    track = _track(execution, link)
    return track.fate is Fate.APPLIED or (link.parking and track.error is None)


def _shown_to_go_on(execution: Execution, chains: Sequence[Chain], position: int) -> list[Chain]:
    """The chains whose link at `position` gave up its store_id, as a list shows."""
    if not chains:
        return []
    try:
        products = execution.client.list().products
    except (RemoteError, Interrupted):
        for chain in chains:
            _stop(execution, chain, position, "which no list has shown")
        return []
    wanted = {chain[position].ids[0] for chain in chains}
    listed = {product.id: product.store_id for product in products if product.id in wanted}
    going = []
    for chain in chains:
        link = chain[position]
        change = link.changes[0]
        if listed.get(change.id) != change.seen.store_id:
            going.append(chain)
            continue
        track = _track(execution, link)
        track.fate = Fate.FAILED
        track.error = "the server said that it was renamed, but lists it as before"
        _stop(execution, chain, position, "which failed")
    return going


def _stop(execution: Execution, chain: Chain, position: int, reason: str) -> None:
    """End a chain after its link at `position`: say why at the later ones, and tidy up."""
    track = _track(execution, chain[position])
    for later in chain[position + 1 :]:
        waiting = _track(execution, later)
        if waiting is not track and waiting.fate is Fate.NOT_ATTEMPTED:
            waiting.error = f"needs the rename of {track.change.store_id}, {reason}"
    if not chain[0].parking:
        return
    if position == 1 and track.fate is Fate.FAILED:
        _unpark(execution, chain[0])
    elif position == 0 and track.error is None:
        _left_aside(execution, chain[0], f"the ring of renames was not carried on: {reason}")


def _unpark(execution: Execution, parking: Patch) -> None:
    """Give the parked product of a ring its store_id back: no link of the ring was made."""
    change = parking.changes[0]
    back = Patch((change,), {"store_id": str(change.leaves)}, parking=True)
    failed: ReconcilerError | None
    try:
        failed = execution.attempt(back, lambda: execution.client.update(back.ids, back.body))
    except Interrupted as interrupted:
        failed = interrupted
    if failed is not None:
        _left_aside(execution, parking, _track(execution, parking).error)


def _left_aside(execution: Execution, parking: Patch, reason: str | None) -> None:
    """Say where the parked product of a ring stands, and until when."""
    track = _track(execution, parking)
    track.fate = Fate.FAILED
    track.error = f"{reason}; it stands at {parking.body['store_id']} until the next run"
    execution.parked = True


def _track(execution: Execution, link: Patch) -> Track:
    return execution.tracks[link.changes[0].store_id]
