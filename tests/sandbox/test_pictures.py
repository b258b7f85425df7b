"""The sandbox's own pictures."""

from urllib.request import urlopen
from xml.etree import ElementTree

from reconciler.remote.client import Client
from reconciler.sandbox.pictures import picture
from reconciler.sandbox.server import Sandbox


def test_a_listed_picture_can_be_loaded() -> None:
    """A sandbox that stays lists addresses of its own, at which it draws the product."""
    with Sandbox(own_pictures=True) as sandbox:
        sandbox.store.seed(
            [{"store_id": "10482", "name": "A", "type": "dress", "image_url": "https://a/1.jpg"}]
        )
        with Client(sandbox.url, "key") as client:
            listing = client.list()
        (record,) = listing.every_record()
        assert record["image_md"].startswith(sandbox.url.partition("/api/")[0])
        with urlopen(record["image_md"]) as answer:
            assert answer.headers["Content-Type"].startswith("image/svg+xml")
            text = answer.read().decode()
        with urlopen(f"{record['image_md'].rpartition('/')[0]}/unknown.svg") as answer:
            assert b"#garment-other" in answer.read()
    assert "#garment-dress" in text
    assert ">10482</text>" in text


def test_a_picture_is_safe_and_tells_changes() -> None:
    """Whatever a product is called the drawing is well formed; another image, another colour."""
    for kind, store_id in (("top", "<b>&"), ('x"><script>', "1" * 40), ("", "")):
        drawn = ElementTree.fromstring(picture(kind, store_id, "abc"))  # noqa: S314  (our own)
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
        assert "script" not in picture(kind, store_id, "abc")
    assert picture("top", "1", "abc") != picture("top", "1", "abd")
