"""What a rule is: a code, its level, what it means, and the pure check that finds it.

The kinds differ in what a check is given: a single text as it is read, the spellings of all tags,
the value of a field, or the catalogue as a whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from reconciler.model import Catalog, Location, Selector, Value

Level: TypeAlias = Literal["off", "warning", "error"]


class Hit(NamedTuple):
    """One location at which a rule found something; `about` are other files that it concerns.

    `store_id` is the product's, for a rule that tells of many products in one sentence.
    """

    message: str
    location: Location | None
    about: tuple[str, ...] = ()
    store_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; `level` is what it has if the settings say nothing.

    `many` is what it says of several products at once, after their number. Without it, and as an
    error, each product is told alone, with its location.
    """

    code: str
    """What its findings are called: a Code, or the name of one of the shop's own rules."""
    sentence: str
    """What it warns of, and why."""
    example: str
    """YAML or text that it complains about."""
    remedy: str
    level: Level = "warning"
    formerly: str | None = None
    """The name that settings could give it before, and still can."""
    many: str | None = None
    package: str | None = None
    """The installed package that brings the rule, if it is not built in."""

    @property
    def id(self) -> str:
        """The rule's name in the settings: its code as people write names."""
        return self.code.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule(Rule):
    """Judges one declared text; `check` returns what is wrong with it, or None."""

    check: Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRule(Rule):
    """Judges tags as they are met; `check` begins a reading, with what it has met."""

    check: Callable[[], "TagCheck"]


TagCheck: TypeAlias = Callable[[str, Location], Hit | None]
"""Called with each tag and its location; returns what there is to say about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRule(Rule):
    """Judges a catalogue as a whole."""

    check: Callable[[Catalog], Iterable[Hit]]


class Flaw(NamedTuple):
    """What is wrong with a value; `text` is the entry of a list that is at fault."""

    message: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRule(Rule):
    """Judges the values of fields or notes, of the products for which all of `where` holds.

    `check` gets the field's key and a value, None if nothing is declared. It must depend on these
    alone: each distinct value is judged once, however many products have it.
    """

    fields: tuple[str, ...]
    check: Callable[[str, Value | None], Iterable[Flaw]]
    where: tuple[Selector, ...] = ()
