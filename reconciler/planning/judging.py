"""What became of each Change: a function of what was sent, what came back and what a list shows.

Every Change ends as applied, failed, not attempted or unknown, by these rules:

- A refusal is a failure. A success is believed until a list contradicts it.
- A list that was read after all answers outweighs them. What it shows as declared is applied,
  whatever the answers said.
- A create without a valid id is found by its store_id; its absence is believed `settle` seconds
  after it was sent. An id that was listed before, or that two creates got, is no valid one.
- An accepted write that the list does not show is looked for again, for up to `settle` seconds. A
  value that is sent alone twice and still differs is what the server keeps instead.
- A product has one budget of repeats for all its calls in a run (`retries`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from reconciler.model import RemoteProduct, Value
from reconciler.planning.likeness import Likeness, alike, likeness_of, likeness_sent
from reconciler.planning.operations import Operation, Patch, Post, values
from reconciler.planning.outcome import Answer, Fate, Verdict
from reconciler.planning.plan import Create, Delete, Update
from reconciler.planning.sight import NOTHING_HEARD, Heard, Sight, Situation

_SOON: Final = 3.0
"""Seconds in which a write that is not shown is looked for again before it is sent again."""
_ALONE: Final = 1
"""How often a product is sent again alone before the server is held to keep its own value."""
_SILENT_TRIES: Final = 1
"""How often a create is posted again if its answer did not come, or did not tell."""
_REFUSED_TRIES: Final = 5
"""How often a create is posted again that was answered with "not now"."""
_UNSEEN: Final = "the answer to its create was not seen"


class Case(NamedTuple):
    """One Change as it stands: the verdict so far, and what would tell or do more.

    `send` is a call to make, `look` when a list is wanted. With neither the verdict is final.
    """

    verdict: Verdict
    send: Operation | None = None
    look: float | None = None


@dataclass(frozen=True, slots=True)
class _Fields:
    """What the answers say of the fields of one product, call by call.

    `ok` were accepted, of `lost` nobody knows. `calls` are the fields of each accepted call that a
    list has to show. `refused` and `unheard` are the last complaints. `alone` counts the accepted
    calls that sent something again, and `repeats` what was made again after a failure.
    """

    ok: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    calls: tuple[frozenset[str], ...] = ()
    attempted: frozenset[str] = frozenset()
    refused: str | None = None
    unheard: str | None = None
    alone: int = 0
    repeats: int = 0
    came: float = 0.0

    def after(self, answers: Sequence[Answer]) -> "_Fields":
        """The same after more answers to PATCHes."""
        fields = self
        for answer in answers:
            if isinstance(answer.operation, Patch):
                fields = fields._after(frozenset(answer.operation.body), answer)
        return fields

    def _after(self, keys: frozenset[str], answer: Answer) -> "_Fields":
        failure = answer.failure
        again = bool(keys & self.attempted)
        heard = replace(self, attempted=self.attempted | keys, came=answer.came)
        if failure is None:
            calls = (keys,) if again else (*self.calls, keys)
            ok, lost, alone = self.ok | keys, self.lost - keys, self.alone + again
            return replace(heard, ok=ok, lost=lost, calls=calls, alone=alone)
        repeats = self.repeats + failure.repeats + again
        if not failure.may_have_landed:
            return replace(heard, refused=failure.message, repeats=repeats)
        ok, lost = self.ok - keys, self.lost | keys
        return replace(heard, ok=ok, lost=lost, unheard=failure.message, repeats=repeats)

    def verdict(self, change: Create | Update, id: str) -> Verdict:
        """The verdict by the answers alone."""
        verdict = Verdict(change, Fate.APPLIED, id, landed=self.ok, lost=self.lost)
        if self.lost:
            return verdict._replace(fate=Fate.UNKNOWN, error=self.unheard)
        if self.refused is not None:
            return verdict._replace(fate=Fate.FAILED, error=_in_part(self.ok) + self.refused)
        if self.attempted < change.fields.keys():
            return verdict._replace(fate=Fate.NOT_ATTEMPTED)
        return verdict


def _in_part(landed: frozenset[str]) -> str:
    return "applied in part: " if landed else ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a list shows of one product beside what was sent.

    `todo` is what is not shown, or in doubt; `own` what the server shows in a form of its own, as
    in another case. `as_before` says that a field stands as if the call had not been made.
    """

    todo: Mapping[str, Value | None]
    own: Mapping[str, Value | None]
    landed: frozenset[str]
    as_before: bool

    @classmethod
    def of(cls, change: Create | Update, product: RemoteProduct, fields: _Fields) -> "_Seen":
        """Compare. A call that left a readable field as before may have set no other one either."""
        readable = [key for key in sorted(fields.attempted) if not change.fields[key].write_only]
        differing = {
            key: actual
            for key in readable
            if (actual := product.value(key)) != change.fields[key].after
        }
        before = {
            key
            for key, actual in differing.items()
            if isinstance(change, Update) and actual == change.fields[key].before
        }
        near = {key for key, v in differing.items() if alike(v, change.fields[key].after)}
        doubted = set(fields.lost).union(*(call for call in fields.calls if call & before))
        unsure = {key for key in sorted(doubted) if change.fields[key].write_only}
        own = {key: differing[key] for key in sorted(near - before)}
        todo = {key: actual for key, actual in differing.items() if key not in own}
        todo |= dict.fromkeys(sorted(unsure))
        landed = (fields.ok | set(readable)) - differing.keys() - unsure
        return cls(todo, own, frozenset(landed), bool(before - near))


def judge_update(change: Update, heard: Heard, situation: Situation) -> Case:
    """What became of an Update."""
    if not heard.patches:
        return Case(Verdict(change))
    fields = _Fields().after(heard.patches)
    sight = situation.sight_after(heard)
    if sight is None:
        return Case(fields.verdict(change, change.id), look=situation.now)
    return _judge_fields(change, change.id, fields, situation, sight)


def _judge_fields(
    change: Create | Update, id: str, fields: _Fields, situation: Situation, sight: Sight
) -> Case:
    """What became of the fields of a product, by a list that was read after all answers."""
    answered = fields.verdict(change, id)
    product = sight.by_id.get(id)
    if product is None:
        if answered.fate in (Fate.APPLIED, Fate.UNKNOWN):
            answered = answered._replace(fate=Fate.FAILED, error="it is gone from the remote")
        return Case(answered)
    seen = _Seen.of(change, product, fields)
    lost = (fields.ok | fields.lost) - seen.landed
    verdict = Verdict(change, Fate.APPLIED, id, landed=seen.landed, lost=lost, listed=True)
    if seen.landed >= change.fields.keys():
        return Case(verdict)
    if fields.refused is not None:
        # A refusal says nothing of the call before it, whose answer was lost.
        unsure = any(change.fields[key].write_only for key in lost)
        fate = Fate.UNKNOWN if unsure else Fate.FAILED
        return Case(verdict._replace(fate=fate, error=_in_part(seen.landed) + fields.refused))
    if fields.attempted < change.fields.keys():
        return Case(verdict._replace(fate=Fate.NOT_ATTEMPTED))
    if "store_id" in seen.todo and set(sight.with_store_id(change.store_id)) - {id}:
        error = "it was not renamed, and another product has its store_id"
        return Case(verdict._replace(fate=Fate.FAILED, error=error))
    if not seen.todo:
        return Case(verdict._replace(kept=seen.own))
    return _pursue(change, fields, seen, verdict, situation)


def _pursue(
    change: Create | Update, fields: _Fields, seen: _Seen, verdict: Verdict, situation: Situation
) -> Case:
    """Send again alone, look again, or accept what the server keeps."""
    id = str(verdict.id)
    not_shown = f"accepted, but the list does not show its {', '.join(seen.todo)}"
    unknown = verdict._replace(fate=Fate.UNKNOWN, error=fields.unheard or not_shown)
    waited = situation.now - fields.came
    if fields.lost & seen.todo.keys():
        spent = fields.repeats >= situation.retries
        return Case(unknown, send=None if spent else _alone(change, id, seen))
    if seen.as_before and waited < min(_SOON, situation.settle):
        return Case(unknown, look=situation.next_look(fields.came))
    if fields.alone < _ALONE:
        return Case(unknown, send=_alone(change, id, seen))
    if seen.as_before and waited < situation.settle:
        return Case(unknown, look=situation.next_look(fields.came))
    return Case(verdict._replace(kept={**seen.own, **seen.todo}))


def _alone(change: Create | Update, id: str, seen: _Seen) -> Patch:
    """A call for one product, with those of its values that are not shown, or in doubt."""
    body = {key: value for key, value in values(change).items() if key in seen.todo}
    # What a create made is called by the id that it got; the Change is still the plan's own.
    target = Update(change.store_id, id, change.name, change.fields, RemoteProduct(id, ()))
    return Patch((target,), body)


def judge_create(
    change: Create,
    heard: Heard,
    situation: Situation,
    *,
    id: str | None = None,
    twin: "Twin | None" = None,
) -> Case:
    """What became of a Create.

    `id` is the valid one that it was answered with, and `twin` what it may have made otherwise.
    A verdict of not attempted without an error says that it may be sent.
    """
    every = frozenset(change.fields)
    accepted = _Fields(ok=every, calls=(every,), attempted=every)
    adopted = _Fields(lost=every, attempted=every, unheard=_UNSEEN, repeats=-1)
    sight = situation.sight_after(heard)
    if not heard and change.store_id not in situation.opened:
        return Case(Verdict(change))
    if id is not None and sight is not None and not sight.may_be(change.store_id, id):
        id = None
    if id is None and heard.patches:
        # It was found, and sent what was in doubt: no list that lacks it makes it a new one.
        id, accepted = _called(heard.patches[-1]), adopted
    if sight is None:
        if id is None:
            return _judge_absent(change, heard, situation, None)
        fields = replace(accepted, came=heard.came).after(heard.patches)
        return Case(fields.verdict(change, id), look=situation.now)
    if id is not None and id in sight.by_id:
        fields = replace(accepted, came=heard.came).after(heard.patches)
        return _judge_fields(change, id, fields, situation, sight)
    unlisted = None if id is None else _judge_unlisted(change, id, heard, situation)
    if unlisted is not None and unlisted.look is not None:
        return unlisted
    found = _found(change, heard, situation, sight, twin)
    if isinstance(found, Verdict):
        return Case(found)
    if found is not None:
        fields = adopted.after(heard.patches)
        return _judge_fields(change, found, fields, situation, sight)
    return unlisted or _judge_absent(change, heard, situation, sight)


def _judge_unlisted(change: Create, id: str, heard: Heard, situation: Situation) -> Case:
    """What became of a create whose id is known, and that the last list lacks."""
    answered = (heard.posts or heard.patches)[-1].came
    error = f"it was created as {id}, but the list does not show it"
    landed = frozenset(change.fields)
    unknown = Verdict(change, Fate.UNKNOWN, id, error, landed=landed, sent=answered)
    waits = situation.now - answered < situation.settle
    return Case(unknown, look=situation.next_look(answered) if waits else None)


def _called(answer: Answer) -> str | None:
    """The remote id that a call for one product named."""
    return answer.operation.ids[0] if isinstance(answer.operation, Patch) else None


def _found(
    change: Create, heard: Heard, situation: Situation, sight: Sight, twin: "Twin | None"
) -> str | Verdict | None:
    """The id of what a create without a listed id has made; a Verdict if nobody can tell."""
    # A product that another Change is about to rename may still be listed here.
    ids = [id for id in sight.with_store_id(change.store_id) if id not in sight.changed]
    if len(ids) > 1:
        error = f"the remote has it {len(ids)} times now: {', '.join(ids)}"
        return Verdict(change, Fate.FAILED, error=error)
    if ids:
        # After a refusal it is another's, unless it is just what was sent.
        refused = bool(heard.posts) and not any(map(_may_have_landed, heard.posts))
        return None if refused and not _is_just(change, sight.by_id.get(ids[0])) else ids[0]
    source = change.came_from
    if not heard.posts and source is not None and _came_back(source, situation, sight):
        error = f"{source} is there after all: the next plan renames it"
        return Verdict(change, Fate.FAILED, error=error)
    if twin is None:
        return None
    if twin.sure:
        return twin.ids[0]
    error = f"any of {', '.join(twin.ids)} may be what was created: nobody can tell"
    return Verdict(change, Fate.UNKNOWN, error=error)


def _came_back(source: str, situation: Situation, sight: Sight) -> bool:
    """Whether a product is listed at `source` that the plan had not seen, and this run not made."""
    made = {answer.id for answer in situation.answers}
    return any(id not in situation.listed and id not in made for id in sight.with_store_id(source))


def _may_have_landed(answer: Answer) -> bool:
    return answer.failure is None or answer.failure.may_have_landed


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
        message, at_rest = f"it was answered with {last.id}, which is another product's id", False
    else:
        message, at_rest = failure.message, failure.at_rest
    if not _may_have_landed(last):
        refused = Verdict(change, Fate.FAILED, error=message)
        return Case(refused, look=None if sight else situation.now)
    every = frozenset(change.fields)
    unknown = Verdict(change, Fate.UNKNOWN, error=message, lost=every, sent=last.came)
    if sight is None:
        return Case(unknown, look=situation.now)
    # Counted from the answer: a call may have waited for its turn before it was sent.
    if not at_rest and sight.asked < last.came + situation.settle:
        return Case(unknown, look=last.came + situation.settle)
    same = [a for a in heard.posts if (a.failure is not None and a.failure.at_rest) is at_rest]
    if len(same) <= (_REFUSED_TRIES if at_rest else _SILENT_TRIES):
        return Case(unknown, send=Post(change))
    error = f"{message} The product is not at the remote."
    return Case(Verdict(change, Fate.FAILED, error=error))


def judge_delete(change: Delete, heard: Heard, situation: Situation) -> Case:
    """What became of a Delete."""
    if not heard:
        edited = situation.edited.get(change.store_id)
        return Case(Verdict(change, Fate.FAILED, change.id, edited) if edited else Verdict(change))
    last = heard.deletes[-1]
    failure, sight = last.failure, situation.sight_after(heard)
    applied = Verdict(change, Fate.APPLIED, change.id)
    unknown = applied._replace(fate=Fate.UNKNOWN)
    if sight is not None and change.id not in sight.by_id:
        return Case(applied)
    look = None if sight else situation.now
    if failure is None:
        if sight is None:
            return Case(applied, look=look)
        waits = situation.now - last.came < situation.settle
        unknown = unknown._replace(error="the server said it was deleted, but still lists it")
        return Case(unknown, look=situation.next_look(last.came) if waits else None)
    unknown = unknown._replace(error=failure.message)
    if sight is None and (failure.may_have_landed or failure.gone):
        return Case(unknown, look=look)
    # A server that goes on with it, or a list that lags, may take it away yet.
    open_yet = failure.may_have_landed and not failure.at_rest
    if open_yet and situation.now - last.came < situation.settle:
        return Case(unknown, look=situation.next_look(last.came))
    return Case(unknown._replace(fate=Fate.FAILED), look=look)


class Twin(NamedTuple):
    """New products that a lost create may have made under a store_id of the server's own form.

    `sure`: there is just one such product for just one such create.
    """

    ids: tuple[str, ...]
    sure: bool


def twins(
    situation: Situation, heard: Mapping[str, Heard], answered: Mapping[str, str]
) -> dict[str, Twin]:
    """What lost creates may have made that no list shows under their own store_id, by store_id.

    `answered` holds the valid ids. Only products that came since the apply began, that no Change
    means, and that are what was sent but for case, white space and Unicode form.
    """
    sight = situation.sight
    if sight is None or not sight.new:
        return {}
    named = set(answered.values())
    lost: defaultdict[Likeness, list[str]] = defaultdict(list)
    meant: set[str | None] = set()
    for change in situation.plan.changes:
        if not isinstance(change, Delete):
            meant.add(change.store_id)
        if not isinstance(change, Create) or change.store_id in named:
            continue
        posts = heard.get(change.store_id, NOTHING_HEARD).posts
        if change.store_id in situation.lost or any(map(_may_have_landed, posts)):
            lost[likeness_sent(values(change))].append(change.store_id)
    found: defaultdict[Likeness, list[str]] = defaultdict(list)
    for product in sight.new if lost else ():
        if product.id not in answered and product.store_id not in meant:
            found[likeness_of(product)].append(str(product.id))
    return {
        store_id: Twin(tuple(ids), len(ids) == len(lost[likeness]) == 1)
        for likeness, ids in found.items()
        for store_id in lost.get(likeness, ())
    }
