"""Shell completion, installed: a script of its own, and one line where the shell begins.

Done again it changes nothing but a script that is out of date.
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
# Without a configured completion system zsh knows no `compdef`.
_ZSH_SYSTEM: Final = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"


class _Places(NamedTuple):
    """Where a shell's script goes, and the file that must load it; fish finds it by itself."""

    script: Path
    startup: Path | None


def install(shell: str, command: click.Command, environ: Mapping[str, str]) -> str:
    """Install completion for `shell` ("auto": the one in $SHELL); returns what was done.

    Raises UsageError where the shell cannot be told, OutputError where a file cannot be written.
    """
    if shell == "auto":
        shell = PurePath(environ.get("SHELL", "")).name
        if shell not in _SHELLS:
            raise UsageError(
                "Which shell is in use cannot be told from $SHELL.",
                hint=f"Name it: reconciler --install-completion {'|'.join(_SHELLS)}.",
            )
    places = _places(shell, environ)
    told = [_put_script(places.script, _source(shell, command))]
    if places.startup is not None:
        told.append(_put_line(places.startup, f". {_quoted(places.script)}"))
    return "\n".join([*told, f"Open a new {shell} to have it.", ""])


def _source(shell: str, command: click.Command) -> str:
    """The script that makes `shell` ask this command for completions."""
    known = get_completion_class(shell)
    if known is None:
        raise UsageError(
            f"There is no completion for {shell}.", hint=f"One of {', '.join(_SHELLS)}."
        )
    template = known(command, {}, _PROGRAM, _VARIABLE)
    # Not `source()`: bash's looks for a bash to run, which need not be on this PATH.
    script = template.source_template % template.source_vars()
    return (_ZSH_SYSTEM if shell == "zsh" else "") + script


def _places(shell: str, environ: Mapping[str, str]) -> _Places:
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()

    def below(variable: str, default: str) -> Path:
        return Path(environ[variable]) if environ.get(variable) else home / default

    if shell == "fish":
        folder = below("XDG_CONFIG_HOME", ".config") / "fish" / "completions"
        return _Places(folder / f"{_PROGRAM}.fish", None)
    folder = below("XDG_DATA_HOME", ".local/share") / _PROGRAM
    startup = home / ".bashrc" if shell == "bash" else below("ZDOTDIR", "") / ".zshrc"
    return _Places(folder / f"completion.{shell}", startup)


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
    """Add a line at the end of a file that people edit, unless it stands there already."""
    try:
        had = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
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
