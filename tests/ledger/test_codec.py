"""The ledger's file format."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import LedgerError
from reconciler.ledger.codec import decode_ledger, encode_ledger
from reconciler.model import (
    KEYS,
    WRITE_ONLY,
    Applied,
    Entry,
    Kept,
    Known,
    Ledger,
    Sent,
    State,
)
from tests.ledger.worlds import LEDGER
from tests.model.making import entries

TEXTS = st.text(max_size=8)
VALUES = TEXTS | st.lists(TEXTS, max_size=3).map(tuple)
ENTRIES = st.tuples(
    *(st.none() | st.builds(Entry, VALUES, st.sampled_from(State)) for _ in WRITE_ONLY)
)
MAYBE = st.none() | TEXTS
KEPT = st.dictionaries(st.sampled_from(KEYS), st.builds(Kept, VALUES, st.none() | VALUES, MAYBE))
LEDGERS = st.builds(
    Ledger,
    products=st.dictionaries(TEXTS, st.builds(Known, TEXTS, ENTRIES, KEPT, MAYBE), max_size=4),
    creates=st.dictionaries(TEXTS, st.builds(Sent, ENTRIES, MAYBE, MAYBE, MAYBE), max_size=3),
    applied=st.lists(st.builds(Applied, MAYBE, TEXTS, TEXTS), max_size=3).map(tuple),
)


def broken(data: bytes | str, store: str = "default") -> LedgerError:
    """The error of reading `data`."""
    with pytest.raises(LedgerError) as caught:
        decode_ledger(
            data.encode() if isinstance(data, str) else data, store=store, source="the.jsonl"
        )
    return caught.value


def lines_with(*lines: str) -> str:
    """A whole ledger file with these lines in it."""
    header = '{"format":"reconciler.ledger/2","store":"default"}'
    return "\n".join((header, *lines, '{"end":true}', ""))


@given(LEDGERS)
def test_round_trip(ledger: Ledger) -> None:
    """Any ledger is read back as it was written, and written again as the same bytes."""
    data = encode_ledger(ledger, store="default")
    again = decode_ledger(data, store="default", source="the.jsonl")
    assert again == ledger
    assert encode_ledger(again, store="default") == data


@given(LEDGERS, st.data())
def test_cut_off(ledger: Ledger, data: st.DataObject) -> None:
    """A file that lacks any number of bytes at its end is an error, never a smaller ledger."""
    whole = encode_ledger(ledger, store="default")
    end = data.draw(st.integers(0, len(whole) - 1))
    assert ", line " in str(broken(whole[:end]))


def test_lines() -> None:
    """Products stand sorted by id, one a line, compact and in clear."""
    lines = encode_ledger(LEDGER, store="default").decode().splitlines()
    assert lines == [
        '{"format":"reconciler.ledger/2","store":"default"}',
        '{"id":"a1","store_id":"10","fields":{"type":{"value":"top","state":"assumed"}},'
        '"kept":{"name":{"sent":"wool  coat","kept":"Wool coat",'
        '"since":"2026-01-01T00:00:00.000Z"},'
        '"tags":{"sent":["b","a"],"kept":null}},"came_from":"20",'
        '"missing":"2026-01-03T00:00:00.000Z"}',
        '{"id":"b2","store_id":"20","fields":{"image_url":'
        '{"value":"https://cdn.shop/2.jpg","state":"confirmed"}}}',
        '{"create":"30","fields":{"type":{"value":"dress","state":"doubt"}}}',
        '{"create":"31","fields":{},"at":"2026-01-02T00:00:00.000Z","id":"c3","came_from":"21"}',
        '{"applied":"d1","commit":null,"at":"2026-01-01T00:00:00.000Z"}',
        '{"applied":"d2","commit":"c1","at":"2026-01-02"}',
        '{"end":true}',
    ]


def test_order_of_insertion_does_not_count() -> None:
    """The same ledger is the same bytes, whatever order it was filled in."""
    turned = Ledger(
        {id: LEDGER.products[id] for id in reversed(list(LEDGER.products))},
        LEDGER.creates,
        LEDGER.applied,
    )
    assert encode_ledger(turned, store="s") == encode_ledger(LEDGER, store="s")


def test_half_a_surrogate_pair() -> None:
    """Text that UTF-8 cannot hold is kept all the same."""
    ledger = Ledger({"\ud800": Known("é\udfff")})
    data = encode_ledger(ledger, store="default")
    assert decode_ledger(data, store="default", source="the.jsonl") == ledger


def test_windows_line_ends() -> None:
    """A checkout that turned line ends into CRLF is still read."""
    data = encode_ledger(LEDGER, store="default").replace(b"\n", b"\r\n")
    assert decode_ledger(data, store="default", source="the.jsonl") == LEDGER


def test_equal_entries_are_one_object() -> None:
    """Entries that are equal share their memory once read."""
    ledger = Ledger({id: Known(id, entries(State.ASSUMED, type="top")) for id in "ab"})
    read = decode_ledger(encode_ledger(ledger, store="s"), store="s", source="the.jsonl")
    assert read.known("a", "type") is read.known("b", "type")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not a line of JSON"),
        ("[" * 100_000, "not a line of JSON"),
        ("<<<<<<< ours", "merge conflict"),
        ("[]", "not an object"),
        ("{}", "neither"),
        ('{"id":1,"store_id":"1","fields":{}}', '"id" must be text'),
        ('{"id":"1","fields":{}}', "missing or unknown keys"),
        ('{"id":"1","store_id":"1","fields":{},"more":1}', "missing or unknown keys"),
        ('{"id":"1","store_id":null,"fields":{}}', '"store_id" must be text'),
        ('{"id":"1","store_id":"1","fields":[]}', '"fields" must be an object'),
        ('{"id":"1","store_id":"1","fields":{"colour":{}}}', "no write-only field 'colour'"),
        ('{"id":"1","store_id":"1","fields":{"type":"top"}}', '"value" and "state"'),
        (
            '{"id":"1","store_id":"1","fields":{"type":{"value":1,"state":"doubt"}}}',
            "text or a list of texts",
        ),
        (
            '{"id":"1","store_id":"1","fields":{"type":{"value":"1","state":[]}}}',
            "confirmed, assumed, doubt",
        ),
        ('{"id":"1","store_id":"1","fields":{},"kept":[]}', '"kept" must be an object'),
        ('{"id":"1","store_id":"1","fields":{},"kept":{"x":{}}}', "no field 'x'"),
        ('{"id":"1","store_id":"1","fields":{},"kept":{"name":{}}}', '"sent" and "kept"'),
        ('{"id":"0","store_id":"1","fields":{}}', "second time"),
        ('{"create":"0","fields":{}}', "second time"),
        ('{"create":"1","fields":{},"at":1}', '"at" must be text'),
        ('{"create":"1","fields":{},"sent":"x"}', "missing or unknown keys"),
        ('{"applied":"d","commit":null,"at":1}', '"at" must be text'),
        ('{"applied":"d","at":"x","more":1}', "missing or unknown keys"),
        ('{"ring":1}', "list of links"),
        ('{"ring":[{"id":"1"}]}', '"before" and "after"'),
    ],
)
def test_damaged_line(line: str, reason: str) -> None:
    """A damaged line is named by its number and its fault, with the remedy."""
    good = ('{"id":"0","store_id":"0","fields":{}}', '{"create":"0","fields":{}}')
    error = broken(lines_with(*good, line))
    assert str(error).startswith("the.jsonl, line 4: ")
    assert reason in str(error)
    assert "Restore" in str(error.hint)


def test_not_utf_8() -> None:
    """Bytes that are not UTF-8 are named by their line."""
    assert "line 2: not UTF-8" in str(broken(lines_with("X").encode().replace(b"X", b"\xff")))


def test_foreign_store() -> None:
    """The ledger of another store is never taken for this one's."""
    error = broken(encode_ledger(LEDGER, store="outlet"))
    assert "line 1" in str(error)
    assert "'outlet', not of 'default'" in str(error)


def test_newer_format() -> None:
    """A newer format is not guessed at: the remedy is to upgrade."""
    error = broken(lines_with().replace("ledger/2", "ledger/3"))
    assert "line 1" in str(error)
    assert "upgrade" in str(error.hint)


@pytest.mark.parametrize("header", [{"format": "other/1"}, {}, []])
def test_not_a_ledger(header: object) -> None:
    """A file of another kind is said to be no ledger."""
    assert "line 1: not a ledger" in str(broken(json.dumps(header) + '\n{"end":true}\n'))


def test_a_ledger_of_format_1_is_read() -> None:
    """Its renames become what each product came from; a step aside tells of none (P1)."""
    lines = lines_with(
        '{"id":"a1","store_id":"10","fields":{}}',
        '{"id":"c3","store_id":"30","fields":{}}',
        '{"create":"40","fields":{}}',
        '{"ring":[{"id":"a1","before":"11","after":"10"},{"id":"b2","before":"10","after":"11"}]}',
        '{"ring":[{"id":"b2","before":"11~moving-b2","after":"11"}]}',
        '{"ring":[{"id":"","before":"29","after":"30"}]}',
        '{"ring":[{"id":"","before":"39","after":"40"}]}',
        '{"ring":[{"id":"","before":"49","after":"50"}]}',
    ).replace("ledger/2", "ledger/1")
    ledger = decode_ledger(lines.encode(), store="default", source="the.jsonl")
    assert {id: (known.came_from, known.store_id) for id, known in ledger.products.items()} == {
        "a1": ("11", "10"),
        "b2": ("10", "11"),
        "c3": ("29", "30"),
    }
    assert ledger.creates == {"40": Sent(came_from="39")}
