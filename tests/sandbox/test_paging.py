"""Windows and their links, with plain values."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.paging import Window, next_link, previous_link, window

URL = "http://127.0.0.1:1/api/v1/product/"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Window(50, 0)),
        ({"limit": "10", "offset": "20"}, Window(10, 20)),
        ({"limit": "1000"}, Window(200, 0)),
        ({"limit": "0"}, Window(50, 0)),
        ({"limit": "-1", "offset": "-1"}, Window(50, 0)),
        ({"limit": "ten", "offset": "٣"}, Window(50, 0)),
        ({"limit": "9" * 5000, "offset": "9" * 5000}, Window(200, 2**62)),
    ],
)
def test_window(query: dict[str, str], expected: Window) -> None:
    """A window is what was asked for within bounds, and the default where that is nonsense."""
    assert window(query, 200) == expected


def test_default_window_obeys_the_maximum() -> None:
    """A maximum below the default page is the default page."""
    assert window({}, 20) == Window(20, 0)


@given(st.integers(1, 9), st.integers(0, 40), st.integers(0, 40), st.text(min_size=1, max_size=5))
def test_links_lead_to_the_windows_beside(limit: int, offset: int, count: int, key: str) -> None:
    """The links keep the key and the other words of the query, and name the windows beside."""
    query = {"api_key": key, "limit": str(limit), "offset": str(offset), "q": "x"}
    seen = Window(limit, offset)
    following, previous = next_link(URL, query, seen, count), previous_link(URL, query, seen)
    assert (following is None) == (offset + limit >= count)
    assert (previous is None) == (offset == 0)
    for link, at in ((following, offset + limit), (previous, max(0, offset - limit))):
        if link is not None:
            words = dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))
            assert words.pop("api_key") == key
            assert words.pop("q") == "x"
            assert window(words, 200) == Window(limit, at)
