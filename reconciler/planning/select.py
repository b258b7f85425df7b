"""Patterns that narrow a plan: `--select`, `--resend` and `protected`.

A pattern that matches nothing is an error (`protected`: a warning). Otherwise a typing error would
look like "nothing to change".
"""

from collections.abc import Collection, Sequence
from typing import Final

from reconciler.errors import UnmatchedPattern, UsageError
from reconciler.model import (
    KEYS,
    STORE_ID,
    Matches,
    Product,
    RemoteProduct,
    Selector,
    glob,
    meant_key,
    selector,
)


class Keep:
    """The remote products that `protected` keeps: by store_id globs, or `tag=…` at the remote.

    It remembers which patterns have matched nothing.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._selectors = [selector(pattern) for pattern in patterns]
        self._waiting = dict.fromkeys(patterns)

    def __bool__(self) -> bool:
        return bool(self._selectors)

    def __call__(self, product: RemoteProduct) -> bool:
        """Whether any pattern matches a product."""
        kept = False
        for each in self._selectors:
            if means_remote(each, product.store_id or "", product.value("tags") or ()):
                # No early end: every pattern that matches must be known as used.
                self._waiting.pop(each.expression, None)
                kept = True
        return kept

    @property
    def unmatched(self) -> tuple[str, ...]:
        """The patterns that have matched nothing yet."""
        return tuple(self._waiting)


def means_remote(each: Selector, store_id: str, tags: Collection[str]) -> bool:
    """Whether an expression, without its `!`, means a remote product that nothing declares.

    Only its store_id and its tags are known.
    """
    if each.key == STORE_ID:
        return glob(each.wanted)(store_id)
    return each.key == "tag" and each.wanted in tags


_GLOB: Final = "Patterns are matched whole and case counts; `*` stands for any text."


class Selection:
    """The products that `--select` leaves in the plan: all, if no expression is given.

    A product is left in if any expression means it, or if all of them begin with `!`; and no
    expression with `!` means it.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        selectors = [selector(expression) for expression in expressions]
        self._wanted = [each for each in selectors if not each.excludes]
        self._unwanted = [each for each in selectors if each.excludes]
        self._waiting = set(expressions)

    def __bool__(self) -> bool:
        return bool(self._wanted or self._unwanted)

    def declared(self, product: Product) -> bool:
        """Whether this declared product is selected, by its old store_id too."""
        chosen = [each for each in self._wanted if each.test(product)]
        return self._judged(chosen, [each for each in self._unwanted if each.test(product)])

    def excludes(self, product: Product) -> bool:
        """Whether an expression with `!` means this declared product."""
        return any(each.test(product) for each in self._unwanted)

    def undeclared(self, store_id: str, tags: Collection[str] = ()) -> bool:
        """Whether an undeclared product is selected: by a store_id glob alone.

        Left out are those that `!` means by their store_id or their tags at the remote. With
        `!type=…` all are left out, since nobody knows their type.
        """
        chosen = [
            each
            for each in self._wanted
            if each.key == STORE_ID and means_remote(each, store_id, tags)
        ]
        out = [each for each in self._unwanted if means_remote(each, store_id, tags)]
        # When in doubt nothing is deleted: `!type=shoe` may be meant to spare just this product.
        unknown = any(each.key == "type" for each in self._unwanted)
        return self._judged(chosen, out) and not unknown

    def _judged(self, chosen: list[Selector], out: list[Selector]) -> bool:
        self._waiting.difference_update(each.expression for each in (*chosen, *out))
        return not out and bool(chosen or not self._wanted)

    def check(self) -> None:
        """Raise UnmatchedPattern if an expression has matched nothing."""
        if self._waiting:
            raise UnmatchedPattern(
                f"--select matches nothing: {', '.join(sorted(self._waiting))}.",
                hint=" ".join(dict.fromkeys(map(_advice, sorted(self._waiting)))),
            )


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
            # An empty shell variable would otherwise resend the field of all products.
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
        """Raise UnmatchedPattern if an expression has matched no declared value."""
        if self._waiting:
            raise UnmatchedPattern(
                f"--resend matches nothing: {', '.join(sorted(self._waiting))}.", hint=_GLOB
            )


def _advice(expression: str) -> str:
    """What to look at when an expression of --select means no product."""
    each = selector(expression)
    if each.key == "file":
        name = each.wanted.rpartition("/")[2]
        return (
            "A file is named from the working folder, as plans name it: "
            f"`file=*/{name}` finds it in any folder."
        )
    if each.key == STORE_ID:
        meant = meant_key(expression)
        return f"Did you mean `{meant}=…`? {_GLOB}" if meant else _GLOB
    text = f"{each.key}= is matched as it is written, without patterns, and case counts."
    if any(character in each.wanted for character in "*?["):
        text += " Give one --select for each value."
    return text
