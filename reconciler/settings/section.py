"""The base of all parts of the settings, parsers that they share, and the limits of a plan."""

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from reconciler.planning import guard

_LIMIT: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(%?)")
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})


def optional(value: object) -> object:
    """Read the words that YAML has for nothing, which arrive as text."""
    # In the environment there is no null, only text.
    return None if isinstance(value, str) and value.strip() in _NOTHING else value


def parse_limit(value: object) -> guard.Limit | None:
    """Read "10%" or "50" as a Limit, null as none. Raises ValueError with what is expected."""
    if value is None or isinstance(value, guard.Limit):
        return value
    if isinstance(value, str) and value.strip() in _NOTHING:
        return None
    match = _LIMIT.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("must be a percentage (10%) or a number of products (50)")
    number, percent = float(match[1]), bool(match[2])
    if percent and number > 100:
        raise ValueError("must be at most 100%")
    # Half a product cannot be counted.
    if not percent and number != int(number):
        raise ValueError("must be a whole number of products, or a percentage (10%)")
    return guard.Limit(number, percent)


LimitText = Annotated[
    guard.Limit | None,
    PlainValidator(parse_limit, json_schema_input_type=str | int | None),
    PlainSerializer(lambda limit: limit and str(limit), return_type=str | None),
]


class Section(BaseModel):
    """A frozen part of the settings that takes no key it does not know."""

    # An unknown key is an error: a misspelled limit would else be no limit. Models are built late,
    # since most commands use few of them.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


class LimitSettings(Section):
    """Apply refuses a plan that is above both a limit and the floor; null means no limit."""

    creates: LimitText = Field(guard.Limits().creates, description="How many may be created.")
    deletes: LimitText = Field(guard.Limits().deletes, description="How many may be deleted.")
    updates: LimitText = Field(guard.Limits().updates, description="How many may be changed.")
    floor: int = Field(
        guard.Limits().floor, ge=0, description="So many of a kind are never too many."
    )

    def for_guard(self) -> guard.Limits:
        """The limits as the guard reads them."""
        return guard.Limits(self.deletes, self.updates, self.floor, self.creates)
