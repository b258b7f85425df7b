"""The rules about catalogues, and how the findings of rules are made: one way for all of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from reconciler.codes import Code
from reconciler.linting import (
    duplicate_name,
    http_image,
    invisible_character,
    not_nfc,
    tags_differ_in_case,
    unused_default,
)
from reconciler.linting.rule import CatalogRule, Hit, Level, Rule, TextRule, ValueRule
from reconciler.linting.values import Columns, Locate, at_product, hits
from reconciler.model import Catalog, Finding
from reconciler.wording import few

CATALOG_RULES: Final[tuple[Rule, ...]] = (
    tags_differ_in_case.RULE,
    not_nfc.RULE,
    invisible_character.RULE,
    duplicate_name.RULE,
    http_image.RULE,
    unused_default.RULE,
)
"""Every built-in rule about catalogues, in the order in which they are listed."""

TEXT_RULES: Final[tuple[TextRule, ...]] = (invisible_character.RULE, not_nfc.RULE)
TAG_RULE: Final = tags_differ_in_case.RULE


class Ruleset:
    """The rules in force, and the level of each: what `levels` say by code, else the rule's own."""

    def __init__(self, rules: Iterable[Rule], levels: Mapping[str, Level] | None = None) -> None:
        self.rules = tuple(rules)
        self._levels: dict[str, Level] = {rule.code: rule.level for rule in self.rules}
        self._levels.update(levels or {})

    def level_of(self, rule: Rule) -> Level:
        """The level of `rule`, which is one of them."""
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

    def found(self, rule: Rule, check: Callable[[], Iterable[Hit]]) -> "Iterator[Placed]":
        """What `check` finds for `rule`, as findings of its level; it is not run if that is off.

        A rule of a package that fails becomes an error, and the others are run all the same.
        """
        level = self.level_of(rule)
        if level == "off":
            return
        try:
            hits = check()
            # An error must name every place (P7); a hundred warnings of one kind would hide all
            # others.
            if rule.many and level == "warning":
                hits = _as_one(rule.many, tuple(hits))
            for hit in hits:
                yield Placed(Finding(level, rule.code, hit.message, hit.location), hit.about)
        except Exception as error:
            if rule.package is None:
                # A fault of this tool must not look like one of the catalogue.
                raise
            yield Placed(_failure(rule, error), ())


def _failure(rule: Rule, error: Exception) -> Finding:
    reason = f"{type(error).__name__}: {error}".rstrip(".: ")
    message = (
        f"The rule {rule.code} of the package {rule.package} failed ({reason}), so nobody "
        f"knows what it would find. Fix the package, or switch the rule off: "
        f"`lint: {{{rule.code}: off}}`."
    )
    return Finding("error", Code.RULE_FAILED, message)


_NAMED: Final = 5
"""How many store_ids a finding about many products names."""

CATALOG_RULESET: Final = Ruleset(CATALOG_RULES)
"""The built-in rules about catalogues, each with its own level."""


class Placed(NamedTuple):
    """A finding, and the other files that it concerns."""

    finding: Finding
    about: tuple[str, ...]


def rule_named(name: str, rules: Iterable[Rule]) -> Rule | None:
    """The rule of that name, written with dashes or underscores, as its id or as its code."""
    plain = name.strip().lower().replace("_", "-")
    for rule in rules:
        # Settings with a former name of a rule must still work after an upgrade.
        if plain in (rule.id, rule.formerly):
            return rule
    return None


def lint_catalog(
    catalog: Catalog, ruleset: Ruleset, *, errors_only: bool, locate: Locate = at_product
) -> Iterator[Placed]:
    """What the rules about catalogues find; with `errors_only`, those set to error alone.

    Rules about values are always run; with `errors_only` the warnings of each become one. `locate`
    finds the exact location of a value.
    """
    columns = Columns(catalog.products.values())
    for rule in ruleset.rules:
        level = ruleset.level_of(rule)
        if isinstance(rule, CatalogRule) and (level == "error" or not errors_only):
            yield from ruleset.found(rule, partial(rule.check, catalog))
        elif isinstance(rule, ValueRule) and level != "off":
            check = partial(hits, rule, columns, locate)
            # A plan is read for its changes, so it tells that a rule is broken, and `validate`
            # tells where.
            whole = errors_only and level == "warning"
            yield from ruleset.found(rule, partial(_first_and_more, check) if whole else check)


def _first_and_more(check: Callable[[], Iterable[Hit]]) -> Sequence[Hit]:
    """The first hit, with the number of the others."""
    found = tuple(check())
    if len(found) < 2:
        return found
    more = f"{len(found) - 1} more values break this rule; `reconciler validate` names them."
    return [found[0]._replace(message=f"{found[0].message} {more}")]


def _as_one(many: str, hits: Sequence[Hit]) -> Sequence[Hit]:
    """Several hits as one, which says `many` of their number and names a few products."""
    if len(hits) < 2:
        return hits
    named = few([hit.store_id for hit in hits], _NAMED)
    return [hits[0]._replace(message=f"{len(hits)} {many} First of them: {named}.")]
