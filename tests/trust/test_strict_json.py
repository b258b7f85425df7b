"""Every number that is written is one of JSON, whatever the remote sends."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.here import Here
from tests.remote.servers import Call, Reply, Server, reply

NUMBERS = ("1e999", "-1e999", "NaN", "Infinity", "-Infinity", "9" * 5000)
DIRTY = ",".join(f'"n{position}": {number}' for position, number in enumerate(NUMBERS))
RECORDS = (
    f'{{"id": "a", "store_id": "gone", "name": "Old", "size_chart": {{{DIRTY}}}, {DIRTY}}}',
    f'{{"id": "b", "store_id": "0001", "name": "Shrit", "tags": [{{"name": 1e999}}], {DIRTY}}}',
)


def strict(text: str) -> Any:
    """The text as JSON, read by a reader that takes nothing but JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    read = json.loads(text, parse_constant=refuse)
    assert "inf" not in json.dumps(read).lower().replace("infinity", "")
    return read


@pytest.mark.parametrize("lone", ["", ', "lone": "\\ud800"'])
def test_no_output_holds_a_number_that_json_lacks(folder: Path, here: Here, lone: str) -> None:
    """Plan, saved plan, page, journal, report and status: the record's number stands as its text.

    A lone surrogate, which the first reader of a page refuses, must not change that.
    """
    listed = [record[:-1] + lone + "}" for record in RECORDS]

    def handler(call: Call) -> Reply:
        if call.method == "DELETE":
            listed[:] = [record for record in listed if '"id": "a"' not in record]
        if call.method == "PATCH":
            listed[:] = [record.replace("Shrit", "Shirt") for record in listed]
        if call.method == "POST":
            listed.append('{"id": "c", "store_id": "0002", "name": "Coat"}')
            return reply(201, {"id": "c"})
        return reply(200, f'{{"count": {len(listed)}, "results": [{",".join(listed)}]}}')

    with Server(handler) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOSIZE_API_URL", server.url)
        patch.setenv("RECONCILER_REQUESTS__SETTLE", "0.1")
        plan = strict(here("plan", "--out", "plan.json", "--format", "json").out)
        (removal,) = [change for change in plan["changes"] if change["action"] == "delete"]
        for position, number in enumerate(NUMBERS):
            assert removal["record"][f"n{position}"] == number
            assert removal["record"]["size_chart"][f"n{position}"] == number
        strict((folder / "plan.json").read_text(encoding="utf-8"))
        strict(here("status", "--format", "json").out)
        here("apply", "plan.json", "--report", "report.json")
        strict((folder / "report.json").read_text(encoding="utf-8"))
        (journal,) = (folder / ".reconciler" / "journal").iterdir()
        for line in journal.read_text(encoding="utf-8").splitlines():
            strict(line)
        strict(here("show", str(journal), "--format", "json").out)


def test_a_journal_of_an_older_version_is_shown_as_json(folder: Path, here: Here) -> None:
    """A journal that holds Infinity, as they once did, is shown with its text."""
    lines = (
        '{"format":"reconciler.journal/1","store":"default","summary":{}}',
        '{"n": 1, "event": "call", "method": "DELETE", "record": {"a": Infinity, "b": 1e999}}',
    )
    (folder / "old.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (call,) = strict(here("show", "old.jsonl", "--format", "json").out)["calls"]
    assert call["record"] == {"a": "Infinity", "b": "1e999"}
