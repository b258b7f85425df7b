"""The shop's own guards: what a plan must not do, by a rule of the settings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.errors import UsageError
from reconciler.linting.registry import Ruleset
from reconciler.linting.rule import Rule
from reconciler.model import (
    FIELDS,
    KEYS,
    WRITE_ONLY,
    Ledger,
    Listing,
    Product,
    Record,
    RemoteProduct,
    Selector,
    Value,
    all_hold,
)
from reconciler.planning.guard import Limit
from reconciler.planning.hints import products, warning
from reconciler.planning.plan import Action, Change, Create, Delete, Plan, Refusal, Update
from reconciler.wording import few, nearest_word

_VERBS: Final[Mapping[Action, str]] = {
    "create": "create",
    "update": "change",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRule(Rule):
    """Limits the changes of one action, for the products for which all of `where` holds.

    `field` is the only one that counts, of updates. At most `at_most` are allowed; or none that
    destroys what is named by `never`.
    """

    action: Action
    field: str | None = None
    at_most: Limit | None = None
    never: tuple[str, ...] = ()
    where: tuple[Selector, ...] = ()
    message: str | None = None


def guarded(
    plan: Plan, listing: Listing, ledger: Ledger, ruleset: Ruleset, allowed: Collection[str] = ()
) -> Plan:
    """The plan with the refusals of the shop's own guards, except those `allowed` by name.

    Products are judged as they are in `listing` and in the ledger, and as the plan makes them. A
    rule whose level is warning only warns.
    """
    rules = [rule for rule in ruleset.rules if isinstance(rule, GuardRule)]
    refusals: list[Refusal] = []
    warnings = []
    # Most shops have no guards of their own, and the index of a large list takes time.
    scene = _Scene(listing, ledger) if rules else None
    for rule in rules:
        level = ruleset.level_of(rule)
        if scene is None or level == "off" or rule.code in allowed:
            continue
        message = _objection(rule, plan, scene)
        if message is None:
            continue
        if level == "warning":
            warnings.append(warning(rule.code, message))
        else:
            refusals.append(Refusal(rule.code, message, f"--allow {rule.code}"))
    return replace(
        plan,
        refusals=(*plan.refusals, *refusals),
        warnings=tuple(dict.fromkeys((*plan.warnings, *warnings))),
    )


def check_allowed(allowed: Sequence[str], rulesets: Sequence[Ruleset]) -> None:
    """Raise UsageError if a name in `allowed` is not that of a rule about plans."""
    names = {
        rule.code for ruleset in rulesets for rule in ruleset.rules if isinstance(rule, GuardRule)
    }
    for name in allowed:
        if name not in names:
            near = nearest_word(name, names)
            known = f"Known: {', '.join(sorted(names))}." if names else "There is none."
            raise UsageError(
                f"--allow {name}: no rule about plans has this name.",
                hint=f"Did you mean {near!r}?" if near else known,
            )


class _Scene:
    """The remote beside the ledger: products as they are, in the form of declared ones."""

    def __init__(self, listing: Listing, ledger: Ledger) -> None:
        self._listing = listing
        self._ledger = ledger
        self._by_id = {product.id: product for product in listing.products}
        self._records: Mapping[str, Record] | None = None

    def records(self, plan: Plan) -> Mapping[str, Record]:
        """The whole listed records of the products that the plan deletes."""
        # Unpacking records is slow, so all rules share one pass.
        if self._records is None:
            ids = [change.id for change in plan.changes if isinstance(change, Delete)]
            self._records = self._listing.records(ids)
        return self._records

    def count(self, where: Sequence[Selector]) -> int:
        """How many remote products there are for which all of `where` holds."""
        if not where:
            return len(self._listing.products)
        return sum(all_hold(where, self._now(each)) for each in self._listing.products)

    def is_meant(self, change: Change, where: Sequence[Selector]) -> bool:
        """Whether `where` holds for a product as it is, or as the change makes it."""
        return not where or any(all_hold(where, state) for state in self._states(change))

    def _states(self, change: Change) -> Iterator[Product]:
        file = change.source.file if change.source else ""
        remote = None if change.id is None else self._by_id.get(change.id)
        values: tuple[Value | None, ...] = (None,) * len(FIELDS)
        if remote is not None:
            now = self._now(remote)
            values = now.values
            # A remote product has no file or notes; those of its declaration stand in.
            yield now._replace(file=file, notes=change.notes)
        if isinstance(change, Create | Update):
            fields = change.fields
            after = tuple(
                fields[key].after if key in fields else value
                for key, value in zip(KEYS, values, strict=True)
            )
            # Both states count: else a change of the tag itself would slip past a guard on that
            # tag.
            yield Product(after, file, 0, (), change.came_from, change.notes)

    def _now(self, remote: RemoteProduct) -> Product:
        return as_declared(remote, self._ledger)


def as_declared(remote: RemoteProduct, ledger: Ledger) -> Product:
    """A remote product in the form of a declared one, with what the ledger knows of it."""
    values = list(remote.values)
    # Every declared product has a store_id, but a record of the remote may lack one.
    values[0] = remote.store_id or ""
    for position in WRITE_ONLY:
        entry = None if remote.id is None else ledger.known(remote.id, KEYS[position])
        values[position] = entry.value if entry else None
    return Product(tuple(values), "", 0, ())


def _objection(rule: GuardRule, plan: Plan, scene: _Scene) -> str | None:
    """Why a rule objects to a plan; None if it does not."""
    meant = [
        change
        for change in plan.changes
        if change.action == rule.action
        and (rule.field is None or rule.field in change.fields)
        and scene.is_meant(change, rule.where)
    ]
    if rule.at_most is None:
        records = scene.records(plan)
        # From the list and not from the plan: a saved plan file could leave the data out.
        meant = [c for c in meant if any(records.get(str(c.id), {}).get(k) for k in rule.never)]
        limit, told = 0.0, f" with {' or '.join(rule.never)}, which no call can put back"
    else:
        # Counting asks every remote product, and only a percentage needs it.
        remote = scene.count(rule.where) if rule.at_most.percent else 0
        limit = rule.at_most.of(remote)
        base = f" of {remote}" if rule.at_most.percent else ""
        told = f"{base}; the rule {rule.code} allows {rule.at_most}"
    if len(meant) <= limit:
        return None
    said = f"{rule.message} " if rule.message else ""
    field = f"the {rule.field} of " if rule.field else ""
    named = few([change.store_id for change in meant])
    verb = _VERBS[rule.action]
    return f"{said}The plan would {verb} {field}{products(len(meant))} ({named}){told}."
