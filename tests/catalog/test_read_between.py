"""What products say against each other: store_ids twice, renames that contradict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .reading import errors, findings, told


def product(store_id: str, renamed_from: str = "") -> str:
    """One product as a document."""
    rename = f", renamed_from: '{renamed_from}'" if renamed_from else ""
    return f"--- {{store_id: '{store_id}', name: x{rename}}}\n"


def test_duplicate_names_both_places() -> None:
    """A second declaration is told at the later place and names the first."""
    files: dict[str, str | bytes] = {"b.yaml": product("1"), "a.yaml": product("1")}
    (finding,) = findings(files)
    assert (finding.code, str(finding.location)) == ("duplicate_store_id", "b.yaml:1:16")
    assert "a.yaml:1:16" in finding.message


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("products: [&b {store_id: a, name: x}, *b]\n", ["1:26", "1:39"]),
        ("products:\n- &b {store_id: a, name: x}\n- *b\n- *b\n", ["2:17", "3:3", "4:3"]),
        ("products: &p\n- &b\n  store_id: a\n  name: x\n- *b\n", ["3:13", "5:3"]),
        ("products:\n- &b {store_id: a, name: x}\n- {<<: *b, name: y}\n", ["2:17", "3:4"]),
        (
            "defaults: {type: x}\nproducts:\n- &b {name: x, store_id: a}\n- {<<: *b}\n- *b\n",
            ["3:26", "4:4", "5:3"],
        ),
    ],
)
def test_duplicates_through_an_anchor(text: str, places: list[str]) -> None:
    """What an alias or a merge key declares once more has its own place, so both can be found."""
    found = findings(text)
    assert [(one.code, str(one.location)) for one in found] == [
        ("duplicate_store_id", f"a.yaml:{place}") for place in places[1:]
    ]
    assert ", ".join(f"a.yaml:{place}" for place in places) in found[0].message


def test_renames_through_an_anchor() -> None:
    """Two renames from one id are told at both places where they are brought by one anchor."""
    base = "products:\n- &b {store_id: 1, name: x, renamed_from: 0}\n- {<<: *b, store_id: 2}\n"
    (found,) = findings(base)
    assert (found.code, str(found.location)) == ("rename_twice", "a.yaml:3:4")
    assert "a.yaml:2:43, a.yaml:3:4." in found.message


def test_a_fault_in_what_an_alias_repeats() -> None:
    """A faulty value, and a missing field, are told once, where the anchored product is written."""
    assert errors("products:\n- &b {store_id: ~, name: x}\n- *b\n") == [("empty_value", "2:17")]
    assert errors("products:\n- &b {store_id: 1, brand: x}\n- *b\n") == [
        ("missing_field", "2:7"),
        ("unknown_field", "2:20"),
        ("duplicate_store_id", "3:3"),
    ]


def test_many_duplicates() -> None:
    """Every later declaration is told, with all places, or the first of very many."""
    found = findings(product("1") * 3)
    assert [str(one.location) for one in found] == ["a.yaml:2:16", "a.yaml:3:16"]
    assert "a.yaml:1:16, a.yaml:2:16, a.yaml:3:16" in found[0].message
    assert "and 3 more" in findings(product("1") * 8)[0].message


def test_faulty_ids_are_no_duplicates() -> None:
    """A store_id that is a fault itself is compared with nothing."""
    assert errors("store_id: ~\nname: x\n---\nstore_id: ~\nname: y\n") == [
        ("empty_value", "1:11"),
        ("empty_value", "4:11"),
    ]


def test_rename_from_declared() -> None:
    """A rename from a store_id that stays declared names the place of that declaration."""
    (finding,) = findings(product("1") + product("2", "1"))
    assert (finding.code, str(finding.location)) == ("rename_still_declared", "a.yaml:2:44")
    assert "a.yaml:1:16" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        product("2", "1"),
        product("2", "1") + product("3", "2"),
        product("1", "2") + product("2", "1"),
        product("1", "2") + product("2", "3") + product("3", "1"),
    ],
)
def test_legal_renames(text: str) -> None:
    """Plain renames, chains, swaps and rings are legal."""
    assert told(text) == []


def test_rename_from_itself() -> None:
    """A product cannot be renamed from its own store_id."""
    assert errors(product("1", "1")) == [("rename_still_declared", "1:44")]


def test_two_renames_from_one() -> None:
    """The later of two renames from one store_id is told, with both places."""
    (finding,) = findings(product("1", "9") + product("2", "9"))
    assert (finding.code, str(finding.location)) == ("rename_twice", "a.yaml:2:44")
    assert "a.yaml:1:44" in finding.message


def test_rename_from_a_faulty_rename() -> None:
    """Where the holder's own rename is a fault, nothing is said about the rename from it."""
    text = product("2", "1") + "--- {store_id: '1', name: x, renamed_from: ' 3'}\n"
    assert errors(text) == [("padded_text", "2:44")]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6))
def test_renames_against_a_model(pairs: list[tuple[int, int]]) -> None:
    """Any set of products is refused exactly where the rules say so (0: no rename)."""
    text = "".join(product(str(own), str(old) if old else "") for own, old in pairs)
    first: dict[int, int] = {}
    for own, old in pairs:
        first.setdefault(own, old)
    olds = [old for _, old in pairs if old]
    expected = sorted(
        ["duplicate_store_id"] * (len(pairs) - len(first))
        + ["rename_twice"] * (len(olds) - len(set(olds)))
        + [
            "rename_still_declared"
            for own, old in pairs
            if old and (own == old or (old in first and not first[old]))
        ]
    )
    assert sorted(one.code for one in told(text)) == expected
