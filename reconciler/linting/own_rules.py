"""The kinds of rules about values that a shop can have, each made from what its settings say."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from reconciler.hosts import host_of
from reconciler.linting.patterns import full_match
from reconciler.linting.rule import Flaw, Level, ValueRule
from reconciler.model import FIELDS, INDEX, Kind, Selector, Value, glob
from reconciler.wording import did_you_mean, few

ValueCheck: TypeAlias = Callable[[str, Value | None], Iterable[Flaw]]

_LISTED: Final = 12
"""How many allowed values a message names."""
_LONGEST: Final = 60
# Each search goes through all allowed words: fifty thousand strange tags took minutes.
_MOST_MEANINGS: Final = 200
_REMEDY: Final = (
    "Correct the value. If it is right, change the rule under `policy` in reconciler.yaml, or "
    "switch it off there: `lint: {%s: off}`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the settings say of a rule of any kind."""

    name: str
    level: Level
    message: str | None
    where: tuple[Selector, ...]
    text: str
    """The rule as YAML."""

    @property
    def sentence(self) -> str:
        """What the rule demands, for whoever asks what its name means."""
        said = f"{self.message} " if self.message else ""
        return f"{said}A rule of this shop, from `policy` in the settings."


def value_rule(stated: Stated, fields: Sequence[str], check: ValueCheck) -> ValueRule:
    """A rule about values of `fields`, whose flaws begin with the message of the settings."""

    def told(key: str, value: Value | None) -> Iterator[Flaw]:
        for flaw in check(key, value):
            yield flaw._replace(message=f"{stated.message} {flaw.message}")

    return ValueRule(
        code=stated.name,
        sentence=stated.sentence,
        example=stated.text,
        remedy=_REMEDY % stated.name,
        level=stated.level,
        fields=tuple(fields),
        check=told if stated.message else check,
        where=stated.where,
    )


def one_of(allowed: Sequence[str]) -> ValueCheck:
    """Every text is among the `allowed` ones, which may be globs."""
    # Globs stay in the set too: a value may be spelled just like a pattern.
    exact = frozenset(allowed)
    globs = [glob(pattern) for pattern in allowed if any(sign in pattern for sign in "*?[")]
    listed = few(allowed, _LISTED)
    meanings: dict[str, str] = {}

    def meaning(text: str) -> str:
        """A question about what may be meant, for the first strange texts only; else ""."""
        if text not in meanings and len(text) <= _LONGEST and len(meanings) < _MOST_MEANINGS:
            meanings[text] = did_you_mean(text, exact)
        return meanings.get(text, "")

    def check(key: str, value: Value | None) -> Iterator[Flaw]:
        for text in _texts(value):
            if text not in exact and not any(matches(text) for matches in globs):
                meant = meaning(text)
                message = f"{_named(key, text)} is not allowed. {meant}Allowed: {listed}."
                yield Flaw(message, text)

    return check


def at_host(allowed: Sequence[str]) -> ValueCheck:
    """Every URL names one of the `allowed` hosts, which may be globs."""
    tests = [glob(pattern.lower()) for pattern in allowed]
    listed = few(allowed, _LISTED)
    # No URL is not a wrong host: `required` asks for one.
    judged: dict[str, str | None] = {"": None}

    def wrong_host(url: str) -> str | None:
        try:
            host = host_of(url)
        except ValueError:
            # A text that is not a URL is at no host, so it is only allowed if everything is.
            host = ""
        return None if any(matches(host) for matches in tests) else host

    def check(key: str, value: Value | None) -> Sequence[Flaw]:
        url = value if isinstance(value, str) else ""
        # Most URLs of a shop begin alike.
        origin = url[: url.find("/", 8) + 1] or url
        if origin not in judged:
            judged[origin] = wrong_host(origin)
        host = judged[origin]
        if host is None:
            return ()
        return (Flaw(f"{key} is at the host {_shown(host)}. Allowed: {listed}.", url),)

    return check


def like(pattern: str) -> ValueCheck:
    """Every text matches `pattern` from its first to its last character."""
    matches = full_match(pattern)

    def check(key: str, value: Value | None) -> Sequence[Flaw]:
        if value.__class__ is str and matches(value):
            return ()  # A catalogue has many ids, and most are sound.
        return [
            Flaw(f"{_named(key, text)} does not match {pattern}.", text)
            for text in _texts(value)
            if not matches(text)
        ]

    return check


def required(key: str, value: Value | None) -> Sequence[Flaw]:
    """The field is declared, and not empty."""
    if value:
        return ()
    if value is None:
        return (Flaw(f"{key} is missing. Add `{key}:`, or a default."),)
    return (Flaw(f"{key} is empty. Write a value."),)


def _texts(value: Value | None) -> Sequence[str]:
    """The texts of a value: none if it is not declared or empty."""
    if isinstance(value, tuple):
        return value
    return (value,) if value else ()


def _named(key: str, text: str) -> str:
    """A text with what it is: a tag, or the field's value."""
    is_tag = key in INDEX and FIELDS[INDEX[key]].kind is Kind.TAGS
    return f"{'Tag' if is_tag else key} {_shown(text)}"


def _shown(text: str) -> str:
    return repr(text) if len(text) <= _LONGEST else f"{text[:_LONGEST]!r}…"
