"""The two parsers agree, on values and places and on the kinds of faults."""

import runpy
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.error import YAMLError

from reconciler.catalog.read import load_sources
from reconciler.errors import CatalogError
from reconciler.yamltext import events

PIECES = (
    *("store_id: 1\n", "name: x\n", "type: 'a'\n", "tags: [a, b]\n", "tags:\n- a\n", "products:\n"),
    *(
        "- ",
        "  ",
        "\n",
        "---\n",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ": ",
        "? ",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
    ),
    *("~", "'", '"', "|\n", ">-\n", "#", "\t", "é", "\u2028", "\ufeff", "\r", "12:30", "a?b", "%"),
)


def outcome(data: bytes) -> object:
    """What reading gives: the products with their places, or the codes of the faults."""
    try:
        catalog = load_sources([("a.yaml", data)])
    except CatalogError as error:
        return {str(finding.code) for finding in error.findings}
    return list(catalog.products.values()), catalog.warnings


def both(data: bytes) -> tuple[object, object]:
    """What either parser makes of `data`."""
    if events.LIBYAML is None:
        pytest.skip("libyaml's parser is not installed")
    with pytest.MonkeyPatch.context() as patch:
        fast = outcome(data)
        patch.setattr(events, "LIBYAML", None)
        return fast, outcome(data)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_agreement(text: str) -> None:
    """Neither parser crashes; where both can read a text, they read the same."""
    fast, pure = both(text.encode())
    if "bad_yaml" not in str(fast) and "bad_yaml" not in str(pure):
        assert fast == pure


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Any bytes at all give products or findings, never another error."""
    for read in both(data):
        assert isinstance(read, tuple | set)


def test_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libyaml's parser cannot be imported, ruamel.yaml's own is used."""
    monkeypatch.setitem(sys.modules, "ruamel.yaml.cyaml", None)
    assert runpy.run_path(str(events.__file__))["LIBYAML"] is None


def test_error_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser's error that names no place is told for the whole file."""

    def refuse(text: str) -> None:
        raise YAMLError(text)

    monkeypatch.setattr(events, "LIBYAML", refuse)
    with pytest.raises(CatalogError) as caught:
        load_sources([("a.yaml", b"x")])
    assert str(caught.value.findings[0].location) == "a.yaml:1:1"
