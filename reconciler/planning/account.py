"""What an apply has to know before it begins, and has to tell at its end. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from reconciler.codes import Code
from reconciler.model import Finding, Kept, Ledger
from reconciler.planning.hints import products, server_keeps, warning
from reconciler.planning.operations import Patch
from reconciler.planning.outcome import Verdict
from reconciler.planning.plan import Create, Plan, Update
from reconciler.planning.sight import Situation
from reconciler.wording import few


def opened(
    plan: Plan,
    ledger: Ledger,
    known: Collection[str],
    now: float,
    utc: datetime,
    settle: float,
) -> dict[str, float]:
    """How long a product may still be missing from the list although an earlier run made it.

    By the store_id of the create or rename that needs it to be gone, as a time of the run's clock.
    It is so if an earlier run sent a create of that store_id, or of what a create is renamed from,
    or if the ledger knows an id for one of these. `known` is as in the Situation. `now` and `utc`
    are the same moment; `settle` is how long a call may take to show.
    """
    recorded = {known.store_id for known in ledger.products.values()}
    until: dict[str, float] = {}
    for change in plan.changes:
        sent, missing = ledger.creates.get(change.store_id), change.store_id in known
        if isinstance(change, Create):
            # A create that was renamed before it was listed is recorded by its old store_id.
            sent = sent or ledger.creates.get(change.came_from or "")
            missing = change.store_id in recorded or change.came_from in known
        # The list may only be late, and a rename would give two products one store_id (P2).
        elif not isinstance(change, Update) or "store_id" not in change.fields:
            continue
        # What has been known for longer is waited for in any case, and so is what has no time.
        if missing or (sent is not None and sent.at is None):
            until[change.store_id] = now + settle
        elif sent is not None and sent.at is not None:
            # A clock of another machine may be wrong: never longer than from now on.
            age = max(0.0, (utc - datetime.fromisoformat(sent.at)).total_seconds())
            until[change.store_id] = now + max(0.0, settle - age)
    return until


def unlisted(
    plan: Plan, ledger: Ledger, listed: Collection[str | None]
) -> Mapping[str, tuple[str, ...]]:
    """The ids that the ledger knows at the store_ids that `plan` brings there, by store_id.

    `listed` are the ids that the list of the plan had. A later list may show the others after all.
    """
    creates = [change for change in plan.changes if isinstance(change, Create)]
    renames = [c for c in plan.changes if isinstance(c, Update) and "store_id" in c.fields]
    wanted = {change.store_id for change in creates} | {change.store_id for change in renames}
    wanted |= {change.came_from for change in creates if change.came_from}
    ids: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for id, known in ledger.products.items():
        if known.store_id in wanted and id not in listed:
            ids[known.store_id] += (id,)
    return ids


def warnings_of(situation: Situation, verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """What the account of an apply has to say beyond its outcomes."""
    yield from _in_part(situation)
    yield from _kept(situation, verdicts)
    yield from _doubles(situation)


def _in_part(situation: Situation) -> Iterator[Finding]:
    """Products of a shared call that had to be sent again alone."""
    shared: set[str] = set()
    alone: set[str] = set()
    for answer in situation.answers:
        operation = answer.operation
        if isinstance(operation, Patch) and not operation.parking:
            if len(operation.changes) > 1:
                shared |= set(operation.store_ids) if answer.failure is None else set()
            else:
                alone |= shared.intersection(operation.store_ids)
    if alone:
        yield warning(
            Code.BATCH_IN_PART,
            f"A shared call did not take full effect: {products(len(alone))} of it "
            f"({few(sorted(alone))}) had to be sent again alone.",
        )


def _kept(situation: Situation, verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """Values that the server took and does not show."""
    cases: dict[str, list[tuple[str, Kept]]] = {}
    for change in situation.plan.changes:
        for key, actual in verdicts[change.store_id].kept.items():
            case = Kept(change.fields[key].after, actual)  # type: ignore[arg-type]  # no Delete
            cases.setdefault(key, []).append((change.store_id, case))
    yield from server_keeps(cases)


def _doubles(situation: Situation) -> Iterator[Finding]:
    """Creates that the remote holds more than once: a server made two of one call."""
    if situation.sight is None:
        return
    for change in situation.plan.changes:
        ids = situation.sight.with_store_id(change.store_id)
        # P2: this tool posts once at a time, so a double is the server's, and people must remove
        # it.
        if isinstance(change, Create) and len(ids) > 1:
            yield warning(
                Code.CREATED_TWICE,
                f"The remote holds {change.store_id} {len(ids)} times now ({', '.join(ids)}), "
                "though it was posted once at a time. Remove the extra product at Robosize; until "
                "then it is not touched.",
            )
