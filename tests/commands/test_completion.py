"""`--install-completion`: the right files, once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .here import Here

SCRIPTS = {
    "bash": ".local/share/reconciler/completion.bash",
    "zsh": ".local/share/reconciler/completion.zsh",
    "fish": ".config/fish/completions/reconciler.fish",
}
STARTUP = {"bash": ".bashrc", "zsh": ".zshrc", "fish": None}


@pytest.fixture(autouse=True)
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.mark.parametrize("shell", SCRIPTS)
def test_installs_once(shell: str, home: Path, here: Here) -> None:
    """The script and the line that loads it are written once; what was there is kept."""
    startup = STARTUP[shell]
    if startup:
        (home / startup).write_text("alias x=y", encoding="utf-8")
    done = here("--install-completion", shell)
    assert (done.code, done.err) == (0, "")
    script = home / SCRIPTS[shell]
    assert f"written: {script}" in done.out
    assert "_RECONCILER_COMPLETE" in script.read_text(encoding="utf-8")
    if startup:
        assert f"one line added: {home / startup}" in done.out
        lines = (home / startup).read_text(encoding="utf-8").splitlines()
        assert lines == ["alias x=y", f". {script}"]
    again = here("--install-completion", shell)
    assert "written" not in again.out
    assert "added" not in again.out
    script.write_text("old", encoding="utf-8")
    assert f"written: {script}" in here("--install-completion", shell).out


def test_the_shell_is_taken_from_the_environment(
    home: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a name the shell is that of $SHELL, and an unknown one must be named."""
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert here("--install-completion").code == 0
    assert (home / SCRIPTS["fish"]).exists()
    monkeypatch.setenv("SHELL", "/usr/bin/tcsh")
    done = here("--install-completion")
    assert done.code == 1
    assert "bash|zsh|fish" in done.err
    assert here("--install-completion", "tcsh").code == 1


def test_places_of_the_environment(home: Path, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders that the environment names for data and for zsh are used."""
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "my data"))
    monkeypatch.setenv("ZDOTDIR", str(home / "z"))
    assert here("--install-completion", "zsh").code == 0
    script = home / "my data" / "reconciler" / "completion.zsh"
    assert script.exists()
    assert (home / "z" / ".zshrc").read_text(encoding="utf-8") == f". '{script}'\n"


@pytest.mark.parametrize("blocking", [".bashrc", ".local"])
def test_what_cannot_be_written_is_told(blocking: str, home: Path, here: Here) -> None:
    """A folder or a file in the way is an error with its name."""
    if blocking == ".bashrc":
        (home / blocking).mkdir()
    else:
        (home / blocking).write_text("x", encoding="utf-8")
    done = here("--install-completion", "bash")
    assert done.code == 1
    assert "Cannot write" in done.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_loads_the_script(home: Path, here: Here) -> None:
    """The installed line makes bash know a completion for the command."""
    here("--install-completion", "bash")
    done = subprocess.run(
        ["bash", "--noprofile", "--rcfile", str(home / ".bashrc"), "-ic", "complete -p reconciler"],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "_reconciler_completion" in done.stdout


def test_commands_and_choices_are_completed(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell is told the commands, and the choices of an option."""
    monkeypatch.setenv("_RECONCILER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "reconciler expl")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert here().out == "plain,explain\n"
    monkeypatch.setenv("COMP_WORDS", "reconciler validate --format s")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert here().out == "plain,sarif\n"
