"""The setting `include`: files with one store each, which is named by the file's folder.

Paths in such a file are relative to its folder, so that a shop's folder can be copied or moved.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from reconciler.codes import Code
from reconciler.model import Finding, Location
from reconciler.settings.sources import Layer, name_below, read_layer

_CATALOG: Final = "catalog"
"""The catalogue's folder beside the file, if the file names none."""


def add_included(layer: Layer, patterns: object, folder: Path) -> None:
    """Put the stores of the files below `folder` that match `patterns` into the layer `layer`.

    What is wrong with a pattern, with a file or with a name that is taken becomes a finding.
    """
    stores = layer.values.get("stores", {})
    # Other shapes are told by the model, with their location.
    if not isinstance(patterns, list) or not isinstance(stores, dict):
        return
    found: dict[Path, None] = {}
    for number, pattern in enumerate(patterns):
        at = layer.locations.get(("include", str(number)))
        matched, fault = _matched(str(pattern), folder)
        if fault:
            where = at if isinstance(at, Location) else None
            message = f"`include`: {str(pattern)!r} {fault}"
            layer.findings += (Finding("error", Code.BAD_SETTINGS, message, where),)
        # Two patterns may match one file; it declares its store once.
        found.update(dict.fromkeys(matched))
    for path in found:
        layer.findings += tuple(_add(layer, stores, path, folder))
    # Without a file, that is the fault, and not that there is no store.
    if found:
        layer.values["stores"] = stores


def _matched(pattern: str, folder: Path) -> tuple[list[Path], str]:
    """The files that match, in order of their names, and what is wrong if there are none."""
    parts = PurePosixPath(pattern)
    # A branch must not be able to read files outside of the working folder.
    if not pattern.strip() or parts.is_absolute() or ".." in parts.parts:
        return [], "must be a path below the working folder, such as shops/*/store.yaml."
    try:
        # glob's order is that of the file system (P8).
        files = sorted(path for path in folder.glob(pattern) if path.is_file())
    except ValueError as error:  # "a**" before Python 3.13
        return [], f"is not a pattern of files: {error}."
    except OSError as error:
        return [], f"cannot be looked for: {error.strerror}."
    return files, "" if files else "matches no file."


def _add(layer: Layer, stores: dict[str, Any], path: Path, folder: Path) -> Iterator[Finding]:
    """Add the store of one file; yields what is wrong with it."""
    file, name = name_below(path, folder), path.parent.relative_to(folder).name
    start = Location(file, 1, 1)
    # A link may lead out although its own path does not.
    if not path.resolve().is_relative_to(folder.resolve()):
        message = "This file is a link that leaves the working folder, so it is not read."
        yield Finding("error", Code.BAD_SETTINGS, message, start)
        return
    if name in stores:
        first = layer.keys.get(("stores", name))
        at = f" at {first.file}:{first.line}" if first else ""
        message = f"The store `{name}` is declared already{at}; this file's folder names it too."
        yield Finding("error", Code.BAD_SETTINGS, message, start)
        return
    own = read_layer(path, file)
    yield from own.findings
    stores[name] = _beside(own.values, path.parent.relative_to(folder))
    layer.keys["stores", name] = layer.locations["stores", name] = start
    layer.locations |= {("stores", name, *at): place for at, place in own.locations.items() if at}
    layer.keys |= {("stores", name, *at): place for at, place in own.keys.items()}


def _beside(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The store's settings with its paths relative to the working folder."""
    found = dict(values)
    catalog = found.get("catalog", _CATALOG)
    if isinstance(catalog, str) and catalog.strip():
        found["catalog"] = (folder / catalog).as_posix()
    requests = found.get("requests")
    if isinstance(requests, dict) and isinstance(requests.get("ca_bundle"), str):
        bundle = (folder / requests["ca_bundle"]).as_posix()
        found["requests"] = {**requests, "ca_bundle": bundle}
    return found
