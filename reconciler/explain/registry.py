"""All entries by code, in the order of the codes, with the group that each belongs to."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from reconciler.codes import Code
from reconciler.explain.catalog import CATALOG
from reconciler.explain.entry import Explanation
from reconciler.explain.errors import ERRORS
from reconciler.explain.imports import IMPORTS
from reconciler.explain.plans import BLOCKS, REFUSALS, WARNINGS
from reconciler.linting.registry import rule_named
from reconciler.linting.rule import Rule
from reconciler.policy.registry import RULES
from reconciler.wording import nearest_word

# A rule holds its own texts, so that a new one cannot be added without them.
_RULES: Final = {
    Code(rule.code): Explanation(rule.sentence, rule.example, rule.remedy) for rule in RULES
}
GROUPS: Final[Mapping[str, Mapping[Code, Explanation]]] = MappingProxyType(
    {
        "Catalogue errors": CATALOG,
        "Lint rules": _RULES,
        "Warnings of a plan or an apply": WARNINGS,
        "Why a product is left untouched": BLOCKS,
        "Refusals": REFUSALS,
        "Exports and their import": IMPORTS,
        "Errors that end a command": ERRORS,
    }
)
"""The entries of each kind of code."""

ENTRIES: Final[Mapping[Code, Explanation]] = MappingProxyType(
    {code: entry for group in GROUPS.values() for code, entry in group.items()}
)


def explained(rules: Iterable[Rule]) -> dict[str, Explanation]:
    """What the codes of these rules mean."""
    return {rule.code: Explanation(rule.sentence, rule.example, rule.remedy) for rule in rules}


def code_named(name: str) -> Code | None:
    """The code that people call `name`, with dashes or underscores; also a rule's id."""
    # Findings show their code in brackets, and people paste it as it stands there.
    plain = name.strip().strip("[]").lower().replace("-", "_")
    try:
        return Code(plain)
    except ValueError:
        rule = rule_named(plain, RULES)
        return Code(rule.code) if rule else None


def nearest_code(name: str) -> Code | None:
    """The code that was probably meant, if one is near."""
    near = nearest_word(name.lower().replace("-", "_"), Code)
    return Code(near) if near else None
