"""The command line as a whole: what it loads, how it speaks, and the code of every end."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.command import Command, CommandEntry, Group
from reconciler.cli.console import Console
from reconciler.cli.examples import EXAMPLES
from reconciler.cli.failures import tell, tell_bug
from reconciler.cli.invocation import Invocation
from reconciler.cli.main import COMMANDS, cli, run
from reconciler.errors import ReconcilerError
from reconciler.version import version_text
from tests.cli.run import COMMAND, environment, reconciler, shop

HEAVY = ("pydantic", "requests", "rich", "ruamel", "jinja2", "deepdiff")


def loaded_after(*arguments: str) -> set[str]:
    """The modules that a process has loaded once a command has ended."""
    code = (
        "import sys, reconciler.cli as c\n"
        "c.main(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.split()} | set(done.stderr.split())


def test_version_loads_next_to_nothing() -> None:
    """--version alone does not even load click."""
    modules = loaded_after("--version")
    assert not modules & {"click", *HEAVY}


@pytest.mark.parametrize("arguments", [("--help",), ("plan", "--help"), ("apply", "-h")])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """Help needs neither the engine's libraries nor a command that was not asked for."""
    modules = loaded_after(*arguments)
    assert not modules & {*HEAVY, "logging", "reconciler.reconcile", "reconciler.cli.sandbox"}


@pytest.mark.parametrize("command", ["validate", "plan --out plan.json", "fmt", "explain", "init"])
def test_a_working_folder_that_is_gone(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where the working folder was removed a command ends with one error and a hint, exit 1."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        assert run(command.split()) == 1
        assert run([command.split()[0], "--help"]) == 0
    finally:
        os.chdir(tmp_path)
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: The working folder cannot be found: No such file or directory."
    assert hint.startswith("hint: Change to a folder that is there")


def test_the_table_of_commands_is_true() -> None:
    """Each command exists under its name, and the table's line begins its help."""
    context = click.Context(cli)
    assert cli.list_commands(context) == list(COMMANDS)
    for name, entry in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert (command.help or "").split("\n\n")[0] == entry.summary
    assert cli.get_command(context, "nothing") is None


def test_version_and_help_in_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    """--version and --help are taken before and after the command's name, and exit with 0."""
    for arguments in (["-q", "--version"], ["plan", "--version"]):
        assert run(arguments) == 0
        assert capsys.readouterr().out == f"reconciler {version_text()}\n"
    assert run(["--help"]) == 0
    assert "Check the catalogue" in capsys.readouterr().out
    assert run(["plan", "--help"]) == 0
    told = capsys.readouterr().out
    assert "Examples:\n" in told
    assert "--log-format" not in told


def test_bare_it_says_how_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command there is the help, which ends with three commands to start with."""
    for arguments in ([], ["-v"]):
        assert run(arguments) == 0
        lines = capsys.readouterr().out.split("Start with:\n")[1].splitlines()
        commands = [line.split()[1] for line in lines if line.startswith("  reconciler ")]
        assert commands == ["init", "plan", "apply"]


def commands(group: Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, with its path."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, Group):
            yield from ((f"{name} {below}", each) for below, each in commands(command, context))


def test_every_command_has_examples_that_can_be_typed() -> None:
    """Each example is taken by the command that shows it, with all its options."""
    context = click.Context(cli)
    assert isinstance(cli, Group)
    assert dict(commands(cli, context)).keys() == EXAMPLES.keys()
    for path, lines in EXAMPLES.items():
        for line, _ in lines:
            assert line.startswith(f"reconciler {path}")
            words, at = shlex.split(line)[1:], context
            command: click.Command = cli
            while isinstance(command, Group):
                name, found, words = command.resolve_command(at, words)
                assert found is not None
                command, at = found, click.Context(found, parent=at, info_name=name)
            command.make_context(path, words, parent=context)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_fits_the_terminal(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The help of no command is wider than the terminal."""
    monkeypatch.setenv("COLUMNS", str(width))
    for path in ("", *EXAMPLES):
        assert run([*path.split(), "--help"]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= width, path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["paln"], "There is no command 'paln'. Did you mean 'plan'?"),
        (["plan", "--slect", "x"], "--select"),
        (["plan", "--format", "jsn"], "Did you mean 'json'?"),
        (["plan", "--prune", "manged"], "Did you mean 'managed'?"),
        (["--color", "blue", "plan"], "'blue' is not one of auto, always, never"),
        (["plan", "--allow-deletes", "-1"], "--allow-deletes"),
        (["apply", "--lock-timeout", "nan"], "is not a finite number"),
        (["apply", "--lock-timeout", "-1"], "--lock-timeout"),
        (["show"], "Missing argument 'PLANFILE'"),
        (["plan", "-v", "-q"], "contradict each other"),
    ],
)
def test_what_is_typed_wrong_exits_with_1(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error is exit 1, never click's 2, on stderr, with what was probably meant."""
    assert run(arguments) == 1
    told_all = capsys.readouterr()
    assert told in told_all.err
    assert told_all.err.startswith("error: ")
    assert "\nhint: `reconciler" in told_all.err
    assert told_all.out == ""


def test_global_options_on_either_side() -> None:
    """A global option works before the command's name and after, and the later one wins."""
    seen: list[Invocation] = []

    @click.command("probe", cls=Command)
    @click.pass_context
    def probe(context: click.Context) -> int:
        seen.append(context.find_root().obj)
        return 0

    class Table(Group):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return probe

    group = Table("reconciler", entries={"probe": CommandEntry("", "")}, callback=lambda: None)
    arguments = ["--color", "never", "--config", "a.yaml", "probe", "-v", "--color", "always"]
    group.main(arguments, standalone_mode=False, obj=Invocation())
    (invocation,) = seen
    assert (invocation.color, invocation.verbose, invocation.config) == (
        "always",
        True,
        Path("a.yaml"),
    )


def test_an_error_has_its_code_place_and_remedy(tmp_path: Path) -> None:
    """The settings' faults are on stderr with file:line:column, and stdout stays empty."""
    (tmp_path / "reconciler.yaml").write_text("prnue: all\n", encoding="utf-8")
    code, out, err = reconciler(tmp_path, "plan")
    assert (code, out) == (1, "")
    assert err.startswith("error: The settings have 1 fault.\n")
    assert "reconciler.yaml:1:1: error: `prnue` is not a setting; did you mean `prune`?" in err


def test_json_logs_are_a_json_object_a_line(tmp_path: Path) -> None:
    """With --log-format json an error is one object with its code, hint and findings."""
    (tmp_path / "reconciler.yaml").write_text("prnue: all\n", encoding="utf-8")
    done = reconciler(tmp_path, "plan", "--log-format", "json")
    (record,) = map(json.loads, done.err.splitlines())
    assert (record["level"], record["code"]) == ("error", "bad_settings")
    assert record["findings"][0]["place"] == "reconciler.yaml:1:1"


def test_a_crash_is_told_as_ours_and_redacted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected exception is one line and exit 1; -v adds a traceback; neither has the key."""

    def crash(*_: object, **__: object) -> int:
        raise RuntimeError("at https://h/?api_key=hush-hush&x")

    monkeypatch.setenv("ROBOSIZE_API_KEY", "hush-hush")
    monkeypatch.setattr(cli, "main", crash)
    assert run([]) == 1
    err = capsys.readouterr().err
    assert "This is a bug in reconciler: RuntimeError" in err
    assert "Traceback" not in err
    assert "hush" not in err
    assert tell_bug(RuntimeError("hush-hush"), Console(verbose=True)) == 1
    err = capsys.readouterr().err
    assert "RuntimeError: [key]" in err
    assert "hush" not in err


def test_an_argument_that_is_the_key_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key pasted where it does not belong is masked in the complaint."""
    monkeypatch.setenv("ROBOSIZE_API_KEY", "hush-hush")
    assert run(["hush-hush"]) == 1
    assert "hush" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (click.Abort(), 130), (SystemExit(1), 1)]
)
def test_other_ends_have_their_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt is 130, and where click ends the process its code stands."""

    def end(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(cli, "main", end)
    assert run([]) == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("validate",)])
def test_a_full_disk_is_exit_1(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A result that cannot be written is an error with a message, never a silent 0."""
    shop(tmp_path, "Shirt")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize(("stream", "arguments"), [("stdout", "--version"), ("stderr", "nonsense")])
def test_a_full_disk_replaces_no_exit_code(tmp_path: Path, stream: str, arguments: str) -> None:
    """The exit code is the command's own, not 120, by which Python tells that it is full."""
    # Without this variable Python writes at its end once more what it could not write before.
    plain = {key: value for key, value in environment().items() if key != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
        done = subprocess.run(
            [*COMMAND, arguments],
            cwd=tmp_path,
            env=plain,
            encoding="utf-8",
            check=False,
            **streams,  # type: ignore[call-overload]
        )
    assert done.returncode == 1
    assert "Traceback" not in (done.stderr or "")


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_a_closed_pipe_is_exit_1(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A reader that went away is told in one message, without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env=environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Cannot write the result")
    assert "Exception ignored" not in done.stderr


def test_a_narrow_encoding_never_crashes(tmp_path: Path) -> None:
    """Where stdout speaks ASCII alone, what it lacks is spelled out."""
    shop(tmp_path, "Blusé »")
    done = reconciler(
        tmp_path, "plan", "--sandbox", PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C"
    )
    assert done.code == 0
    assert "Blus\\xe9" in done.out


def test_each_error_is_told_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """Message and hint stand on lines of their own, control characters made visible."""
    error = ReconcilerError("Bad \x1b[31mname.", hint="Fix it.")
    assert tell(error, Invocation().console) == 1
    assert capsys.readouterr().err == "error: Bad \\x1b[31mname.\nhint: Fix it.\n"


def test_click_can_run_the_group_for_others() -> None:
    """The group works under click's own runner, as documentation tools use it."""
    result = CliRunner().invoke(cli, ["show", "--help"])
    assert result.exit_code == 0
    assert "Show a saved plan" in result.output
