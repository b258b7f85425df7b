"""How this tool was installed, by what its installer noted, and so how more of it is installed."""

import json
import shlex
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from re import sub
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from reconciler.errors import MissingExtra

_PACKAGE: Final = "robosize-reconciler"
_SANDBOX: Final = ("starlette", "uvicorn")
_INSTALLERS: Final = {
    ("uv", "tools"): "uv tool install --force",
    ("pipx", "venvs"): "pipx install --force",
}
"""What installs into an environment whose path holds these two parts."""


def installed_from(extra: str = "") -> str:
    """The requirement with which pip installs this same tool; "" if it is only on this machine.

    It goes into committed files, so its URL has neither a user name nor a token, nor a query.
    """
    package = f"{_PACKAGE}[{extra}]" if extra else _PACKAGE
    try:
        found = distribution(_PACKAGE)
    except PackageNotFoundError:
        return ""
    note = _note()
    if note is None:
        return f"{package}=={found.version}"
    url, vcs = str(note.get("url", "")), note.get("vcs_info")
    # Such a path exists on this machine only, and the result goes into committed files.
    if url.startswith("file:") or "dir_info" in note:
        return ""
    url = sub(r"(?<=://)[^/]*@", "", url).partition("?")[0]
    if vcs:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    below = note.get("subdirectory")
    return f"{package} @ {url}" + (f"#subdirectory={below}" if below else "")


def installing(extra: str) -> str:
    """The command that adds an optional part to this very installation."""
    note = _note() or {}
    command = next(
        (command for parts, command in _INSTALLERS.items() if _holds(Path(sys.prefix), parts)),
        "pip install",
    )
    wanted = installed_from(extra) or f"{_PACKAGE}[{extra}]"
    if str(note.get("url", "")).startswith("file:"):
        wanted = f"{unquote(urlsplit(note['url']).path)}[{extra}]"
        if note.get("dir_info", {}).get("editable"):
            command += " --editable"
    return f"{command} {shlex.quote(wanted)}"


def import_extra(module: str, extra: str, *, needs: str) -> Any:
    """A module of an optional package; MissingExtra, with `needs` in its message, without it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # The name that is missing may be that of something which the package needs itself.
        raise MissingExtra(
            f"{needs} {error.name}, which is not installed.",
            hint=f"Install it: {installing(extra)}",
        ) from error


def has_sandbox() -> bool:
    """Whether what the sandbox needs is installed; nothing of it is imported."""
    return all(find_spec(name) is not None for name in _SANDBOX)


def _holds(path: Path, parts: tuple[str, str]) -> bool:
    return parts in zip(path.parts, path.parts[1:], strict=False)


def _note() -> Mapping[str, Any] | None:
    """What the installer noted of a source that is not a package index."""
    try:
        noted = distribution(_PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    read: Mapping[str, Any] | None = json.loads(noted) if noted else None
    return read
