"""What became of an Update or a Delete: a function of what was sent, came back and is listed.

Every Change ends as applied, failed, not attempted or unknown, by these rules (those of a Create
are in `creates`):

- A refusal is a failure. A success is believed until a list contradicts it.
- A list that was read after all answers outweighs them. What it shows as declared is applied,
  whatever the answers said.
- An accepted write that the list does not show is looked for again, for up to `settle` seconds. A
  value that is sent alone once more and still differs is what the server keeps instead.
- A product has one budget of repeats for all its calls in a run (`retries`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from reconciler.model import RemoteProduct, Value
from reconciler.planning.likeness import alike
from reconciler.planning.operations import Operation, Patch, values
from reconciler.planning.outcome import Answer, Fate, Verdict
from reconciler.planning.plan import Create, Delete, Update
from reconciler.planning.sight import Heard, Sight, Situation

# Lists lag for a moment after a write, and looking costs less than sending again.
_SOON: Final = 3.0
"""Seconds in which a write that is not shown is looked for again before it is sent again."""
_ALONE: Final = 1
"""How often a product is sent again alone before the server is held to keep its own value."""
_NOT_LISTED: Final = "the list does not show it any more"


class Case(NamedTuple):
    """One Change as it stands: the verdict so far, and what would tell or do more.

    `send` is a call to make, `look` when a list is wanted. With neither the verdict is final.
    `aside` says that a ring of renames has parked the product, and has not moved it on.
    """

    verdict: Verdict
    send: Operation | None = None
    look: float | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
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

    def after(self, answers: Sequence[Answer]) -> "Fields":
        """The same after more answers to PATCHes."""
        fields = self
        for answer in answers:
            fields = fields._after(frozenset(answer.operation.body), answer)
        return fields

    def _after(self, keys: frozenset[str], answer: Answer) -> "Fields":
        failure = answer.failure
        again = bool(keys & self.attempted)
        heard = replace(self, attempted=self.attempted | keys, came=answer.came)
        if failure is None:
            calls = (keys,) if again else (*self.calls, keys)
            ok, lost, alone = self.ok | keys, self.lost - keys, self.alone + again
            return replace(heard, ok=ok, lost=lost, calls=calls, alone=alone)
        repeats = self.repeats + failure.repeats + again
        # A refusal changes nothing. What is sent again was accepted but not shown, so nobody knows
        # whether the call before has set it.
        if not failure.may_have_landed:
            heard, keys = replace(heard, refused=failure.message), keys & self.ok
        ok, lost = self.ok - keys, self.lost | keys
        unheard = failure.message if keys else self.unheard
        return replace(heard, ok=ok, lost=lost, unheard=unheard, repeats=repeats)

    def verdict(self, change: Create | Update, id: str) -> Verdict:
        """The verdict by the answers alone."""
        verdict = Verdict(change, Fate.APPLIED, id, landed=self.ok, lost=self.lost)
        # Doubt comes first: after a lost answer even a refusal proves nothing.
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
    def of(cls, change: Create | Update, product: RemoteProduct, fields: Fields) -> "_Seen":
        """Compare a product with what was sent to it."""
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
        # No list shows a write-only field, so it is judged by the readable ones of the same call.
        doubted = set(fields.lost).union(*(call for call in fields.calls if call & before))
        unsure = {key for key in sorted(doubted) if change.fields[key].write_only}
        own = {key: differing[key] for key in sorted(near - before)}
        todo = {key: actual for key, actual in differing.items() if key not in own}
        todo |= dict.fromkeys(sorted(unsure))
        landed = (fields.ok | set(readable)) - differing.keys() - unsure
        return cls(todo, own, frozenset(landed), bool(before - near))


def judge_update(change: Update, heard: Heard, situation: Situation) -> Case:
    """What became of an Update."""
    if not heard:
        return _judge_unsent(change, situation)
    if not heard.patches:
        return _judge_parked(change, heard, situation)
    fields = Fields().after(heard.patches)
    sight = situation.sight_after(heard)
    if sight is None:
        case = Case(fields.verdict(change, change.id), look=situation.now)
    else:
        case = judge_fields(change, change.id, fields, situation, sight)
    verdict = case.verdict
    parked = any(answer.operation.parking and answer.may_have_landed for answer in heard.answers)
    if not parked or "store_id" in verdict.landed:
        return case
    # It stands aside although its last call was refused: the ledger has to know where it belongs.
    return case._replace(verdict=verdict._replace(lost=verdict.lost | {"store_id"}), aside=True)


def _judge_unsent(change: Update, situation: Situation) -> Case:
    """What an Update waits for before it is sent: a rename for what may have its store_id yet."""
    opened, sight = situation.opened.get(change.store_id), situation.sight
    if opened is None:
        return Case(Verdict(change))
    if sight is None or sight.asked < opened:
        return Case(Verdict(change), look=opened if sight else situation.now)
    # The plan's list lacked it, and two products must never have one store_id (P2).
    if set(sight.with_store_id(change.store_id)) - {change.id}:
        error = "another product has its store_id after all: plan again"
        return Case(Verdict(change, Fate.FAILED, change.id, error))
    return Case(Verdict(change))


def _judge_parked(change: Update, heard: Heard, situation: Situation) -> Case:
    """What became of a product that was to make room in a ring of renames, and of no more yet."""
    parking, last = heard.answers[0], heard.answers[-1]
    failure = parking.failure
    verdict = Verdict(change, Fate.FAILED, change.id)
    if last is not parking and last.failure is None:
        return Case(verdict)  # It was sent back.
    error = failure.message if failure else "no list has shown its rename"
    if not parking.may_have_landed:
        return Case(verdict._replace(error=error))
    parked = parking.operation.body["store_id"]
    stands = f"the ring of renames was not carried on: it stands at {parked} until the next run"
    aside = Case(verdict._replace(error=stands, lost=frozenset({"store_id"})), aside=True)
    sight = situation.sight_after(heard)
    if last is not parking or sight is None:
        return aside._replace(look=None if sight else situation.now)
    product = sight.by_id.get(change.id)
    if product is None:
        # The list may lag, and a product that was parked and is seen no more is an effect.
        gone = aside.verdict._replace(error=_NOT_LISTED)
        return aside._replace(verdict=gone, look=situation.next_look(parking.came))
    # It is parked: the ledger keeps that as in doubt, and the next run carries the ring on.
    if product.store_id != change.renamed_from:
        return aside
    at_rest = failure is not None and failure.at_rest
    fate = Fate.FAILED if at_rest or failure is None else Fate.UNKNOWN
    verdict = aside.verdict._replace(fate=fate, error=error)
    look = None if at_rest else situation.next_look(parking.came)
    return Case(verdict, look=look)


def judge_fields(
    change: Create | Update, id: str, fields: Fields, situation: Situation, sight: Sight
) -> Case:
    """What became of the fields of a product, by a list that was read after all answers."""
    answered = fields.verdict(change, id)
    product = sight.by_id.get(id)
    if product is None:
        if answered.fate not in (Fate.APPLIED, Fate.UNKNOWN):
            return Case(answered)
        # A list may lag or leave one out for a moment, and what was accepted did not fail (P6).
        unseen = answered._replace(fate=Fate.UNKNOWN, error=_NOT_LISTED)
        return Case(unseen, look=situation.next_look(fields.came))
    seen = _Seen.of(change, product, fields)
    lost = (fields.ok | fields.lost) - seen.landed
    verdict = Verdict(change, Fate.APPLIED, id, landed=seen.landed, lost=lost, listed=True)
    if seen.landed >= change.fields.keys():
        return Case(verdict)
    if fields.refused is not None:
        # A refusal says nothing of the call before it, whose answer was lost.
        unsure = any(change.fields[key].write_only for key in lost)
        # No list shows a write-only field, however long it is looked for.
        shows = any(not change.fields[key].write_only for key in fields.lost & seen.todo.keys())
        look = situation.next_look(fields.came) if shows else None
        fate = Fate.UNKNOWN if unsure or look is not None else Fate.FAILED
        error = _in_part(seen.landed) + fields.refused
        return Case(verdict._replace(fate=fate, error=error), look=look)
    if fields.attempted < change.fields.keys():
        return Case(verdict._replace(fate=Fate.NOT_ATTEMPTED))
    # Sending it again would give two products one store_id.
    if "store_id" in seen.todo and set(sight.with_store_id(change.store_id)) - {id}:
        error = "it was not renamed, and another product has its store_id"
        return Case(verdict._replace(fate=Fate.FAILED, error=error))
    if not seen.todo:
        return Case(verdict._replace(kept=seen.own))
    return _pursue(change, fields, seen, verdict, situation)


def _pursue(
    change: Create | Update, fields: Fields, seen: _Seen, verdict: Verdict, situation: Situation
) -> Case:
    """Send again alone, look again, or accept what the server keeps."""
    id = str(verdict.id)
    not_shown = f"accepted, but the list does not show its {', '.join(seen.todo)}"
    unknown = verdict._replace(fate=Fate.UNKNOWN, error=fields.unheard or not_shown)
    waited = situation.now - fields.came
    # Setting a field twice has the same effect as once, so a lost PATCH may be repeated.
    if fields.lost & seen.todo.keys():
        spent = fields.repeats >= situation.retries
        return Case(unknown, send=None if spent else _alone(change, id, seen))
    # A value that stands as before points to a late list; one in a third form is the server's own.
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


def judge_delete(change: Delete, heard: Heard, situation: Situation) -> Case:
    """What became of a Delete."""
    if not heard:
        edited = situation.edited.get(change.store_id)
        return Case(Verdict(change, Fate.FAILED, change.id, edited) if edited else Verdict(change))
    last = heard.answers[-1]
    failure, sight = last.failure, situation.sight_after(heard)
    applied = Verdict(change, Fate.APPLIED, change.id, failure.message if failure else None)
    unknown = applied._replace(fate=Fate.UNKNOWN)
    # The list outweighs every answer, a refusal too: the product is gone.
    if sight is not None and change.id not in sight.by_id:
        return Case(applied)
    look = None if sight else situation.now
    if failure is None:
        if sight is None:
            return Case(applied, look=look)
        unknown = unknown._replace(error="the server said it was deleted, but still lists it")
        return Case(unknown, look=situation.next_look(last.came))
    if sight is None and (failure.may_have_landed or failure.gone):
        return Case(unknown, look=look)
    # A server that goes on with it, or a list that lags, may take it away yet. "No such product"
    # is also what a repeated call gets whose first try took effect.
    open_yet = failure.gone or (failure.may_have_landed and not failure.at_rest)
    if open_yet and (again := situation.next_look(last.came)) is not None:
        return Case(unknown, look=again)
    return Case(unknown._replace(fate=Fate.FAILED), look=look)
