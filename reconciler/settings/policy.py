"""The shop's own rules as the settings hold them (INTERFACE.md, "Policy")."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, model_validator

from reconciler.linting.own_rules import Stated, at_host, like, one_of, required, value_rule
from reconciler.linting.patterns import full_match
from reconciler.linting.rule import Rule
from reconciler.model import FIELDS, INDEX, KEYS, NOTE_PREFIX, Kind, meant_key, selector
from reconciler.planning import guard
from reconciler.planning.hints import HAND_ENTERED
from reconciler.planning.plan import Action
from reconciler.policy.guard_rule import GuardRule
from reconciler.settings.section import Section, parse_limit
from reconciler.wording import nearest_word

RULE_NAME: Final = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
"""The pattern of a rule's name."""
# Also a code in reports, and a key in `lint`.
_NAME: Final = re.compile(RULE_NAME)
_LONGEST_NAME: Final = 60
_NEVER: Final = (*HAND_ENTERED, "any")
_GUARD_REMEDY: Final = (
    "Read the plan. If it is meant, apply with `--allow %s`; to change the rule, edit `policy` in "
    "reconciler.yaml, or switch it off there: `lint: {%s: off}`."
)


def _listed(value: object) -> object:
    """A single text as a list of one."""
    return [value] if isinstance(value, str) else value


def _field_name(value: str) -> str:
    if value not in INDEX and not value.startswith(NOTE_PREFIX):
        near = nearest_word(value, KEYS)
        hint = f"did you mean `{near}`?" if near else f"known: {', '.join(KEYS)}, or a note `x-…`"
        raise ValueError(f"is not a field; {hint}")
    return value


def _rule_name(value: str) -> str:
    if not _NAME.fullmatch(value) or len(value) > _LONGEST_NAME:
        raise ValueError("must be a name of small letters, digits and single dashes")
    return value


def _pattern(value: str) -> str:
    try:
        full_match(value)
    except ValueError as error:
        raise ValueError(f"is not a pattern: {str(error).rstrip('.')}") from None
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _expression(value: str) -> str:
    # A rule that is about no product would hold for ever, and nobody would be told.
    if meant := meant_key(_filled(value)):
        raise ValueError(f"is not an expression of --select; did you mean `{meant}=…`?")
    return value


def _at_most(value: object) -> guard.Limit:
    limit = parse_limit(value)
    if limit is None:
        raise ValueError("must be a percentage (10%) or a number of products (50)")
    return limit


StatedText = Annotated[
    str, PlainValidator(lambda value: _filled(str(value)), json_schema_input_type=str)
]
FieldName = Annotated[
    str, PlainValidator(lambda value: _field_name(str(value)), json_schema_input_type=str)
]
Expression = Annotated[
    str, PlainValidator(lambda value: _expression(str(value)), json_schema_input_type=str)
]
Expressions = Annotated[tuple[Expression, ...], BeforeValidator(_listed)]
Texts = Annotated[tuple[StatedText, ...], BeforeValidator(_listed)]
FieldNames = Annotated[tuple[FieldName, ...], BeforeValidator(_listed)]
RuleName = Annotated[
    str, PlainValidator(lambda value: _rule_name(str(value)), json_schema_input_type=str)
]
PatternText = Annotated[
    str, PlainValidator(lambda value: _pattern(str(value)), json_schema_input_type=str)
]
Amount = Annotated[
    guard.Limit,
    PlainValidator(_at_most, json_schema_input_type=str | int),
    PlainSerializer(str, return_type=str),
]


class PolicyEntry(Section):
    """One rule: `field` with what it may hold, `require`, or `plan` with what it must not do."""

    name: RuleName | None = Field(
        None, description="The rule's name. Without one it is made from the rule."
    )
    level: Literal["off", "warning", "error"] = Field(
        "error", description="What it is if it is broken."
    )
    message: StatedText | None = Field(None, description="The first sentence that people read.")
    where: Expressions = Field(
        (), alias="in", description="The products it is about, as for --select; all must hold."
    )
    field: FieldName | None = Field(None, description="The field, or note, that is judged.")
    one_of: Texts | None = Field(None, description="What the field may be; globs.")
    host: Texts | None = Field(None, description="The hosts that a URL may name; globs.")
    pattern: PatternText | None = Field(
        None, description="What the whole text must match: a regular expression, as of RE2."
    )
    require: FieldNames | None = Field(None, description="Fields that must be declared, filled.")
    plan: Action | None = Field(None, description="The kind of change that is judged.")
    never: Literal["size_chart", "fabric", "comment", "any"] | None = Field(
        None, description="No delete destroys such data."
    )
    at_most: Amount | None = Field(
        None, description="How many changes are allowed: a number or a percentage."
    )

    @model_validator(mode="after")
    def _is_one_rule(self) -> "PolicyEntry":
        about_values = [self.one_of, self.host, self.pattern]
        about_plans = [self.never, self.at_most]
        if self.plan is not None:
            self._check_plan(about_values)
        elif any(each is not None for each in about_plans):
            raise ValueError("has `never` or `at_most` without `plan`: create, update or delete")
        elif self.require is not None:
            if self.field is not None or any(each is not None for each in about_values):
                raise ValueError("has `require` beside another rule: write two entries")
        elif self.field is None:
            raise ValueError("says nothing: begin it with `field`, `require` or `plan`")
        elif sum(each is not None for each in about_values) != 1:
            raise ValueError("needs one of `one_of`, `host` and `pattern` beside `field`")
        # Text that is not a URL has no host that could be judged.
        elif self.host is not None and not _is_url(self.field):
            raise ValueError("has a `host`, but its field holds no URL; write `field: image_url`")
        return self

    def _check_plan(self, about_values: Sequence[object]) -> None:
        if self.require is not None or any(each is not None for each in about_values):
            raise ValueError("has `plan` beside a rule about values: write two entries")
        if (self.never is None) == (self.at_most is None):
            raise ValueError("needs one of `never` and `at_most` beside `plan`")
        # Only a delete destroys what was entered by hand at Robosize.
        if self.never is not None and self.plan != "delete":
            raise ValueError("has `never`, which is about `plan: delete`")
        if self.field is not None and (self.plan != "update" or self.field not in INDEX):
            raise ValueError("may have a `field` of the table only with `plan: update`")
        wanted = [each.key for each in map(selector, self.where)]
        unknown = any(key == "file" or key.startswith(NOTE_PREFIX) for key in wanted)
        # A percentage is of the listed products, and a list tells neither files nor notes.
        if self.at_most is not None and self.at_most.percent and unknown:
            raise ValueError(
                "has a percentage of products that only files tell: write a number, or choose "
                "products by id, tag or type"
            )

    def made_name(self) -> str:
        """The name that the rule has if none is given: what it says, in short."""
        if self.plan is not None:
            parts = [self.plan, self.field, "at-most" if self.never is None else "never"]
            parts.append(self.never)
        elif self.require is not None:
            parts = ["require", *self.require]
        else:
            kinds = {"one-of": self.one_of, "host": self.host, "pattern": self.pattern}
            parts = [self.field, next(kind for kind, value in kinds.items() if value is not None)]
        if self.where:
            parts += ["in", *self.where]
        # Globs and patterns hold signs that RULE_NAME does not allow.
        words = re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, parts)).lower())
        return words.strip("-")[:_LONGEST_NAME].rstrip("-")

    def rule(self, name: str) -> Rule:
        """The rule that this entry means."""
        stated = Stated(
            name=name,
            level=self.level,
            message=self.message,
            where=tuple(map(selector, self.where)),
            text=self._as_yaml(),
        )
        if self.plan is not None:
            return self._guard(stated, self.plan)
        if self.require is not None:
            return value_rule(stated, self.require, required)
        if self.one_of is not None:
            check = one_of(self.one_of)
        elif self.host is not None:
            check = at_host(self.host)
        else:
            check = like(self.pattern or "")
        return value_rule(stated, (self.field or "",), check)

    def _guard(self, stated: Stated, action: Action) -> GuardRule:
        never = () if self.never is None else (self.never,)
        return GuardRule(
            code=stated.name,
            sentence=stated.sentence,
            example=stated.text,
            remedy=_GUARD_REMEDY % (stated.name, stated.name),
            level=stated.level,
            action=action,
            field=self.field,
            at_most=self.at_most,
            never=HAND_ENTERED if self.never == "any" else never,
            where=stated.where,
            message=stated.message,
        )

    def _as_yaml(self) -> str:
        """The entry as it could stand in the settings."""
        said: dict[str, Any] = self.model_dump(exclude_unset=True, by_alias=True, mode="json")
        return "\n".join(
            f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in said.items()
        )


def named_rules(entries: Iterable[PolicyEntry]) -> tuple[Rule, ...]:
    """The rules of a policy; two that would be named alike are numbered."""
    # Names that were given go first, so that a made name never takes one of them.
    taken: set[str] = {entry.name for entry in entries if entry.name}
    rules: list[Rule] = []
    for entry in entries:
        name = entry.name or _free(entry.made_name(), taken)
        taken.add(name)
        rules.append(entry.rule(name))
    return tuple(rules)


def _free(name: str, taken: Iterable[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _is_url(key: str) -> bool:
    return key in INDEX and FIELDS[INDEX[key]].kind is Kind.URL
