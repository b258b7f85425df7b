"""The registry of rules, and how their findings are made: one way for all of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from reconciler.codes import Code
from reconciler.errors import CatalogError
from reconciler.linting import (
    create_without_image,
    create_without_type,
    duplicate_name,
    http_image,
    invisible_characters,
    not_nfc,
    renamed_from_applied,
    tags_differ_only_in_case,
    unused_default,
)
from reconciler.linting.rule import CatalogRule, Hit, Level, Planned, PlanRule, Rule, TextRule
from reconciler.model import Catalog, Finding, Listing
from reconciler.planning.plan import Plan

RULES: Final[tuple[Rule, ...]] = (
    create_without_type.RULE,
    create_without_image.RULE,
    tags_differ_only_in_case.RULE,
    not_nfc.RULE,
    invisible_characters.RULE,
    duplicate_name.RULE,
    http_image.RULE,
    unused_default.RULE,
    renamed_from_applied.RULE,
)
"""Every rule, in the order in which they are listed."""

TEXT_RULES: Final[tuple[TextRule, ...]] = (invisible_characters.RULE, not_nfc.RULE)
TAG_RULE: Final = tags_differ_only_in_case.RULE
BY_CODE: Final[Mapping[Code, Rule]] = MappingProxyType({rule.code: rule for rule in RULES})


def rule_named(name: str) -> Rule | None:
    """The rule of that name, written with dashes or underscores, as its id or as its code."""
    plain = name.strip().lower().replace("_", "-")
    for rule in RULES:
        if plain in (rule.id, rule.code.replace("_", "-")):
            return rule
    return None


class Levels:
    """The level of each rule: what was `given`, else the rule's own."""

    def __init__(self, given: Mapping[Code, Level] | None = None) -> None:
        self._levels: dict[Code, Level] = {rule.code: rule.level for rule in RULES}
        self._levels.update(given or {})

    def of(self, rule: Rule) -> Level:
        """The level of `rule`."""
        return self._levels[rule.code]

    def judged(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The findings with the severity that their rules have; without those switched off.

        A finding that is not a rule's stays as it is.
        """
        for finding in findings:
            level = self._levels.get(finding.code)
            if level is None:
                yield finding
            elif level != "off":
                yield finding._replace(severity=level)


DEFAULT_LEVELS: Final = Levels()


class Placed(NamedTuple):
    """A finding, and the other files that it concerns."""

    finding: Finding
    about: tuple[str, ...]


def lint_catalog(catalog: Catalog, levels: Levels, *, errors_only: bool) -> Iterator[Placed]:
    """What the rules about catalogues find; with `errors_only`, those set to error alone."""
    for rule in RULES:
        level = levels.of(rule)
        if isinstance(rule, CatalogRule) and (level == "error" or not errors_only):
            yield from _found(rule, level, rule.check(catalog))


def linted(
    plan: Plan, catalog: Catalog, remote: Listing, levels: Levels, *, listed: bool = True
) -> Plan:
    """The plan, with what the rules about plans find in it among its warnings.

    If `remote` is not `listed` but taken to be what a revision declares, it proves nothing about
    the real one, so rules about that are not run. Raises CatalogError if a rule that is set to
    error finds something.
    """
    found = lint_plan(Planned(catalog, remote, plan.changes), levels, listed=listed)
    if any(finding.severity == "error" for finding in found):
        raise CatalogError(found, hint="Fix the files, or change the rules under `lint`.")
    return replace(plan, warnings=(*plan.warnings, *found))


def lint_plan(planned: Planned, levels: Levels, *, listed: bool = True) -> Sequence[Finding]:
    """What the rules about plans find; without those about the remote if it is not `listed`."""
    return [
        placed.finding
        for rule in RULES
        if isinstance(rule, PlanRule) and (listed or not rule.of_remote)
        for placed in _found(rule, levels.of(rule), rule.check(planned))
    ]


def _found(rule: Rule, level: Level, hits: Iterable[Hit]) -> Iterator[Placed]:
    if level == "off":
        return
    for hit in hits:
        yield Placed(Finding(level, rule.code, hit.message, hit.location), hit.about)
