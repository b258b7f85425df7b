"""Installs shell completion: a script, and one line in the shell's startup file.

A second installation only updates a script that is out of date.
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Final, NamedTuple

import click
from click.shell_completion import get_completion_class

from reconciler.errors import OutputError, UsageError
from reconciler.report.escape import escape
from reconciler.report.output import write_file

_PROGRAM: Final = "reconciler"
_VARIABLE: Final = "_RECONCILER_COMPLETE"
_SHELLS: Final = ("bash", "zsh", "fish")
# zsh has no `compdef` before its completion system is initialised.
_ZSH_SYSTEM: Final = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"


class _Files(NamedTuple):
    """The path of a shell's script and of the startup file that loads it; fish needs none."""

    script: Path
    startup: Path | None


def install(shell: str, command: click.Command, environ: Mapping[str, str]) -> str:
    """Install completion for `shell` ("auto": the one in $SHELL); return what was done.

    Raises UsageError if the shell is unknown, OutputError if a file cannot be written.
    """
    if shell == "auto":
        shell = PurePath(environ.get("SHELL", "")).name
        if shell not in _SHELLS:
            raise UsageError(
                "$SHELL does not name a known shell.",
                hint=f"Name it: reconciler --install-completion {'|'.join(_SHELLS)}.",
            )
    files = _files(shell, environ)
    told = [_put_script(files.script, _source(shell, command))]
    if files.startup is not None:
        told.append(_put_line(files.startup, f". {_quoted(files.script)}"))
    return "\n".join([*told, f"Open a new {shell} to use it.", ""])


def _source(shell: str, command: click.Command) -> str:
    """The script that makes `shell` ask this command for completions."""
    known = get_completion_class(shell)
    if known is None:
        raise UsageError(
            f"There is no completion for {shell}.", hint=f"One of {', '.join(_SHELLS)}."
        )
    template = known(command, {}, _PROGRAM, _VARIABLE)
    # Not `source()`: for bash it runs a bash to check its version, which may not be on the PATH.
    script = template.source_template % template.source_vars()
    return (_ZSH_SYSTEM if shell == "zsh" else "") + script


def _files(shell: str, environ: Mapping[str, str]) -> _Files:
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()

    def below(variable: str, default: str) -> Path:
        return Path(environ[variable]) if environ.get(variable) else home / default

    if shell == "fish":
        folder = below("XDG_CONFIG_HOME", ".config") / "fish" / "completions"
        return _Files(folder / f"{_PROGRAM}.fish", None)
    folder = below("XDG_DATA_HOME", ".local/share") / _PROGRAM
    startup = home / ".bashrc" if shell == "bash" else below("ZDOTDIR", "") / ".zshrc"
    return _Files(folder / f"completion.{shell}", startup)


def _put_script(path: Path, text: str) -> str:
    try:
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
            return f"kept as it is: {escape(str(path))}"
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    write_file(path, text)
    return f"written: {escape(str(path))}"


def _put_line(path: Path, line: str) -> str:
    """Add a line at the end of the user's file, unless it has that line already."""
    try:
        # The user's own file: bytes that are not UTF-8 must not stop it from being read.
        had = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
        # A second installation must not add it twice.
        if line in had.splitlines():
            return f"kept as it is: {escape(str(path))}"
        gap = "" if not had or had.endswith("\n") else "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{gap}{line}\n")
    except OSError as error:
        raise _unwritable(path, error) from error
    return f"one line added: {escape(str(path))}"


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"Cannot write {path}: {error.strerror or error}.",
        hint="Make it writable, or install the completion by hand.",
    )


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
