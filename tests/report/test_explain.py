"""What differs inside a value."""

import deepdiff
import pytest
from hypothesis import given

from reconciler.report.explain import record_changes, tag_changes
from tests.report.plans import RECORDS


def test_tags_come_and_go() -> None:
    """Tags are told apart as added and removed, sorted."""
    assert tag_changes(("autumn", "wool"), ("winter", "new", "wool")) == (
        ["new", "winter"],
        ["autumn"],
    )
    assert tag_changes(None, ("a",)) == (["a"], [])
    assert tag_changes(("a",), ("a",)) == ([], [])


def test_names_the_place_that_changed() -> None:
    """A change deep in a record is one phrase with its path, before and after."""
    before = {"size_chart": {"M": {"chest": 52}}, "comment": None, "old": 1, "list": [1]}
    after = {"size_chart": {"M": {"chest": 54}}, "comment": "x", "new": 2, "list": [1, 2]}
    assert record_changes(before, after) == (
        'comment: null → "x"',
        "list[1]: added 2",
        "new: added 2",
        "old: removed 1",
        "size_chart.M.chest: 52 → 54",
    )


def test_tags_of_a_record_are_a_set() -> None:
    """Reordered tags are no change; others come and go by name, objects or strings alike."""
    before = {"tags": [{"name": "a"}, {"name": "b"}]}
    assert record_changes(before, {"tags": ["b", "a"]}) == ()
    assert record_changes(before, {"tags": [{"name": "c"}, {"name": "a"}]}) == ("tags: + c  - b",)


def test_undocumented_tags_are_compared_as_they_are() -> None:
    """Tags that are not as documented are explained like any other value."""
    assert record_changes({"tags": None}, {"tags": [1]}) == ("tags: null → [1]",)


def test_hostile_keys_and_values_are_inert() -> None:
    """Escape sequences in keys and values of a record are shown, not obeyed."""
    (phrase,) = record_changes({"\x1b[2J": "a"}, {"\x1b[2J": "\u202eb"})
    assert phrase == r'\x1b[2J: "a" → "\u202eb"'


def test_long_values_are_shortened() -> None:
    """A phrase stays short however long the value is, and says what it left out."""
    (phrase,) = record_changes({}, {"comment": "x" * 1000})
    assert "more characters)" in phrase
    assert len(phrase) < 200


@given(RECORDS, RECORDS)
def test_phrases_exactly_when_records_differ(
    before: dict[str, object], after: dict[str, object]
) -> None:
    """Equal records have no phrases, and no record makes it fail."""
    assert record_changes(before, before) == ()
    if record_changes(before, after):
        assert before != after


def test_never_looks_inside_equal_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deep comparison is not run on records that are equal."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("deepdiff was run on equal records")

    monkeypatch.setattr(deepdiff, "DeepDiff", refuse)
    assert record_changes({"a": {"b": 1}}, {"a": {"b": 1}}) == ()
