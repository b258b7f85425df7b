"""Runs the commands with one more row in the field table: ROW, as Python, is the argument.

Everything reads the table when it is imported, so the row is added before anything else is.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

import reconciler

KEY, ROW = sys.argv[1:]


def add_row() -> None:
    """Load the module of the field table with the row at its end."""
    path = Path(reconciler.__file__).parent / "model" / "fields.py"
    name = "reconciler.model.fields"
    module = sys.modules[name] = ModuleType(name)
    source = path.read_text(encoding="utf-8").replace("\n)\n\nKEYS", f"\n    {ROW},\n)\n\nKEYS")
    exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102  (the project's own module)
    assert module.KEYS[-1] == KEY


def declare(name: str, value: str) -> None:
    """Make the catalogue say this of its one product."""
    text = f"store_id: 1\nname: {name}\ntags: [a]\nimage_url: ''\ntype: top\n{KEY}: {value}\n"
    Path("catalog/one.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    """Take the product through plan, save, read, apply, pull and schema."""
    from reconciler.cli.main import run
    from reconciler.model import FIELDS

    def expect(code: int, *arguments: str) -> None:
        assert run(arguments) == code, arguments

    value = FIELDS[-1].example
    old, new = ("[old]", "[new]") if isinstance(value, tuple) else ("old", "new")
    Path("catalog").mkdir()
    declare("Shirt", old)
    expect(0, "validate")
    expect(0, "apply", "--sandbox", "--yes")
    expect(0, "plan", "--sandbox", "--detailed-exitcode")
    declare("Shirts", new)
    expect(2, "plan", "--sandbox", "--detailed-exitcode", "--out", "plan.json")
    expect(0, "show", "plan.json", "--output", "shown.txt")
    assert KEY in Path("shown.txt").read_text(encoding="utf-8")
    expect(2, "pull", "--sandbox", "--detailed-exitcode")
    expect(0, "apply", "plan.json", "--sandbox", "--yes", "--report", "report.json")
    assert json.loads(Path("report.json").read_text(encoding="utf-8"))["converged"] is True
    expect(0, "plan", "--sandbox", "--detailed-exitcode")
    declare("Shirts", old)
    expect(2 if FIELDS[-1].readable else 0, "pull", "--sandbox", "--detailed-exitcode", "--write")
    said = Path("catalog/one.yaml").read_text(encoding="utf-8")
    assert (f"{KEY}: {new}" in said) == FIELDS[-1].readable
    if FIELDS[-1].may_be_empty:
        declare("Shirts", "[]" if isinstance(value, tuple) else "''")
        expect(0, "apply", "--sandbox", "--yes")
        expect(0, "plan", "--sandbox", "--detailed-exitcode")
    expect(0, "fmt")
    expect(0, "schema", "product", "--output", "schema.json")
    schema = json.loads(Path("schema.json").read_text(encoding="utf-8"))
    assert (KEY in schema["properties"], KEY in schema["required"]) == (True, FIELDS[-1].required)
    expect(0, "schema", "plan", "--output", "plan.schema.json")
    if FIELDS[-1].required:
        Path("catalog/one.yaml").write_text("store_id: 1\nname: x\n", encoding="utf-8")
        expect(1, "validate")


add_row()
main()
