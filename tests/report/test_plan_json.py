"""Plan JSON, and the way back."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given

from reconciler.errors import PlanFileError
from reconciler.planning.plan import CatalogFacts, Delete, FieldChange, Plan, Update
from reconciler.report.json_text import json_text
from reconciler.report.plan_json import parse_plan, plan_json
from reconciler.report.plan_schema import PlanDocument
from tests.report.plans import CONTEXT, HOSTILE, PLANS, hostile_plan, long_plan, seen, small_plan

URL = "https://api.robosize.com/api/v1/product/"


def _text(plan: Plan) -> str:
    """The plan as it is saved."""
    return plan_json(
        plan,
        tool=CONTEXT.tool,
        created_at=CONTEXT.created_at,
        api_url=URL,
        operations=CONTEXT.operations,
    )


def _edited(edit: Callable[[dict[str, Any]], object]) -> bytes:
    """The small plan as saved, after `edit` had its way with the document."""
    document = json.loads(_text(small_plan()))
    edit(document)
    return json.dumps(document).encode()


@given(PLANS)
def test_reads_back_what_it_wrote(plan: Plan) -> None:
    """Any plan, saved and read, is equal to itself, digest included."""
    read = parse_plan(_text(plan).encode())
    assert read.plan == plan
    assert read.plan.digest == plan.digest
    made = (read.api_url, read.created_at, read.tool)
    assert made == (URL, CONTEXT.created_at, CONTEXT.tool)
    assert read.operations == CONTEXT.operations


def test_has_the_documented_keys() -> None:
    """The saved plan has the keys and values that the interface promises."""
    document = json.loads(_text(small_plan()))
    assert document["format"] == "reconciler.plan/1"
    assert document["tool"] == "1.0.0"
    assert document["store"] == "default"
    assert document["created_at"] == "2026-01-02T03:04:05Z"
    assert document["digest"] == small_plan().digest
    assert document["catalog"] == {
        "products": 24,
        "digest": "abc",
        "commit": "c0ffee",
        "dirty": False,
    }
    assert document["remote"] == {"products": 23, "api_url": URL}
    assert document["summary"] == {
        "create": 1,
        "update": 2,
        "delete": 1,
        "unchanged": 20,
        "blocked": 1,
        "unconfirmed": 2,
        "kept": 0,
        "undeclared": 0,
    }
    assert document["operations"] == [dict(operation) for operation in CONTEXT.operations]
    assert document["blocked"] == [
        {"store_id": "77", "ids": ["a", "b"], "reason": "duplicate_remote"}
    ]
    assert document["warnings"] == [
        {
            "code": "create_without_type",
            "message": "10482 has no type",
            "source": {"file": "catalog/tops.yaml", "line": 3, "column": 5},
        }
    ]
    assert document["refusals"] == [
        {
            "code": "too_many_deletes",
            "message": "1 of 23 would be deleted.",
            "allow": "--allow-deletes 1",
        }
    ]


def test_an_update_has_the_documented_shape() -> None:
    """An update stands in the plan as the interface draws it, with what it saw beside it."""
    update = json.loads(_text(small_plan()))["changes"][1]
    assert update == {
        "action": "update",
        "store_id": "10391",
        "id": "5f2c",
        "name": "Wool coat",
        "source": {"file": "catalog/coats.yaml", "line": 14, "column": 5},
        "origin": "edit",
        "fields": {
            "tags": {"before": ["autumn"], "after": ["winter"]},
            "type": {"before": "dress", "after": "top", "write_only": True},
            "image_url": {
                "before": None,
                "after": "https://cdn.shop/2.jpg",
                "write_only": True,
                "in_doubt": True,
            },
        },
        "seen": {
            "store_id": "10391",
            "name": "Wool coat",
            "tags": ["autumn"],
            "image_md": "https://img.example/1.jpg",
        },
    }


def test_the_place_that_a_rename_leaves_is_saved_and_may_be_missing() -> None:
    """A rename says which store_id it gives up; a plan that does not say it is read as before."""
    fields = {"store_id": FieldChange("NINE", "ten")}
    rename = Update("ten", "77aa", "Dress", fields, seen("77aa", "NINE"), sent_as="nine")
    plan = Plan("default", CatalogFacts(1), 1, (rename,))
    assert json.loads(_text(plan))["changes"][0]["sent_as"] == "nine"
    for made in (plan, replace(plan, changes=(replace(rename, sent_as=None),))):
        assert parse_plan(_text(made).encode()).plan == made


def test_one_line_a_change_in_ascii() -> None:
    """Each change is one line, and no character beyond ASCII or pipeline command is raw."""
    text = _text(hostile_plan())
    assert text.isascii()
    assert "##[" not in text
    assert "##vso[" not in text
    changes = text[text.index('"changes"') : text.index('"operations"')].splitlines()
    assert len(changes) == 4 + 3
    assert json.loads(text)["store"] == HOSTILE


def test_extra_keys_are_ignored() -> None:
    """A key that a later tool added, and sealed, does not keep this one from reading the plan."""

    def extend(document: dict[str, Any]) -> None:
        document["later"] = 1
        document["changes"][0]["later"] = 1
        del document["seal"]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        document["seal"] = hashlib.sha256(text.encode()).hexdigest()

    assert parse_plan(_edited(extend)).plan == small_plan()


def test_the_layout_of_the_file_does_not_count() -> None:
    """A plan that a tool has indented anew, or whose line ends a checkout changed, is the same."""
    text = _text(small_plan())
    for same in (json.dumps(json.loads(text), indent=4), text.replace("\n", "\r\n")):
        assert parse_plan(same.encode()).plan == small_plan()


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document that is no object and no list."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*path, key))
        else:
            yield (*path, key)


def test_no_edit_goes_unseen() -> None:
    """P4: whichever value of the file is edited, or taken out, the plan is refused."""
    whole = json.loads(_text(small_plan()))
    paths = list(_paths(whole))
    assert ("remote", "products") in paths
    assert ("catalog", "products") in paths
    for path in paths:
        for new in (8, "edited", None, True):
            document = json.loads(_text(small_plan()))
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            if (type(holder[path[-1]]), holder[path[-1]]) == (type(new), new):
                continue
            holder[path[-1]] = new
            with pytest.raises(PlanFileError):
                parse_plan(json.dumps(document).encode())
        if isinstance(holder, dict):
            del holder[path[-1]]
            with pytest.raises(PlanFileError):
                parse_plan(json.dumps(document).encode())


def test_a_key_that_stands_twice_is_refused() -> None:
    """P4: a second figure, which some readers would show and others not, is an edit too."""
    text = _text(small_plan()).replace('"digest":', '"digest": "0", "digest":', 1)
    with pytest.raises(PlanFileError, match="not JSON"):
        parse_plan(text.encode())


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
def test_no_number_beyond_json_is_read_or_written(number: str) -> None:
    """A number that JSON lacks, or that no reader can hold, is refused; none is ever written."""
    text = _text(small_plan()).replace('"unchanged": 20', f'"unchanged": {number}', 1)
    assert number in text
    with pytest.raises(PlanFileError):
        parse_plan(text.encode())
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": [float(number)]})


def test_a_byte_order_mark_is_no_damage() -> None:
    """A plan that an editor saved with a byte-order mark is read."""
    read = parse_plan(b"\xef\xbb\xbf" + _text(small_plan()).encode())
    assert read.plan == small_plan()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a plan"),
        (b"{}", "not a plan"),
        (b'{"format": "other/1"}', "not a plan"),
        (b'{"format": 7}', "not a plan"),
        (b'{"format": "reconciler.plan/1"}', "tool: Field required (and 13 more)"),
        (b'{"format": "reconciler.plan/2"}', "has the format reconciler.plan/2"),
    ],
)
def test_refuses_what_is_no_plan(data: bytes, says: str) -> None:
    """What is not a plan of this format is refused with its fault and a remedy."""
    with pytest.raises(PlanFileError) as caught:
        parse_plan(data)
    assert says in caught.value.message
    assert caught.value.hint


def _replace_tag(document: dict[str, Any]) -> None:
    document["changes"][1]["fields"]["tags"]["after"] = ["edited"]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_replace_tag, "do not match its digest"),
        (lambda document: document["changes"].pop(), "do not match its digest"),
        (lambda document: document["changes"].reverse(), "do not match its digest"),
        (lambda document: document.update(digest="0"), "do not match its digest"),
        (lambda document: document["changes"][1].pop("seen"), "changes.1.update.seen"),
        (lambda document: document["changes"][0].update(action="drop"), "changes.0"),
        (lambda document: document["changes"][0].update(store_id=7), "changes.0.create.store_id"),
        (lambda document: document["changes"][0]["fields"].update(x={}), "fields.x.before"),
        (
            lambda document: document["changes"][0]["fields"].update(
                brand={"before": None, "after": "x"}
            ),
            '"brand" is not a field',
        ),
        (
            lambda document: document["changes"][0]["fields"].update(
                tags={"before": None, "after": "x"}
            ),
            '"tags" holds the wrong kind',
        ),
        (lambda document: document["blocked"][0].update(reason="new"), '"new" is not a code'),
        (lambda document: document["summary"].update(unchanged="20"), "summary.unchanged"),
        (lambda document: document["summary"].update(unchanged=True), "summary.unchanged"),
        (lambda document: document["remote"].update(products=230), "does not match its seal"),
        (lambda document: document.pop("seal"), "seal: Field required"),
    ],
)
def test_refuses_a_plan_that_was_edited(
    edit: Callable[[dict[str, Any]], object], says: str
) -> None:
    """A plan whose changes were touched, or that lacks what an apply needs, is refused."""
    with pytest.raises(PlanFileError) as caught:
        parse_plan(_edited(edit), file="plan.json")
    assert caught.value.message.startswith("plan.json is damaged")
    assert says in caught.value.message
    assert caught.value.hint


def test_has_a_json_schema() -> None:
    """The shape of a plan can be handed to readers as a JSON Schema."""
    schema = PlanDocument.model_json_schema()
    assert schema["properties"]["format"]["const"] == "reconciler.plan/1"
    assert "UpdateDocument" in schema["$defs"]


def test_a_read_only_record_is_written() -> None:
    """A record whose inner mappings cannot be changed is saved like any other."""
    record = MappingProxyType({"id": "a", "fabric": MappingProxyType({"wool": 100})})
    plan = Plan("d", CatalogFacts(0), 1, (Delete("1", "a", None, {}, record),))
    assert json.loads(_text(plan))["changes"][0]["record"]["fabric"] == {"wool": 100}


def test_what_json_cannot_hold_is_refused() -> None:
    """A value without a JSON form is an error of the caller, not silently text."""
    with pytest.raises(TypeError, match="object has no JSON form"):
        json_text({"a": object()})


def test_a_long_plan_is_read_back() -> None:
    """Thousands of changes go through the file and back."""
    plan = long_plan(2000)
    assert parse_plan(_text(plan).encode()).plan == plan
