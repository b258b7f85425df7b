"""Links and pictures that a page may hold."""

import pytest

from reconciler.model import Location
from reconciler.report.links import image_source, location_url

PLACE = Location("catalog/a b#.yaml", 14, 5)


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("https://github.com/a/b", "https://github.com/a/b/blob/c0f/catalog/a%20b%23.yaml#L14"),
        ("https://github.com/a/b.git", "https://github.com/a/b/blob/c0f/catalog/a%20b%23.yaml#L14"),
        (
            "https://x:secret@git.example:8443/a/",
            "https://git.example:8443/a/blob/c0f/catalog/a%20b%23.yaml#L14",
        ),
        ("https://gitlab.com/a/b", "https://gitlab.com/a/b/-/blob/c0f/catalog/a%20b%23.yaml#L14"),
        (
            "https://bitbucket.org/a/b",
            "https://bitbucket.org/a/b/src/c0f/catalog/a%20b%23.yaml#lines-14",
        ),
        ("http://[::1]/a", "http://[::1]/a/blob/c0f/catalog/a%20b%23.yaml#L14"),
        ("git@github.com:a/b.git", None),
        ("javascript:alert(1)", None),
        ("https://host:port/a", None),
        ("https:///a", None),
        (None, None),
    ],
)
def test_a_place_at_the_code_host(repository: str | None, expected: str | None) -> None:
    """A web address leads to the line at the commit, without credentials; others to nothing."""
    assert location_url(PLACE, repository, "c0f") == expected


@pytest.mark.parametrize("file", ["/etc/x.yaml", "../x.yaml"])
def test_no_link_leaves_the_repository(file: str) -> None:
    """A file outside the repository has no page there."""
    assert location_url(Location(file, 1, 1), "https://github.com/a/b", "c0f") is None


def test_no_link_without_a_commit() -> None:
    """Without a commit there is nothing to link to."""
    assert location_url(PLACE, "https://github.com/a/b", None) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://cdn.shop/1.jpg?a=1&b=2", True),
        ("HTTP://cdn.shop/1.jpg", True),
        ("javascript:alert(1)", False),
        ("data:image/png;base64,AA", False),
        ('https://cdn.shop/"onerror=x', False),
        ("https://cdn.shop/a b", False),
        ("https://cdn.shop/a\u202eb", False),
        ("https://cdn.shop/" + "a" * 3000, False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_pictures_come_from_the_web_only(url: object, shown: bool) -> None:
    """Only a plain http(s) address becomes the source of a picture."""
    assert image_source(url) == (url if shown else None)
