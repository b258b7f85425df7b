"""The kind of rule that judges a plan, and how its findings come into the plan."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from reconciler.errors import CatalogError
from reconciler.linting.registry import Ruleset
from reconciler.linting.rule import Hit, Rule
from reconciler.model import Catalog, Finding, Listing
from reconciler.planning.plan import Change, Create, Plan


class Planned(NamedTuple):
    """What a rule about plans looks at: both sides, and the changes between them."""

    catalog: Catalog
    remote: Listing
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRule(Rule):
    """Judges a plan, for what cannot be known before the remote has been read.

    One that is `of_remote` asks what the remote really holds, beyond what would be changed.
    """

    check: Callable[[Planned], Iterable[Hit]]
    of_remote: bool = False


def created_without(key: str, words: str) -> Callable[[Planned], Iterator[Hit]]:
    """A check that finds products which will be created without the field `key`."""

    def check(planned: Planned) -> Iterator[Hit]:
        for change in planned.changes:
            # An empty text counts as declared: it says on purpose that there is nothing.
            if isinstance(change, Create) and key not in change.fields:
                message = f"{change.store_id} will be created without {words}: add `{key}:`."
                yield Hit(message, change.source, store_id=change.store_id)

    return check


def linted(
    plan: Plan, catalog: Catalog, remote: Listing, ruleset: Ruleset, *, listed: bool = True
) -> Plan:
    """The plan, with what the rules about plans find in it among its warnings.

    If `remote` is not `listed` but taken to be what a revision declares, it proves nothing about
    the real one, so rules about that are not run. Raises CatalogError if a rule that is set to
    error finds something.
    """
    found = lint_plan(Planned(catalog, remote, plan.changes), ruleset, listed=listed)
    # All findings go into the error, warnings too, so that one run shows everything (P7).
    if any(finding.severity == "error" for finding in found):
        raise CatalogError(found, hint="Fix the files, or change the rules under `lint`.")
    return replace(plan, warnings=(*plan.warnings, *found))


def lint_plan(planned: Planned, ruleset: Ruleset, *, listed: bool = True) -> Sequence[Finding]:
    """What the rules about plans find; without those about the remote if it is not `listed`."""
    return [
        placed.finding
        for rule in ruleset.rules
        if isinstance(rule, PlanRule) and (listed or not rule.of_remote)
        for placed in ruleset.found(rule, partial(rule.check, planned))
    ]
