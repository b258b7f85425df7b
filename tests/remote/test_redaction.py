"""The redactor: every form of a key is masked, and nothing else."""

import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.remote.redaction import MASK, RedactingFilter, Redactor, key_bytes
from tests.remote.spellings import AS_SENT, FORMS, KEYS, legible


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_masked_in_any_form(key: str) -> None:
    """No encoder that a URL, JSON, HTML or a traceback goes through brings the key past."""
    for name, spell in FORMS.items():
        masked = Redactor([key]).redact(f"before\nat {spell(key)} at\nafter")
        assert not legible(key, masked), name
        before, line, after = masked.split("\n")
        assert (before, after) == ("before", "after"), name
        assert line == f"at {MASK} at" or name not in AS_SENT, name


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=30),
    st.text(max_size=30),
    st.sampled_from([*AS_SENT]),
)
def test_any_key_is_masked_in_any_text(key: str, around: str, form: str) -> None:
    """Whatever the key and whatever surrounds it, raw or percent-encoded it is gone."""
    key = key.strip()
    sent = FORMS[form](key)
    masked = Redactor([key]).redact(f"{around}\n{sent}\n{around}")
    assert sent not in masked.replace(MASK, "\n") or len(key) < 4


@pytest.mark.parametrize("filler", ["\\", "%25", "ä", "&#", "0", "/", "?", "a"])
def test_no_text_takes_long(filler: str) -> None:
    """A body made to be searched for ever is searched through like any other."""
    body = (filler * 70_000).encode()
    for key in ("äöü/key", "/-slash-key", "a" * 30 + "b"):
        assert len(Redactor([key]).excerpt(body)) <= 161


@given(st.text())
def test_text_without_a_key_stays(text: str) -> None:
    """What holds no key is returned as it is."""
    if "api_key" not in text:
        assert Redactor(["a-key-nobody-writes"]).redact(text) == text
        assert Redactor().redact(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/p/?api_key=abc&limit=5", "/p/?api_key=[key]&limit=5"),
        ("?limit=5&api_key=a%20b HTTP/1.1", "?limit=5&api_key=[key] HTTP/1.1"),
        ('"http://x/?api_key=q"', '"http://x/?api_key=[key]"'),
        ("%3Fapi_key%3Dabc", "%3Fapi_key%3D[key]"),
        ("%253Fapi_key%253Dabc", "%253Fapi_key%253D[key]"),
        ("api_key&#61;abc&amp;limit", "api_key&#61;[key]&amp;limit"),
        ('"?api_key\\u003dabc\\u0026"', '"?api_key\\u003d[key]\\u0026"'),
        ("set api_key: it is missing", "set api_key: it is missing"),
    ],
)
def test_the_parameter_is_masked_without_knowing_the_key(text: str, expected: str) -> None:
    """The value of `api_key` is masked whatever it is."""
    assert Redactor().redact(text) == expected


def test_a_redactor_compiles_nothing_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start of the tool makes a redactor, and few have a text that must be redacted."""
    with monkeypatch.context() as patch:
        patch.setattr(re, "compile", None)
        redactor = Redactor(["demo-key-0123456789"])
    assert redactor.redact("is demo-key-0123456789") == f"is {MASK}"


def test_a_key_within_another_is_masked_with_it() -> None:
    """Where one key begins another, the longer one leaves no rest."""
    assert Redactor(["abcd", "abcdefgh"]).redact("abcdefgh abcd") == f"{MASK} {MASK}"


def test_a_tiny_key_does_not_mask_every_message() -> None:
    """A key of less than four characters is masked as a parameter only."""
    assert Redactor(["a"]).redact("a bad day: ?api_key=a") == "a bad day: ?api_key=[key]"
    assert Redactor([""]).redact("text") == "text"


def test_a_key_with_space_around_it_is_masked_without() -> None:
    """The line break that a secret's file ends with is no part of what is looked for."""
    assert Redactor(["demo-key\n"]).redact("is demo-key here") == f"is {MASK} here"


@pytest.mark.parametrize("place", [0, 100, 141, 150, 159, 160, 161, 300, 65_500, 65_530, 65_536])
@pytest.mark.parametrize("filler", [b"x", b" ", b"\n\t"])
def test_no_cut_leaves_a_part_of_the_key(place: int, filler: bytes) -> None:
    """An excerpt is short, and where it is cut through the key, none of the key is left."""
    key = "0123456789abcdefghijklmnopqrstuvwxyz"
    body = filler * (place // len(filler)) + key.encode() + b"x" * 70_000
    text = Redactor([key]).excerpt(body)
    assert len(text) <= 161
    assert key[:5] not in text


def test_an_excerpt_is_one_line() -> None:
    """Line breaks and runs of white space become one space; what is no UTF-8 is shown as such."""
    assert Redactor().excerpt(b"  <p>\r\n\tone \xff</p>\n") == "<p> one \ufffd</p>"
    assert Redactor().excerpt(b"") == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32-le"])
def test_a_key_in_wide_text_is_not_shown(encoding: str) -> None:
    """An answer in an encoding with more bytes for each letter is left out of messages."""
    text = Redactor(["demo-key-wide"]).excerpt("the key is demo-key-wide".encode(encoding))
    assert text == "(not text)"


def test_the_log_filter_masks_message_arguments_and_traceback() -> None:
    """A record passes with the same text but the key, and its traceback likewise."""
    try:
        raise ValueError("http://x/?api_key=demo-secret and demo-secret")
    except ValueError:
        caught = sys.exc_info()
    record = logging.LogRecord("a", 10, "f", 1, "%s?%s", ("demo-secret", "x"), caught)
    plain = logging.LogRecord("a", 10, "f", 1, "%d calls", (3,), None)
    log_filter = RedactingFilter(Redactor(["demo-secret"]))
    assert log_filter.filter(record)
    assert log_filter.filter(plain)
    shown = logging.Formatter().format(record)
    assert shown.startswith("[key]?x\n")
    assert "ValueError" in shown
    assert "demo-secret" not in shown
    assert (plain.msg, plain.args) == ("%d calls", (3,))


def test_a_key_that_no_encoding_holds_is_sent_as_it_can_be() -> None:
    """Half a surrogate pair, which no environment gives, still has bytes and is no crash."""
    assert key_bytes("a\ud800") == b"a\xed\xa0\x80"
    assert key_bytes("a\udcff") == b"a\xff"
    assert Redactor(["demo-\ud800-key"]).redact("is demo-\ud800-key") == f"is {MASK}"


def test_two_filters_mask_two_keys_in_one_traceback() -> None:
    """P5: clients of two stores in one process each keep their own key out of a logged error."""
    try:
        raise ValueError("first-key-0123 and second-key-4567")
    except ValueError:
        record = logging.LogRecord("urllib3", logging.WARNING, "", 1, "bad", (), sys.exc_info())
    for key in ("first-key-0123", "second-key-4567"):
        RedactingFilter(Redactor([key])).filter(record)
    assert record.exc_text is not None
    assert "key-" not in record.exc_text
