"""Patterns that narrow a plan: `--select`, `--resend` and `protected`.

A pattern that matches nothing is an error (`protected`: a warning), so that a slip of the pen does
not read like "nothing to change".
"""

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Final, TypeAlias

from reconciler.errors import UnmatchedPattern, UsageError
from reconciler.model import INDEX, KEYS, Product

Matches: TypeAlias = Callable[[str], bool]

_SELECTORS: Final = ("tag", "type", "file")


def glob(pattern: str) -> Matches:
    """A test of text against a shell pattern; case counts."""
    compiled = re.compile(translate(pattern))
    return lambda text: compiled.match(text) is not None


class Globs:
    """Several patterns, any of which may match; remembers which never did."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._waiting = {pattern: glob(pattern) for pattern in patterns}
        self._matched: list[Matches] = []

    def __bool__(self) -> bool:
        return bool(self._waiting or self._matched)

    def __call__(self, text: str) -> bool:
        """Whether any pattern matches `text`."""
        hits = [pattern for pattern, matches in self._waiting.items() if matches(text)]
        self._matched += [self._waiting.pop(pattern) for pattern in hits]
        return bool(hits) or any(matches(text) for matches in self._matched)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """The patterns that have matched nothing yet."""
        return tuple(self._waiting)


class Selection:
    """The products that `--select` leaves in the plan: all, where no expression is given."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._tests = [_selector(expression) for expression in expressions]
        self._waiting = set(expressions)

    def __bool__(self) -> bool:
        return bool(self._tests)

    def declared(self, product: Product) -> bool:
        """Whether an expression selects this declared product, by its old store_id too."""
        return not self._tests or self._note(
            [expression for expression, on_product, _ in self._tests if on_product(product)]
        )

    def undeclared(self, store_id: str) -> bool:
        """Whether a store_id glob selects this undeclared product; other expressions never do."""
        return not self._tests or self._note(
            [expression for expression, _, on_store_id in self._tests if on_store_id(store_id)]
        )

    def _note(self, hits: list[str]) -> bool:
        self._waiting.difference_update(hits)
        return bool(hits)

    def check(self) -> None:
        """Raise UnmatchedPattern where an expression has matched nothing."""
        if self._waiting:
            _complain("--select", sorted(self._waiting))


def _selector(expression: str) -> tuple[str, Callable[[Product], bool], Matches]:
    key, equals, wanted = expression.partition("=")
    if not equals or key not in _SELECTORS:
        matches = glob(expression)
        return expression, lambda product: _by_store_id(matches, product), matches
    if key == "file":
        matches = glob(wanted)
        return expression, lambda product: matches(product.file), _never
    position = INDEX["tags" if key == "tag" else key]
    if key == "tag":
        return expression, lambda product: wanted in (product.values[position] or ()), _never
    return expression, lambda product: product.values[position] == wanted, _never


def _by_store_id(matches: Matches, product: Product) -> bool:
    return matches(product.store_id) or (
        product.renamed_from is not None and matches(product.renamed_from)
    )


def _never(_: str) -> bool:
    return False


class Resend:
    """The declared values that `--resend FIELD[=GLOB]` sends whatever the ledger says."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._by_field: dict[str, dict[str, Matches]] = {}
        self._waiting = set(expressions)
        for expression in expressions:
            key, equals, pattern = expression.partition("=")
            if key not in KEYS:
                raise UsageError(
                    f"--resend {expression}: {key!r} is not a field.",
                    hint=f"Fields that can be sent again: {', '.join(KEYS)}.",
                )
            if equals and not pattern:
                raise UsageError(
                    f"--resend {expression}: the pattern after `=` is empty.",
                    hint=f"Write `--resend {key}` for all products, or `--resend {key}=GLOB`.",
                )
            self._by_field.setdefault(key, {})[expression] = glob(pattern or "*")

    def __bool__(self) -> bool:
        return bool(self._by_field)

    def __call__(self, key: str, store_id: str) -> bool:
        """Whether the declared value of `key` is to be sent again for `store_id`."""
        return any(matches(store_id) for matches in self._by_field.get(key, {}).values())

    def note(self, product: Product) -> None:
        """Take note of the expressions that match a value which `product` declares."""
        for key, expressions in self._by_field.items():
            if product.value(key) is not None:
                self._waiting -= {e for e, test in expressions.items() if test(product.store_id)}

    def check(self) -> None:
        """Raise UnmatchedPattern where an expression has matched no declared value."""
        if self._waiting:
            _complain("--resend", sorted(self._waiting))


def _complain(flag: str, expressions: Sequence[str]) -> None:
    listed = ", ".join(expressions)
    raise UnmatchedPattern(
        f"{flag} matches nothing: {listed}.",
        hint="Patterns are matched whole and case counts; `*` stands for any text.",
    )
