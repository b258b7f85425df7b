"""The shape of answers: what is read, what is fixed, what is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import BadAnswer
from reconciler.model import Listing
from reconciler.remote import wire
from reconciler.remote.answers import asked_wait
from reconciler.remote.redaction import Redactor
from reconciler.remote.transport import Response
from reconciler.remote.wire import Page, read_object

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["id", "store_id", "name", "tags", "image_md", "type", "other"])
records = st.lists(st.dictionaries(keys, values, max_size=5), max_size=4)


def answer(body: bytes | str) -> Response:
    """A success with this body."""
    return Response(200, body.encode() if isinstance(body, str) else body, "application/json", None)


def read(answer: Response) -> Page:
    """A list answer, read where no key is known."""
    return wire.read_page(answer, Redactor())


@given(records)
def test_any_record_is_read(listed: list[dict[str, Any]]) -> None:
    """Whatever a record holds: it is a product, and its whole record can be had by its id."""
    page = read(answer(json.dumps({"count": len(listed), "results": listed})))
    assert len(page.products) == len(listed)
    for product in page.products:
        store_id, name, tags, *hidden = product.values
        assert isinstance(store_id, str | None)
        assert isinstance(name, str | None)
        assert isinstance(tags, tuple)
        assert hidden == [None, None]
        assert product.id is None or product.id
    ids = {product.id for product in page.products if product.id is not None}
    assert Listing(page.products, (page.raw,)).records(ids).keys() == ids


@given(st.binary(max_size=60))
def test_any_bytes_are_a_page_or_an_error(body: bytes) -> None:
    """What is no list is a BadAnswer that holds nothing of the body."""
    with pytest.raises(BadAnswer, match=r"not what the API documents \(.+\)\.$"):
        read(answer(body))
    read_object(answer(body))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"a\ud800b"', "a\ufffd\ufffd\ufffdb"),
        (r'"\ud83d\udd11"', "\U0001f511"),
        (r'"\\ud800"', r"\ud800"),
    ],
)
def test_half_a_surrogate_pair_is_replaced(text: str, expected: str) -> None:
    """One name that no encoding can hold does not make the whole list unreadable."""
    page = read(answer(f'{{"count": 1, "results": [{{"id": "x", "name": {text}}}]}}'))
    assert page.products[0].name == expected
    assert Listing(page.products, (page.raw,)).records(["x"])["x"]["name"] == expected


def test_a_byte_order_mark_is_no_fault() -> None:
    """A list that begins with a byte order mark is a list."""
    assert read(answer(b'\xef\xbb\xbf{"count": 0, "results": []}')).products == ()


def test_what_is_remembered_of_tags_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote with endless different tags does not fill the memory, and reads the same."""
    monkeypatch.setattr(wire, "_MOST_TAG_SETS", 2)
    listed = [{"id": str(n), "tags": [{"name": f"t{n}"}]} for n in range(9)]
    page = read(answer(json.dumps({"count": 9, "results": listed})))
    assert [product.value("tags") for product in page.products] == [(f"t{n}",) for n in range(9)]
    assert len(wire._TAGS) <= 2


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e999"])
def test_a_number_that_is_none_is_absent(number: str) -> None:
    """What JSON has no number for names no product."""
    page = read(answer(f'{{"count": 1, "results": [{{"id": {number}, "store_id": {number}}}]}}'))
    assert (page.products[0].id, page.products[0].store_id) == (None, None)


@pytest.mark.parametrize("digits", [19, 400, 4000])
def test_a_long_number_counts_as_its_text(digits: int) -> None:
    """An id of many digits is kept digit by digit."""
    number = "7" * digits
    page = read(answer(f'{{"count": 1, "results": [{{"id": {number}}}]}}'))
    assert page.products[0].id == number


@pytest.mark.parametrize(("next", "more"), [("null", False), ('""', False), ('"http://x"', True)])
def test_next_says_only_whether_more_follow(next: str, more: bool) -> None:
    """The link itself is not kept: it holds the key, and perhaps another origin."""
    page = read(answer(f'{{"count": 0, "results": [], "next": {next}}}'))
    assert page.more is more


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_any_retry_after_is_a_time_or_nothing(asked: str, date: str | None) -> None:
    """No header, however odd, is more than a number of seconds from nothing upwards."""
    said = Response(429, b"", "", asked, date)
    seconds = asked_wait(said, datetime(2026, 3, 1, tzinfo=UTC))
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    "odd", ["9" * 20_000, "-" + "1" * 5_000, "[" * 400 + "]" * 400, '{"a":' * 300 + "1" + "}" * 300]
)
@pytest.mark.parametrize("key", ["id", "store_id", "name", "tags", "size_chart"])
def test_one_odd_value_spoils_no_list(key: str, odd: str) -> None:
    """Thousands of digits or deep nesting in one record leave the others readable."""
    record = f'{{"id": "y", "{key}": {odd}}}' if key != "id" else f'{{"id": {odd}}}'
    page = read(answer(f'{{"count": 2, "results": [{record}, {{"id": "x", "name": "X"}}]}}'))
    assert (page.total, len(page.products)) == (2, 2)
    assert (page.products[1].id, page.products[1].name) == ("x", "X")
    assert [*Listing(page.products, (page.raw,)).records(["x"])] == ["x"]
