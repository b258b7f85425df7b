"""Which remote product is meant by which declared one: by store_id, by rename, by the ledger.

What cannot be decided is blocked, never guessed: a store_id that the remote holds twice, a product
without one, a rename whose source and target both exist.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from reconciler.codes import Code
from reconciler.model import Catalog, Ledger, Listing, RemoteProduct, Sent
from reconciler.planning.plan import Blocked
from reconciler.planning.renames import lines
from reconciler.planning.standing import Standing

# After an hour the create is taken to have failed, or a wrong answer would block it for ever.
_UNLISTED: Final = timedelta(hours=1)
"""How long after its answer a create that is not listed is waited for."""


@dataclass(slots=True)
class Matching:
    """The declared and the remote side by side.

    `pairs` holds the remote product of each declared store_id that has one; `undeclared` the remote
    products that nothing declares; `ring_members` the declared store_ids of pending renames that
    form rings; `contested` those of renames whose source and target both exist; `stand` what each
    remote product stands for.
    """

    stand: Standing
    pairs: dict[str, RemoteProduct] = field(default_factory=dict)
    undeclared: list[RemoteProduct] = field(default_factory=list)
    ring_members: list[str] = field(default_factory=list)
    contested: set[str] = field(default_factory=set)

    @property
    def blocked(self) -> list[Blocked]:
        """What is left untouched, whatever is declared."""
        return self.stand.blocked

    @property
    def held(self) -> set[str]:
        """The store_ids that are blocked."""
        return self.stand.held

    def hold(self, store_id: str, ids: Iterable[str], reason: Code) -> None:
        """Leave what is declared as `store_id` as it is, because of the remote products `ids`."""
        self.blocked.append(Blocked(store_id, tuple(ids), reason))
        self.held.add(store_id)


def match(
    catalog: Catalog,
    remote: Listing,
    ledger: Ledger,
    *,
    now: datetime | None = None,
    recreate: Collection[str] = (),
) -> Matching:
    """Pair every declared product with its remote product, if it has one.

    `now` is the time that the age of what the ledger holds is judged by; without it nothing is too
    old. `recreate` are the store_ids whose answered create is not waited for.
    """
    stand = Standing.of(catalog, remote, ledger)
    matching = Matching(stand)
    pairs, held, present = matching.pairs, matching.held, stand.present
    takers = _takers(stand)
    _hold_unlisted(takers.values(), remote, ledger, matching, now=now, recreate=recreate)
    leaving = _pending(takers, matching)
    _hold_targets(takers, leaving, matching)
    arriving = {target: source for source, target in leaving.items()}
    renamed = {None, *(present[source].id for source in leaving)}
    # Copied, since what is left in it at the end belongs to no declared product.
    parked = dict(stand.parked)
    for store_id in catalog.products:
        if store_id in held:
            continue
        if (id := stand.kept.get(store_id)) is not None:
            # It is listed so, though it was sent as another: a second one would have its store_id.
            matching.hold(store_id, [id], Code.RENAME_WAITS)
        elif store_id in arriving:
            pairs[store_id] = present[arriving[store_id]]
        elif store_id in present and store_id not in leaving:
            pairs[store_id] = present[store_id]
        elif store_id in parked:
            pairs[store_id] = parked.pop(store_id)
        # P2: the list may only be late, and a second create would double the product.
        # One that this plan renames is listed, and another product is declared here by now.
        elif (
            store_id not in recreate
            and (id := _awaited(ledger.creates.get(store_id), now)) not in renamed
        ):
            matching.hold(store_id, [str(id)], Code.NOT_LISTED_YET)
    # It cannot be finished and must not be deleted, so people are told of it.
    for product in parked.values():
        stand.block(str(product.store_id), [product], Code.RENAME_CONFLICT)
    _keep_apart(leaving, matching)
    if stand.moves or stand.parked or stand.kept:
        _hold_moves(remote, matching)
    return matching


def _awaited(sent: Sent | None, now: datetime | None) -> str | None:
    """The id of a create that was answered, and may still be on its way into the list."""
    if sent is None or now is None or sent.at is None:
        return None if sent is None else sent.id
    return sent.id if now - datetime.fromisoformat(sent.at) < _UNLISTED else None


def _hold_unlisted(
    targets: Collection[str],
    remote: Listing,
    ledger: Ledger,
    matching: Matching,
    *,
    now: datetime | None,
    recreate: Collection[str],
) -> None:
    """Hold the targets of renames that an answered create has, and that no list shows yet (P2)."""
    awaited = {
        target: id
        for target in targets
        if target not in recreate and (id := _awaited(ledger.creates.get(target), now))
    }
    # Next to never is there any, so the list is seldom walked.
    listed = {product.id for product in remote.products} if awaited else ()
    for target, id in awaited.items():
        if id not in listed:
            matching.hold(target, [id], Code.NOT_LISTED_YET)


def _takers(stand: Standing) -> dict[str, str]:
    """The declared renames that are not done already: the target by the store_id that is given up.

    A product that a rename gave its store_id is not moved on by another rename from there, with one
    exception. If this tool applied a product at the source of the first rename, a newer
    declaration that reads alike is meant, and it moves all products along the line on. A product
    that somebody put there by hand moves none.
    """
    open_now = {s: target for s, target in stand.targets.items() if target not in stand.parked}
    takers: dict[str, str] = {}
    for start in open_now:
        if stand.settled(start):
            continue
        store_id = start
        while store_id in open_now and store_id not in takers:
            takers[store_id] = target = open_now[store_id]
            product = stand.present.get(store_id)
            known = None if product is None else stand.ledger.products.get(str(product.id))
            pushes = known is not None and known.store_id == store_id
            if product is None or (stand.settled(target) and not pushes):
                break
            store_id = target
    return takers


def _pending(takers: Mapping[str, str], matching: Matching) -> dict[str, str]:
    """The renames still to be made: the declared store_id by the store_id that is given up.

    A rename is pending while its source is at the remote and its target is not, or is itself
    about to be renamed.
    """
    present = matching.stand.present
    moves = {source: target for source, target in takers.items() if source in present}
    pending: dict[str, str] = {}
    for line, is_ring in lines(moves):
        end = moves[line[-1]]
        # A ring needs no free store_id: one product steps aside for the others.
        if is_ring:
            matching.ring_members += [moves[source] for source in line]
        # The last target is taken, so no product of this line can move.
        elif end in present or end in matching.held:
            continue
        pending.update({source: moves[source] for source in line})
    return pending


def _hold_targets(takers: Mapping[str, str], leaving: Collection[str], matching: Matching) -> None:
    """Hold targets whose source is blocked: the product exists, so it must not be created."""
    blocked = {block.store_id: block for block in matching.blocked}
    present = matching.stand.present
    for source, target in takers.items():
        cause = blocked.get(source)
        if cause and target not in blocked and (target not in present or target in leaving):
            matching.hold(target, cause.ids, cause.reason)


def _hold_moves(remote: Listing, matching: Matching) -> None:
    """Hold what is to get the store_id of a product that stays, and all that waits for it in turn.

    A product may stand for another store_id than the one that it is listed with; if it is blocked,
    it stays, and keeps that one from the product that is meant to have it.
    """
    stand, pairs = matching.stand, matching.pairs
    here = {str(product.id): stand.at(product) for product in remote.products}
    there = {at: id for id, at in here.items()}
    moves = {str(product.id): to for to, product in pairs.items() if here[str(product.id)] != to}
    comers = {to: id for id, to in moves.items()}
    waiting = [id for id, to in moves.items() if to in there and there[to] not in moves]
    # Each that stays keeps its store_id from the next one, so holding spreads along the line.
    while waiting:
        id = waiting.pop()
        to = moves.pop(id)
        matching.hold(to, sorted({id, there.get(to, id)}), Code.RENAME_WAITS)
        del pairs[to]
        if (comer := comers.get(here[id])) is not None:
            waiting.append(comer)


def _keep_apart(leaving: Collection[str], matching: Matching) -> None:
    """What is left is undeclared; but the source of a rename that cannot be made is not deleted."""
    stand = matching.stand
    for store_id, product in stand.present.items():
        if store_id in stand.catalog.products or store_id in leaving:
            continue
        # Deleting the source would destroy what the rename is meant to keep (P3).
        if store_id in stand.targets:
            ids = (str(product.id),)
            matching.blocked.append(Blocked(store_id, ids, Code.RENAME_CONFLICT))
            matching.contested.add(stand.targets[store_id])
        elif product.declarable:
            matching.undeclared.append(product)
        # No pull could have brought it into the files, so that it is in none says nothing (P3).
        else:
            matching.blocked.append(Blocked(store_id, (str(product.id),), Code.NOT_WRITABLE))
