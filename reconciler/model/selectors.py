"""Selectors: which products an expression such as `tag=linen` means."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import cache, lru_cache
from typing import Final, NamedTuple, TypeAlias

from reconciler.model.desired import NOTE_PREFIX, Product
from reconciler.model.fields import INDEX
from reconciler.wording import nearest_word

Matches: TypeAlias = Callable[[str], bool]

STORE_ID: Final = "store_id"
"""The key of an expression that is a glob of store_ids."""
_DIVIDING: Final = ("tag", "type", "file")
_TAGS: Final = INDEX["tags"]
_TYPE: Final = INDEX["type"]


# The same few patterns are asked for every product.
@lru_cache(maxsize=1024)
def glob(pattern: str) -> Matches:
    """A test of text against a shell pattern; case counts."""
    # Not fnmatch(): that ignores case on Windows, and a plan must not depend on the system (P8).
    compiled = re.compile(translate(pattern))
    return lambda text: compiled.match(text) is not None


class Selector(NamedTuple):
    """One expression: a store_id glob, `tag=…`, `type=…`, `file=GLOB` or `x-KEY=…`.

    `excludes` says that it begins with `!`. `test` tells whether a product is one of those that the
    rest of the expression means.
    """

    expression: str
    key: str
    """`store_id`, `tag`, `type`, `file`, or the name of a note."""
    wanted: str
    excludes: bool
    test: Callable[[Product], bool]

    def __call__(self, product: Product) -> bool:
        """Whether the whole expression holds for a product."""
        return self.test(product) != self.excludes


def selector(expression: str) -> Selector:
    """The Selector that an expression means."""
    excludes = expression.startswith("!")
    key, equals, wanted = expression.removeprefix("!").partition("=")
    test: Callable[[Product], bool]
    # A store_id may hold `=` too, so only the known keys divide an expression.
    if not equals or not (key in _DIVIDING or key.startswith(NOTE_PREFIX)):
        key, wanted = STORE_ID, expression.removeprefix("!")
        test = _by_store_id(glob(wanted))
    elif key == "file":
        # Many products share a file.
        in_file = cache(glob(wanted))
        test = lambda product: in_file(product.file)  # noqa: E731
    elif key == "tag":
        test = lambda product: wanted in (product.values[_TAGS] or ())  # noqa: E731
    elif key == "type":
        test = lambda product: product.values[_TYPE] == wanted  # noqa: E731
    else:
        test = _by_note(key, wanted)
    return Selector(expression, key, wanted, excludes, test)


def meant_key(expression: str) -> str | None:
    """The key that was probably meant by an expression such as `tags=linen`, which means an id."""
    each = selector(expression)
    key, equals, _ = each.wanted.partition("=")
    return nearest_word(key, _DIVIDING) if equals and each.key == STORE_ID else None


def all_hold(selectors: Iterable[Selector], product: Product) -> bool:
    """Whether every expression holds for a product."""
    return all(holds(product) for holds in selectors)


def _by_store_id(matches: Matches) -> Callable[[Product], bool]:
    """A test of a product's store_id, and of the one that it is renamed from."""

    def test(product: Product) -> bool:
        # Until the rename is made, people know the product by its old store_id.
        before = product.renamed_from
        return matches(product.store_id) or (before is not None and matches(before))

    return test


def _by_note(key: str, wanted: str) -> Callable[[Product], bool]:
    def test(product: Product) -> bool:
        note = product.value(key)
        return wanted in note if isinstance(note, tuple) else note == wanted

    return test
