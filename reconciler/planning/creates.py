"""What became of a Create: answered, found by its store_id, looked for again, or made once more.

Create is not idempotent (product-sync-api.txt, "Create product"), so this is the one place that
decides when a product is posted again:

- A create without a valid id is found by its store_id; its absence is believed `settle` seconds
  after its answer. An id that was listed before, or that two creates got, is not valid.
- What an earlier run may have made, or the ledger knows by its id, is looked for twice before it is
  posted: at once, and when it must have settled.
"""

from collections.abc import Mapping
from typing import Final

from reconciler.model import RemoteProduct, Value
from reconciler.planning.judging import Case, Fields, judge_fields
from reconciler.planning.likeness import Twin, likely
from reconciler.planning.operations import Post, values
from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Create, Delete
from reconciler.planning.sight import NOTHING_HEARD, Heard, Sight, Situation

_SILENT_TRIES: Final = 1
"""How often a create is posted again if its answer did not come, or did not tell."""
# The server has ended its work on such a call, so a list proves whether it made the product.
_REFUSED_TRIES: Final = 5
"""How often a create is posted again that was answered with "not now"."""
_UNSEEN: Final = "the answer to its create was not seen"


def judge_create(
    change: Create,
    heard: Heard,
    situation: Situation,
    *,
    id: str | None = None,
    twin: Twin | None = None,
) -> Case:
    """What became of a Create.

    `id` is the valid one that it was answered with, and `twin` what it may have made otherwise.
    A verdict of not attempted without an error says that it may be sent.
    """
    if not heard and change.store_id not in situation.opened:
        return Case(Verdict(change))
    every = frozenset(change.fields)
    accepted = Fields(ok=every, calls=(every,), attempted=every, came=heard.came)
    # -1, because the first PATCH sends these fields again, but is not a repeat itself.
    adopted = Fields(lost=every, attempted=every, unheard=_UNSEEN, repeats=-1)
    sight = situation.sight_after(heard)
    # Servers answer with somebody else's id, and adopting that would overwrite another product.
    if id is not None and sight is not None and not sight.may_be(change.store_id, id):
        id = None
    fields = adopted if id is None else accepted
    if id is None and heard.patches:
        # It was found, and sent what was in doubt: no list that lacks it makes it a new one.
        id = heard.patches[-1].operation.ids[0]
    fields = fields.after(heard.patches)
    if sight is None:
        if id is None:
            return _judge_absent(change, heard, situation, None)
        return Case(fields.verdict(change, id), look=situation.now)
    if id is not None and id in sight.by_id:
        return judge_fields(change, id, fields, situation, sight)
    unlisted = None if id is None else _judge_unlisted(change, id, heard, situation)
    if unlisted is not None and unlisted.look is not None:
        return unlisted
    found = _found(change, heard, situation, sight, twin)
    if isinstance(found, Verdict):
        return Case(found)
    if found is not None:
        return judge_fields(change, found, adopted.after(heard.patches), situation, sight)
    return unlisted or _judge_absent(change, heard, situation, sight)


def _judge_unlisted(change: Create, id: str, heard: Heard, situation: Situation) -> Case:
    """What became of a create whose id is known, and that the last list lacks."""
    answered = (heard.posts or heard.answers)[-1].came
    error = f"it was created as {id}, but the list does not show it"
    landed = frozenset(change.fields)
    unknown = Verdict(change, Fate.UNKNOWN, id, error, landed=landed, sent=answered)
    # The list may lag behind the answer, and an id that was answered is never thrown away.
    return Case(unknown, look=situation.next_look(answered))


def _found(
    change: Create, heard: Heard, situation: Situation, sight: Sight, twin: Twin | None
) -> str | Verdict | None:
    """The id of what a create without a listed id has made; a Verdict if nobody can tell."""
    # A product that another Change is about to rename may still be listed here.
    ids = [id for id in sight.with_store_id(change.store_id) if id not in sight.changed]
    may_be_ours = any(answer.may_have_landed for answer in heard.posts)
    # Which of them is the shop's cannot be known, so none is touched.
    if len(ids) > 1:
        error = f"the remote has it {len(ids)} times now: {', '.join(ids)}"
        # One of them may be this create's, so it did not surely fail (P6).
        return Verdict(change, Fate.UNKNOWN if may_be_ours else Fate.FAILED, error=error)
    if ids:
        # After a refusal it is another's, unless it is just what was sent.
        refused = bool(heard.posts) and not may_be_ours
        return None if refused and not _is_just(change, sight.by_id.get(ids[0])) else ids[0]
    if not heard.posts and (back := _listed_elsewhere(change, situation, sight)) is not None:
        error = f"it is there after all, listed as {back}: the next plan changes it"
        return Verdict(change, Fate.FAILED, error=error)
    source = change.came_from
    if not heard.posts and source is not None and _came_back(source, situation, sight):
        error = f"{source} is there after all: the next plan renames it"
        return Verdict(change, Fate.FAILED, error=error)
    if twin is None:
        return None
    # The server may have rewritten the store_id: posting again would make a second product (P2).
    if twin.sure:
        return twin.ids[0]
    error = f"any of {', '.join(twin.ids)} may be what was created: nobody can tell"
    return Verdict(change, Fate.UNKNOWN, error=error)


def _listed_elsewhere(change: Create, situation: Situation, sight: Sight) -> str | None:
    """The store_id at which the product is listed that the plan's list lacked, if another one."""
    found = map(sight.by_id.get, situation.known.get(change.store_id, ()))
    return next((str(product.store_id) for product in found if product is not None), None)


def _came_back(source: str, situation: Situation, sight: Sight) -> bool:
    """Whether a product is listed at `source` that the plan had not seen, and this run not made."""
    if any(post.change.store_id == source for post in situation.calls.creates):
        return False  # It is that create's, also if nobody saw its answer.
    made = {answer.id for answer in situation.answers}
    return any(id not in situation.listed and id not in made for id in sight.with_store_id(source))


def _is_just(change: Create, product: RemoteProduct | None) -> bool:
    return product is not None and all(
        field.write_only or product.value(key) == field.after
        for key, field in change.fields.items()
    )


def _judge_absent(change: Create, heard: Heard, situation: Situation, sight: Sight | None) -> Case:
    """What became of a create that no list shows, and that was not answered with a valid id."""
    if not heard:
        # An earlier run may have made it, or the ledger knows it: look first, then again later.
        opened = situation.opened[change.store_id]
        if sight is None or sight.asked < opened:
            return Case(Verdict(change), look=opened if sight else situation.now)
        return Case(Verdict(change))
    last = heard.posts[-1]
    failure = last.failure
    if failure is None:
        # Such an answer says nothing about the product that was sent: it may yet appear.
        message, at_rest = f"it was answered with {last.id}, which is another product's id", False
    else:
        message, at_rest = failure.message, failure.at_rest
    if not last.may_have_landed:
        refused = Verdict(change, Fate.FAILED, error=message)
        return Case(refused, look=None if sight else situation.now)
    every = frozenset(change.fields)
    unknown = Verdict(change, Fate.UNKNOWN, error=message, lost=every, sent=last.came)
    if sight is None:
        return Case(unknown, look=situation.now)
    # Counted from the answer: a call may have waited for its turn before it was sent.
    if not at_rest and sight.asked < last.came + situation.settle:
        return Case(unknown, look=last.came + situation.settle)
    # Counted apart: after a silence the server may still be at work, after a refusal it is not.
    same = [a for a in heard.posts if (a.failure is not None and a.failure.at_rest) is at_rest]
    if len(same) <= (_REFUSED_TRIES if at_rest else _SILENT_TRIES):
        return Case(unknown, send=Post(change))
    error = f"{message} The product is not at the remote."
    return Case(Verdict(change, Fate.FAILED, error=error))


def twins(
    situation: Situation, heard: Mapping[str, Heard], answered: Mapping[str, str]
) -> dict[str, Twin]:
    """Products under other store_ids that lost creates may have made, by the create's store_id.

    `answered` holds the valid ids. Only products that came since the apply began and that no Change
    means may be it.
    """
    sight = situation.sight
    # Only what came since the apply began can be made by it; older products are others'.
    if sight is None or not sight.new:
        return {}
    named = set(answered.values())
    lost: dict[str, Mapping[str, Value | None]] = {}
    meant: set[str | None] = set()
    for change in situation.plan.changes:
        if not isinstance(change, Delete):
            meant.add(change.store_id)
        if isinstance(change, Create) and change.store_id not in named:
            posts = heard.get(change.store_id, NOTHING_HEARD).posts
            if change.store_id in situation.lost or any(a.may_have_landed for a in posts):
                lost[change.store_id] = values(change)
    strangers = (p for p in sight.new if p.id not in answered and p.store_id not in meant)
    return likely(lost, strangers)
