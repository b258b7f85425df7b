"""The sandbox's pictures of its products: a garment of the product's type with its store_id.

What they look like depends on the picture that was sent, so that a change of it is seen.
"""

from collections.abc import Collection
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox.records import PICTURES
from reconciler.sandbox.store import SandboxStore

_PATH: Final = "/md/{name}.svg"
_OTHER: Final = "other"
# How many characters of a store_id have room under a garment.
_LABEL: Final = 14


def pictures(stores: Collection[SandboxStore]) -> Route:
    """The route that draws the picture of any product in `stores`."""

    def drawn(request: Request) -> Response:
        name = request.path_params["name"]
        url = f"{PICTURES}md/{name}.svg"
        found = (row for store in stores for row in store.rows())
        row = next((row for row in found if row.record.get("image_md") == url), None)
        kind = "" if row is None else str(row.value("type") or "")
        text = picture(kind, "" if row is None else row.store_id or "", name)
        return Response(text, media_type="image/svg+xml")

    return Route(_PATH, drawn)


def picture(kind: str, store_id: str, name: str) -> str:
    """An SVG picture of a garment of this kind; `name` decides its colour."""
    symbols = _garments()
    shape = kind if f'id="garment-{escape(kind)}"' in symbols else _OTHER
    label = store_id if len(store_id) <= _LABEL else f"{store_id[: _LABEL - 1]}…"
    hue = crc32(name.encode()) % 360
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 192 192" width="192" height="192">'
        f'<rect width="192" height="192" fill="hsl({hue} 45% 94%)"/>{symbols}'
        f'<use href="#garment-{escape(shape)}" x="32" y="12" width="128" height="128"'
        f' fill="hsl({hue} 45% 45%)"/>'
        '<text x="96" y="172" text-anchor="middle" font-family="sans-serif" font-size="20"'
        f' fill="hsl({hue} 30% 30%)">{escape(label)}</text></svg>\n'
    )


@cache
def _garments() -> str:
    return (files("reconciler") / "templates" / "garments.svg").read_text(encoding="utf-8")
