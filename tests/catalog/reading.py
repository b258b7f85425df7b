"""Short ways to read a catalogue from text and to say what was found in it."""

from pathlib import Path
from typing import Any, NamedTuple

from reconciler.catalog.read import examine_catalog, load_sources
from reconciler.errors import CatalogError
from reconciler.model import Catalog, Finding

DEFAULTS = "catalog/_defaults.yaml"


class Told(NamedTuple):
    """A finding without its words."""

    severity: str
    code: str
    place: str


def encoded(files: dict[str, str | bytes]) -> list[tuple[str, bytes]]:
    """Files by name as the reader takes them."""
    return [
        (name, data if isinstance(data, bytes) else data.encode()) for name, data in files.items()
    ]


def read(*documents: str | bytes, **files: str | bytes) -> Catalog:
    """The catalogue of one file `a.yaml`."""
    (data,) = documents
    return load_sources(encoded({"a.yaml": data, **files}))


def check_catalog(folder: Path, *paths: Any, **more: Any) -> tuple[Finding, ...]:
    """All findings about the catalogue in a folder."""
    return examine_catalog(folder, *paths, **more)[0]


def findings(files: dict[str, str | bytes] | str | bytes) -> tuple[Finding, ...]:
    """All findings about these files (or about one, `a.yaml`)."""
    named = files if isinstance(files, dict) else {"a.yaml": files}
    try:
        return load_sources(encoded(named)).warnings
    except CatalogError as error:
        return error.findings


def told(files: dict[str, str | bytes] | str | bytes) -> list[Told]:
    """All findings about these files (or about one, `a.yaml`), without their words."""
    return [
        Told(finding.severity, str(finding.code), str(finding.location).removeprefix("a.yaml:"))
        for finding in findings(files)
    ]


def errors(files: dict[str, str | bytes] | str | bytes) -> list[tuple[str, str]]:
    """The code and place of every finding, all of which must be errors."""
    found = told(files)
    assert all(one.severity == "error" for one in found), found
    return [(one.code, one.place) for one in found]


def warnings(files: dict[str, str | bytes] | str | bytes) -> list[tuple[str, str]]:
    """The code and place of every finding, all of which must be warnings."""
    found = told(files)
    assert all(one.severity == "warning" for one in found), found
    return [(one.code, one.place) for one in found]


def message(files: dict[str, str | bytes] | str | bytes) -> str:
    """The words of the only finding."""
    (finding,) = findings(files)
    return finding.message
