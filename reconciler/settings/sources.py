"""The sources of settings: the file and the environment, each as one layer of nested text.

With each layer come its locations, so that a fault can name the line or the variable it stands in.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from reconciler.codes import Code
from reconciler.errors import SettingsError
from reconciler.model import Finding, Location
from reconciler.settings.model import API_KEY_VARIABLE, API_URL_VARIABLE
from reconciler.yamltext.tree import Tree, TreePath, load_tree

SETTINGS_FILE: Final = "reconciler.yaml"
_LOOKALIKE: Final = "reconciler.yml"
PREFIX: Final = "RECONCILER_"
TRUSTED_VARIABLE: Final = "RECONCILER_TRUSTED_HOSTS"
"""Names hosts that the key may go to. It is not a setting: a file must not be able to say it."""
_NESTING: Final = "__"
_LISTS: Final = frozenset({"protected", "include", "notify", "policy", "tags", "products"})
_LARGEST_FILE: Final = 1 << 20

KeyPath: TypeAlias = tuple[str, ...]
"""The keys that lead to a setting, outermost first."""


@dataclass(slots=True)
class Layer:
    """One layer: its values, and the location of each: in a file, or a variable or flag."""

    values: dict[str, Any] = field(default_factory=dict)
    locations: dict[KeyPath, Location | str] = field(default_factory=dict)
    keys: dict[KeyPath, Location] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def holds(self, path: KeyPath) -> bool:
        """Whether this layer has a value at `path`."""
        inner: Any = self.values
        for key in path:
            if isinstance(inner, list | tuple) and key.isdecimal():
                inner = dict(enumerate(inner)).get(int(key), self)
            elif isinstance(inner, Mapping):
                inner = inner.get(key, self)
            else:
                return False
            if inner is self:
                return False
        return True

    def set(self, path: KeyPath, value: Any, location: Location | str) -> None:
        """Put `value` at `path`, in mappings that are made as needed."""
        inner = self.values
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                return
        inner[path[-1]] = value
        self.locations[path] = location


def read_file(config: Path | None, folder: Path) -> Layer:
    """The layer of the settings file: `config`, or reconciler.yaml in `folder` if there is one.

    Raises SettingsError if the file cannot be read; faults within it are its `findings`.
    """
    file = folder / (config or SETTINGS_FILE)
    # A file that was named must exist; the default one may be absent.
    if config is None and not file.exists():
        _refuse_lookalike(folder)
        return Layer()
    return read_layer(file, name_below(file, folder))


def read_layer(file: Path, name: str) -> Layer:
    """The layer of a file that findings call `name`; SettingsError if it cannot be read."""
    try:
        with file.open("rb") as stream:
            # One byte more than allowed tells that it is too large without reading all of it.
            data = stream.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {name}.", hint="Give --config a file that exists."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The settings file {name} cannot be read: {error.strerror}.",
            hint="Make it a readable file, or name another with --config.",
        ) from None
    if len(data) > _LARGEST_FILE:
        raise SettingsError(
            f"The settings file {name} is larger than 1 MiB.",
            hint="Give --config the settings; the catalogue is read from its folder.",
        )
    return _from_tree(load_tree(name, data))


def _from_tree(tree: Tree) -> Layer:
    """A tree as a layer; what is empty or null in the file is None in the layer."""
    if tree.value is None:
        return Layer(findings=tree.findings)
    if not isinstance(tree.value, dict):
        message = "The settings are a mapping: write `name: value` lines."
        finding = Finding("error", Code.WRONG_KIND, message, tree.location(()))
        return Layer(findings=(*tree.findings, finding))
    return Layer(
        values=_without_nulls(tree.value, (), tree.nulls),
        locations={_texts(path): at for path, at in tree.values.items()},
        keys={_texts(path): at for path, at in tree.keys.items()},
        findings=tree.findings,
    )


def _without_nulls(value: Any, path: TreePath, nulls: frozenset[TreePath]) -> Any:
    if path in nulls:
        return None
    if isinstance(value, dict):
        return {key: _without_nulls(inner, (*path, key), nulls) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nulls(inner, (*path, n), nulls) for n, inner in enumerate(value)]
    return value


def _texts(path: TreePath) -> KeyPath:
    return tuple(str(part) for part in path)


def _refuse_lookalike(folder: Path) -> None:
    if (folder / _LOOKALIKE).exists():
        raise SettingsError(
            f"{_LOOKALIKE} is not read: the settings file is called {SETTINGS_FILE}.",
            hint=f"Rename it to {SETTINGS_FILE}, or run with --config {_LOOKALIKE}.",
        )


def name_below(file: Path, folder: Path) -> str:
    """The file's name relative to the working folder, if it is below it."""
    absolute = file.absolute()
    if absolute.is_relative_to(folder.absolute()):
        return absolute.relative_to(folder.absolute()).as_posix()
    return file.as_posix()


def read_environment(environ: Mapping[str, str], stores: Iterable[str]) -> Layer:
    """The layer of the RECONCILER_ variables. One that is empty counts as not set.

    `stores` are the names that the file declares: a variable's part that names a store is matched
    with them whatever its case, and with `_` for `-` and `.`.
    """
    known = {_folded(name): name for name in stores}
    source = Layer()
    # Sorted, so that two variables for one setting always have the same winner (P8).
    for variable in sorted(environ):
        value = environ[variable].strip()
        # Pipelines set variables without a value for what they do not have.
        if not variable.startswith(PREFIX) or variable == TRUSTED_VARIABLE or not value:
            continue
        # Variables are written in capitals, and settings have small letters only.
        path = tuple(variable.removeprefix(PREFIX).lower().split(_NESTING))
        if path[0] == "stores" and len(path) > 1:
            # No shell lets a variable's name hold `-` or `.`, which a store's name may.
            path = ("stores", known.get(path[1], path[1]), *path[2:])
        source.set(path, _listed(value) if path[-1] in _LISTS else value, variable)
    return source


def _folded(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _listed(value: str) -> Any:
    """A list in a variable: JSON, or texts with commas between."""
    if value.startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [item.strip() for item in value.split(",")]


def add_api_url(environment: Layer, file: Layer, environ: Mapping[str, str]) -> None:
    """Let ROBOSIZE_API_URL into the environment's layer, for the stores that it is meant for.

    It goes with ROBOSIZE_API_KEY: a store that has both its own api_url and its own variable for
    the key keeps its URL, since another account's key must not be sent there.
    """
    url = environ.get(API_URL_VARIABLE, "").strip()
    if not url:
        return
    in_file, in_environment = _entries(file), _entries(environment)
    # Without any declared store there is one called default.
    for name in {**in_file, **in_environment} or {"default": {}}:
        declared, given = in_file.get(name, {}), in_environment.get(name, {})
        if not isinstance(declared, dict) or not isinstance(given, dict):
            continue
        variable = given.get("api_key_env", declared.get("api_key_env", API_KEY_VARIABLE))
        own = "api_url" in declared and variable != API_KEY_VARIABLE
        if not own and "api_url" not in given:
            environment.set(("stores", name, "api_url"), url, API_URL_VARIABLE)


def _entries(source: Layer) -> dict[str, Any]:
    stores = source.values.get("stores", {})
    return stores if isinstance(stores, dict) else {}


def store_names(source: Layer) -> tuple[str, ...]:
    """The names of the stores that a layer declares."""
    return tuple(_entries(source))
