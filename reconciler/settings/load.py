"""load_settings: the layers read, merged, checked; all faults at once, each with its location.

The layers are this tool's own, since a fault names the line or the variable that it stands in. All
that pydantic-settings could add is the merging of three mappings, and it takes as long to load as
a catalogue of fifteen hundred products takes to be read: so pydantic checks what is merged here.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from reconciler.codes import Code
from reconciler.errors import SettingsError
from reconciler.linting.registry import rule_named
from reconciler.model import Finding, Location
from reconciler.policy.registry import RULES
from reconciler.settings.include import add_included
from reconciler.settings.model import PerStore, Requests
from reconciler.settings.sources import (
    KeyPath,
    Layer,
    add_api_url,
    read_environment,
    read_file,
    store_names,
)
from reconciler.settings.store import Settings
from reconciler.settings.trust import trusted_hosts, untrusted
from reconciler.version import VERSION
from reconciler.wording import nearest_word

_SECRET: Final = frozenset({"api_key", "api_key_env", "api_url", "ledger_remote", "proxy"})
"""What may hold a key or a password by mistake: a fault never repeats its value."""
_LONGEST_SHOWN: Final = 60
_WORDS: Final[Mapping[str, str]] = {
    "dict_type": "must be a mapping of settings",
    "model_type": "must be a mapping of settings",
    "tuple_type": "must be a list, such as [one, two]",
    "string_type": "must be text",
    "path_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "too_short": "must declare at least one store",
    "finite_number": "must be a finite number",
}
"""What pydantic's complaints mean to somebody who wrote YAML."""
_KEY_ADVICE: Final = (
    "is not a setting: a key must not be in a file or a setting. Remove it, ask for a new key "
    "if others could read this one, and set the environment variable ROBOSIZE_API_KEY (or the one "
    "that `api_key_env` names)"
)


def load_settings(
    *,
    config: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str],
    folder: Path,
) -> Settings:
    """The settings: `overrides` over `environ` over the file over the defaults.

    `config` names the file, reconciler.yaml in `folder` if it is None; `overrides` are flags by
    the name of their setting, None if not given. Raises SettingsError with a finding for every
    fault; none repeats a key.
    """
    file = read_file(config, folder)
    # Read twice: which stores there are decides what the variables of stores mean.
    given = read_environment(environ, ()).values.get("include")
    add_included(file, given or file.values.get("include"), folder)
    environment = read_environment(environ, store_names(file))
    add_api_url(environment, file, environ)
    flags = Layer()
    for name, value in (overrides or {}).items():
        if value is not None:
            flags.set((name,), value, f"--{name.replace('_', '-')}")
    layers = (flags, environment, file)
    # First of all: faults of settings that are made for another version would mislead.
    _check_version(layers)
    findings = list(file.findings)
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _over(merged, layer.values)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        # pydantic's URLs explain its types, not these settings.
        details = error.errors(include_url=False)
        findings += [_finding(detail, layers) for detail in details]
    else:
        findings += _missing_bundle(settings, folder, layers)
        findings += _rule_faults(settings, layers)
    # Faults of the text and of the values together: one correction, not two (P7).
    if any(finding.severity == "error" for finding in findings):
        raise _settings_error(findings)
    # Private: what comes from the machine must not be settable in a file.
    settings._folder = folder
    settings._untrusted = _untrusted(settings, layers, trusted_hosts(environ))
    _take_secrets(settings, environ)
    return settings


def _take_secrets(settings: Settings, environ: Mapping[str, str]) -> None:
    """Read the secrets from the variables that the settings name."""
    for entry in settings.stores.values():
        # A secret pasted into a pipeline's form often ends with a line break.
        if key := environ.get(entry.api_key_env, "").strip():
            settings._keys[entry.api_key_env] = SecretStr(key)
    for section in (settings, *settings.stores.values()):
        urls = {name: environ.get(name, "").strip() for name in section.notify}
        settings._channels.update({name: SecretStr(url) for name, url in urls.items() if url})


def _untrusted(
    settings: Settings, layers: Sequence[Layer], trusted: frozenset[str]
) -> dict[str, tuple[Finding, ...]]:
    """By store, a finding for each address that would get its key without being trusted."""
    found = {}
    for name, entry in settings.stores.items():
        addresses: dict[KeyPath, str] = {("stores", name, "api_url"): entry.api_url}
        proxy = settings.for_store(name).requests.proxy
        if proxy is not None:
            # With a bundle of certificates, which a file names too, a proxy can read the call.
            own = "proxy" in entry.requests.model_fields_set
            addresses[(*(("stores", name) if own else ()), "requests", "proxy")] = proxy
        found[name] = tuple(untrusted(addresses, layers, trusted))
    return found


def _over(strong: Mapping[str, Any], weak: Mapping[str, Any]) -> dict[str, Any]:
    """Two layers as one: mappings are merged key by key, any other value replaces the weaker."""
    merged = dict(weak)
    for key, value in strong.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _over(value, below)
        else:
            merged[key] = value
    return merged


def _settings_error(findings: Sequence[Finding]) -> SettingsError:
    distinct = sorted(set(findings), key=lambda f: (f.location or ("", 0, 0), f.message))
    faults = "1 fault" if len(distinct) == 1 else f"{len(distinct)} faults"
    return SettingsError(
        f"The settings have {faults}.",
        findings=distinct,
    )


def _check_version(layers: Sequence[Layer]) -> None:
    """Raise SettingsError if `requires` excludes this tool: before any other fault.

    What this version takes for a fault may well be right for the version that is asked for.
    """
    path: KeyPath = ("requires",)
    wanted = next((v for layer in layers if (v := layer.values.get("requires")) is not None), None)
    if not isinstance(wanted, str):
        return
    # Imported here, since few settings have `requires`.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        # A pre-release in the range is meant by whoever installed it.
        fits = SpecifierSet(wanted).contains(VERSION, prereleases=True)
    except InvalidSpecifier:
        message = f"must be a range of versions, such as '>=1.0,<2', not {_quoted(wanted)}"
        raise _settings_error([_placed(Code.BAD_SETTINGS, path, message, layers)]) from None
    if not fits:
        raise SettingsError(
            f"The settings require reconciler {wanted}, and this is {VERSION}.",
            hint="Install a version in that range, or change `requires`.",
            findings=[_placed(Code.BAD_SETTINGS, path, f"excludes {VERSION}", layers)],
        )


def _missing_bundle(settings: Settings, folder: Path, layers: Sequence[Layer]) -> Iterator[Finding]:
    sections: dict[KeyPath, Requests] = {("requests",): settings.requests}
    for name, entry in settings.stores.items():
        sections["stores", name, "requests"] = entry.requests
    for path, requests in sections.items():
        bundle = requests.ca_bundle
        if bundle is not None and not (folder / bundle).exists():
            message = f"names no file: there is no {bundle.as_posix()}"
            yield _placed(Code.BAD_SETTINGS, (*path, "ca_bundle"), message, layers)


def _rule_faults(settings: Settings, layers: Sequence[Layer]) -> Iterator[Finding]:
    """Levels of rules that do not exist, and rules of a policy whose name is taken."""
    parts: dict[KeyPath, PerStore] = {(): settings}
    parts |= {("stores", name): entry for name, entry in settings.stores.items()}
    built_in = {rule.id for rule in RULES}
    for path, part in parts.items():
        taken = set(built_in)
        for number, entry in enumerate(part.policy if "policy" in part.model_fields_set else ()):
            if entry.name in taken:
                message = "is the name of another rule; choose one of its own"
                at = (*path, "policy", str(number), "name")
                yield _placed(Code.BAD_SETTINGS, at, message, layers)
            taken |= {entry.name} if entry.name else set()
    levels = [
        (*path, "lint", name)
        for path, part in parts.items()
        if "lint" in part.model_fields_set
        for name in part.lint
    ]
    # Packages are looked through only if no built-in rule has the name.
    unknown = [path for path in levels if rule_named(path[-1], RULES) is None]
    rules = [rule for own in settings.rulesets() for rule in own.rules] if unknown else []
    for path in unknown:
        if rule_named(path[-1], rules) is None:
            near = nearest_word(path[-1], [rule.id for rule in rules], 0.4)
            hint = f"did you mean `{near}`?" if near else "see `validate --rules`"
            message = f"is the name of no rule; {hint}"
            yield _placed(Code.BAD_SETTINGS, path, message, layers, at_key=True)


def _finding(detail: ErrorDetails, layers: Sequence[Layer]) -> Finding:
    """One of pydantic's complaints, in our words and with its location."""
    path = tuple(str(part) for part in detail["loc"] if part != "[key]")
    if detail["type"] == "extra_forbidden":
        return _unknown(path, layers)
    if detail["input"] is None:
        message = "is empty: give it a value, or take it out to have the default"
    elif detail["type"] in _WORDS:
        message = _WORDS[detail["type"]]
    elif "error" in detail.get("ctx", {}):
        message = str(detail["ctx"]["error"])
    else:
        message = detail["msg"].replace("Input should", "must", 1)
        # The sentence begins with the setting's name.
        message = message[:1].lower() + message[1:]
    value, is_key = detail["input"], detail["loc"][-1] == "[key]"
    # The value may be a key in the wrong place (P5).
    if isinstance(value, str) and path[-1] not in _SECRET and not is_key:
        # What a value is not may take a sentence to say, so the value goes before it.
        beside = message.startswith("is not ")
        message = f"{_quoted(value)} {message}" if beside else f"{message}, not {_quoted(value)}"
    code = Code.BAD_URL if path[-1] in ("api_url", "proxy") else Code.BAD_SETTINGS
    return _placed(code, path, message, layers, at_key=is_key)


def _unknown(path: KeyPath, layers: Sequence[Layer]) -> Finding:
    # The likeliest slip, and the only one that may already have leaked something.
    if path[-1] == "api_key":
        return _placed(Code.BAD_SETTINGS, path, _KEY_ADVICE, layers, at_key=True)
    names = [field.alias or name for name, field in _section(path).model_fields.items()]
    near = nearest_word(path[-1], names)
    hint = f"did you mean `{near}`?" if near else f"known here: {', '.join(names)}"
    return _placed(Code.UNKNOWN_FIELD, path, f"is not a setting; {hint}", layers, at_key=True)


def _section(path: KeyPath) -> type[BaseModel]:
    """The part of the settings in which the last key of `path` stands."""
    section: type[BaseModel] = Settings
    keys = iter(path[:-1])
    for key in keys:
        annotation = section.model_fields[key].annotation
        if get_origin(annotation) in (dict, tuple):
            # Below a mapping stands a name, below a list a number.
            annotation = get_args(annotation)[get_origin(annotation) is dict]
            next(keys, None)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        section = annotation
    return section


def _placed(
    code: Code, path: KeyPath, message: str, layers: Sequence[Layer], *, at_key: bool = False
) -> Finding:
    """A finding about the setting at `path`, in the layer that gave its value."""
    at = _at(path, layers, at_key=at_key)
    text = f"`{'.'.join(path)}` {message}" + ("" if message.endswith("?") else ".")
    if isinstance(at, Location):
        return Finding("error", code, text, at)
    if at is None:
        return Finding("error", code, text)
    where = at if at.startswith("-") else f"environment variable {at}"
    return Finding("error", code, f"{where}: {text}")


def _at(path: KeyPath, layers: Sequence[Layer], *, at_key: bool) -> Location | str | None:
    # A missing value stands in no layer, so the nearest thing around it is named.
    giving = [layer for layer in layers if layer.holds(path)] or list(layers)
    for length in range(len(path), 0, -1):
        for layer in giving:
            if at_key and path[:length] in layer.keys:
                return layer.keys[path[:length]]
            if path[:length] in layer.locations:
                return layer.locations[path[:length]]
    return None


def _quoted(value: str) -> str:
    shown = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
    return repr(shown)
