"""Settings as the tool uses them, and the StoreSettings of one store with its key."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from reconciler.errors import NoApiKey, SettingsError
from reconciler.git import credentials_in
from reconciler.hosts import is_loopback
from reconciler.linting.registry import Ruleset, rule_named
from reconciler.linting.rule import Rule
from reconciler.linting.vocabulary import Vocabulary, Words
from reconciler.model import Finding, LedgerKind
from reconciler.planning.ignore import Ignore
from reconciler.policy.brought import brought_rules
from reconciler.policy.registry import RULES
from reconciler.settings.model import (
    FilledPath,
    FleetCaps,
    PerStore,
    StoreEntry,
    StoreName,
    one_store,
)
from reconciler.settings.policy import named_rules
from reconciler.settings.sources import SETTINGS_FILE
from reconciler.wording import did_you_mean

_DIVIDERS: Final = re.compile(r"[/:@?&=#,]+")
# Masking shorter parts would blot out ordinary words of every message.
_SHORTEST_SECRET: Final = 8
"""Parts of a URL that are shorter are ports, names of rooms and such."""


def secrets_in(url: str) -> tuple[str, ...]:
    """An Apprise URL and those of its parts that may be a token or a password.

    Each service has them elsewhere, some in place of the host, so every long part counts.
    """
    parts = {
        part
        for part in _DIVIDERS.split(url)
        if len(part) >= _SHORTEST_SECRET and not is_loopback(part)
    }
    # A library may print a part of the URL decoded.
    return (url, *sorted(parts | {unquote(part) for part in parts}))


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """One store, ready to use: `catalog` is below the working folder unless it was absolute."""

    name: str
    api_url: str
    api_key_env: str
    catalog: Path
    secret: SecretStr | None = None
    untrusted: tuple[Finding, ...] = ()
    domain: str | None = None

    @property
    def api_key(self) -> SecretStr:
        """The key. Raises NoApiKey if the environment has none.

        Raises SettingsError if the key would go to a host that is not trusted with it.
        """
        # Told when the key is asked for, so that offline commands work with such a file.
        if self.untrusted:
            raise SettingsError(
                f"The key of the store `{self.name}` must not go where a file sends it.",
                findings=self.untrusted,
            )
        if self.secret is None:
            raise NoApiKey(
                f"There is no API key for the store `{self.name}`: "
                f"the environment variable {self.api_key_env} is not set or empty.",
                hint=f"Set {self.api_key_env} to the key that your Robosize account manager gave "
                "you. `reconciler plan --sandbox` needs none: it works on a local server.",
            )
        return self.secret


class Settings(PerStore):
    """All settings. Made by `load_settings`, which merges their layers."""

    model_config = ConfigDict(title="reconciler settings")

    catalog: FilledPath = Field(Path("catalog"), description="The folder of the catalogue.")
    ledger: LedgerKind = Field(
        "file", description="What keeps the ledger: a file in .reconciler/ledger, or a git ref."
    )
    ledger_remote: str = Field("origin", description="The git remote of a git ledger.")
    journal: int = Field(50, ge=1, le=100_000, description="How many journals are kept.")
    requires: str | None = Field(None, description='The versions of this tool that fit: ">=1.0".')
    stores: dict[StoreName, StoreEntry] = Field(
        default_factory=one_store, min_length=1, description="The remotes, by name."
    )
    include: tuple[str, ...] = Field(
        (),
        description="Globs of files with one store each, which is named by the file's folder. "
        "Their paths are relative to that folder.",
    )
    fleet: FleetCaps = Field(default_factory=FleetCaps, description="How a fleet is run.")

    _folder: Path = PrivateAttr(default=Path())
    _keys: dict[str, SecretStr] = PrivateAttr(default_factory=dict)
    _untrusted: dict[str, tuple[Finding, ...]] = PrivateAttr(default_factory=dict)
    _channels: dict[str, SecretStr] = PrivateAttr(default_factory=dict)

    @field_validator("ledger_remote")
    @classmethod
    def _no_flag(cls, remote: str) -> str:
        # What begins with a dash would be a flag to git, whatever it was meant to be.
        if not remote or remote.startswith("-") or not remote.isprintable() or " " in remote:
            raise ValueError("must be the name or the address of a git remote")
        return remote

    @field_validator("stores")
    @classmethod
    def _distinct_names(cls, stores: dict[str, StoreEntry]) -> dict[str, StoreEntry]:
        # File systems of macOS and Windows have no case.
        if len({name.casefold() for name in stores}) < len(stores):
            raise ValueError("has two names that differ only in case; their files would collide")
        return stores

    def own_rules(self) -> tuple[Rule, ...]:
        """The rules of installed packages, and those of `policy`, in this order."""
        return (*brought_rules(), *named_rules(self.policy))

    def ruleset(self) -> Ruleset:
        """All rules with their levels."""
        rules = (*RULES, *self.own_rules())
        # A rule may be called with dashes or with underscores.
        levels = ((rule_named(name, rules), level) for name, level in self.lint.items())
        return Ruleset(rules, {rule.code: level for rule, level in levels if rule is not None})

    def vocabulary(self) -> Vocabulary:
        """The values that the policy allows for each field, for editors."""
        ruleset, words = self.ruleset(), dict[str, list[Words]]()
        for entry, rule in zip(self.policy, named_rules(self.policy), strict=True):
            level = ruleset.level_of(rule)
            if entry.field is not None and entry.one_of is not None and level != "off":
                # A rule about some products only must not make an editor flag the others.
                strict = level == "error" and not entry.where
                words.setdefault(entry.field, []).append(Words(entry.one_of, strict))
        return words

    def left_alone(self) -> Ignore:
        """What this tool leaves alone at the remote, because others keep it there."""
        return Ignore(self.ignore.tags, self.ignore.products)

    def rulesets(self) -> tuple[Ruleset, ...]:
        """The general rules, and those of each store."""
        return (self.ruleset(), *(self.for_store(name).ruleset() for name in self.stores))

    @property
    def folder(self) -> Path:
        """The working folder: relative paths, the ledger and the journal stand below it."""
        return self._folder

    def is_made_from(self, path: Path) -> bool:
        """Whether a file is one that settings are read from, and so holds no products."""
        files = [self._folder / SETTINGS_FILE]
        files += (file for pattern in self.include for file in self._folder.glob(pattern))
        return path.resolve() in {file.resolve() for file in files}

    def keys(self) -> tuple[str, ...]:
        """Every secret that the settings name, so that no output shows one.

        The keys that the environment holds for stores, the URLs of `notify` with their parts, and
        what `ledger_remote` has of the kind.
        """
        keys = tuple(key.get_secret_value() for key in self._keys.values())
        channels = (secret for url in self.channels().values() for secret in secrets_in(url))
        return (*keys, *credentials_in(self.ledger_remote), *channels)

    def channels(self) -> dict[str, str]:
        """The Apprise URLs of `notify` by their variables, without those that are not set."""
        return {name: url.get_secret_value() for name, url in self._channels.items()}

    def store_name(self, name: str | None = None) -> str:
        """`name`; without it the only store, or else the one called "default".

        Raises SettingsError if there is no such store, or several and none called "default".
        """
        # With one store there is nothing to choose.
        if name is None and len(self.stores) == 1:
            return next(iter(self.stores))
        wanted = name or "default"
        if wanted in self.stores:
            return wanted
        names = ", ".join(self.stores)
        if name is None:
            raise SettingsError(
                "The settings have several stores.", hint=f"Name one with --store: {names}."
            )
        meant = did_you_mean(wanted, self.stores)
        raise SettingsError(
            f"The settings have no store {wanted!r}.",
            hint=f"{meant}Declared under `stores`: {names}.",
        )

    def for_store(self, name: str) -> "Settings":
        """The settings as they are for one store: its own replace the general ones, key by key.

        A store that is not declared (the sandbox) has the general ones.
        """
        entry = self.stores.get(name)
        # Not validated again: each value was when it was read.
        return self if entry is None else self.model_copy(update=entry.own_over(self))

    def store(self, name: str | None = None) -> StoreSettings:
        """The settings of one store; its key is asked for only when it is used."""
        name = self.store_name(name)
        entry = self.stores[name]
        return StoreSettings(
            name=name,
            api_url=entry.api_url,
            api_key_env=entry.api_key_env,
            catalog=self._folder / (entry.catalog or self.catalog),
            secret=self._keys.get(entry.api_key_env),
            untrusted=self._untrusted.get(name, ()),
            domain=entry.domain,
        )
