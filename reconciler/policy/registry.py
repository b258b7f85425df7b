"""The registry of all built-in rules."""

from typing import Final

from reconciler.linting.registry import CATALOG_RULES
from reconciler.linting.rule import Rule
from reconciler.policy import create_without_image, create_without_type, renamed_from_applied

RULES: Final[tuple[Rule, ...]] = (
    create_without_type.RULE,
    create_without_image.RULE,
    *CATALOG_RULES,
    renamed_from_applied.RULE,
)
"""Every built-in rule, in the order in which they are listed."""
