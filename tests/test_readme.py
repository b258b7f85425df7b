"""README.md tells the truth: its commands, exit codes, examples and make targets."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler import errors
from reconciler.cli.main import cli
from tests.pictures import FOLDER, SHOWN, demo, edit, terminal
from tests.project import ROOT
from tests.readme import README, commands_table, part, renewed

TEXT = README.read_text(encoding="utf-8")

# The exit codes of commands that end without an error of the tree.
ORDINARY_ENDS = {0, 2, 5, 6}


def section(title: str) -> str:
    """The text below one `##` heading."""
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def error_types(root: type[errors.ReconcilerError]) -> Iterator[type[errors.ReconcilerError]]:
    """An error and all that are derived from it."""
    yield root
    for child in root.__subclasses__():
        yield from error_types(child)


def test_commands_are_those_of_the_code() -> None:
    """The table of commands is what the command line itself says (`make docs` renews it)."""
    assert part(TEXT, "commands") == commands_table()


def test_a_part_without_markers_is_an_error() -> None:
    """A README whose markers were lost is told, and not left as it is."""
    with pytest.raises(ValueError, match="no part 'commands'"):
        part("# reconciler", "commands")


def test_exit_codes_are_those_of_the_errors() -> None:
    """Every exit code that a command can have is explained, and no other."""
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", part(TEXT, "exit codes"), re.M)}
    raised = {error.exit_code for error in error_types(errors.ReconcilerError)}
    assert told == raised | ORDINARY_ENDS


@pytest.mark.parametrize("example", blocks(section("The catalogue"), "yaml"))
def test_catalogue_examples_are_sound(example: str, tmp_path: Path) -> None:
    """Each example of a catalogue file can be read as it is printed, without a warning."""
    from reconciler.catalog.read import load_catalog

    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    catalog = load_catalog(tmp_path)
    assert catalog.products
    assert catalog.warnings == ()


def test_the_library_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example plans, prints and applies, with the key of the environment."""
    from reconciler.sandbox.server import Sandbox

    (example,) = blocks(section("How it works"), "python")
    assert len(example.splitlines()) <= 15
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "a.yaml").write_text("store_id: 1\nname: Linen shirt\ntype: top\n")
    monkeypatch.chdir(tmp_path)
    with Sandbox(api_key="key") as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", "key")
        exec(example, {})  # noqa: S102  (our own)
    told = capsys.readouterr().out
    assert told.startswith("1 to create, 0 to delete\ncreate 1 {")
    assert told.endswith("1 applied; converged: True\n")


def test_pictures_are_those_that_the_code_makes() -> None:
    """Every picture that is shown is one that `make docs` makes, is there, and is small."""
    shown = set(re.findall(r"\.github/images/([\w.-]+)", TEXT))
    assert shown == set(SHOWN)
    sizes = [(FOLDER / name).stat().st_size for name in SHOWN]
    assert sum(sizes) < 300_000


def test_the_terminal_shows_what_the_code_prints() -> None:
    """The picture of the terminal is the plan that the demo ends with, as it is printed now."""
    with demo() as folder:
        edit(folder)
        assert terminal("light") == (FOLDER / "terminal-light.svg").read_text(encoding="utf-8")


def test_commands_can_be_typed() -> None:
    """Every `reconciler` line of the README's shell examples is taken by the command line."""
    lines = [line for block in blocks(TEXT, "sh") for line in block.splitlines()]
    typed = [line.split("#")[0].strip() for line in lines if line.startswith("reconciler ")]
    assert len(typed) > 10
    context = click.Context(cli)
    for line in typed:
        words, at = shlex.split(line)[1:], context
        command: click.Command = cli
        while isinstance(command, click.Group):
            name, found, words = command.resolve_command(at, words)
            assert found is not None
            command, at = found, click.Context(found, parent=at, info_name=name)
        command.make_context(line, words, parent=context)


def test_hooks_exist() -> None:
    """The hooks of the pre-commit example are those that this repository offers."""
    offered = set(re.findall(r"^- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.M))
    named = {hook for block in blocks(TEXT, "yaml") for hook in re.findall(r"- id: (\S+)", block)}
    assert named == offered


def test_make_targets_exist() -> None:
    """Every `make` command that the README names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?m)(?:`|^)make ([a-z]+)", TEXT))
    assert {"demo", "test"} <= named <= targets


def test_links_hold_on_a_package_index() -> None:
    """No link is relative to the repository, since the page of a package index has no files."""
    assert re.findall(r"\]\((?!https?://|#)[^)]+\)", TEXT) == []


def test_renewing_writes_between_the_markers() -> None:
    """The generated table takes the place between its markers, also when that was empty."""
    before, after = "# Title\n\n<!-- commands -->\n", "<!-- /commands -->\n\nThe rest.\n"
    assert renewed(before + after) == before + commands_table() + after
    assert renewed(TEXT) == TEXT
