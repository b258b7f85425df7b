"""Text from elsewhere, made harmless."""

import sys
import unicodedata

import pytest
from hypothesis import given

from reconciler.report.escape import escape
from tests.report.plans import TEXTS

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_spells_out_every_unseen_character() -> None:
    """No control, format, surrogate or separator character of Unicode survives."""
    unseen = [chr(point) for point in range(sys.maxunicode + 1)]
    unseen = [c for c in unseen if unicodedata.category(c) in _UNSEEN]
    for character in unseen:
        assert escape(character).isascii()
        assert escape(character).startswith("\\")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\u200b", r"\u200b"),
        ("one\ntwo\r\tthree", r"one\ntwo\r\tthree"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
        ("\u3164", r"\u3164"),
        ("##[error]##vso[x]", r"#\x23[error]#\x23vso[x]"),
    ],
)
def test_shows_what_it_escapes(text: str, expected: str) -> None:
    """Each kind of harmful character is shown by the escape that names it."""
    assert escape(text) == expected


@pytest.mark.parametrize(
    "text", ["Wool coat", "Пальто", "コート", "Café, 50 %", "a\u00a0b", "❤️", "#1"]
)
def test_leaves_ordinary_names_alone(text: str) -> None:
    """Names in any script stay as they are."""
    assert escape(text) == text


@given(TEXTS)
def test_is_idempotent_and_one_line(text: str) -> None:
    """What was escaped once stays the same, and never spans lines."""
    once = escape(text)
    assert escape(once) == once
    assert len(once.splitlines()) <= 1
