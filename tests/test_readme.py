"""README.md tells the truth: its commands, exit codes, examples and make targets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler import errors
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
