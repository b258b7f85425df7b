"""What deletes removed, as text or JSON, and what of it cannot come back."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from reconciler.model import KEYS, WRITE_ONLY, Removed
from reconciler.planning.hints import HAND_ENTERED
from reconciler.report.escape import escape
from reconciler.report.json_text import json_text
from reconciler.report.style import Style
from reconciler.report.words import compact, filled_in, plural, shown, text_of

_FORMAT: Final = "reconciler.removed/1"
# What is declared, or made by Robosize itself; all else was entered there.
_COMES_BACK: Final = frozenset({"id", "status", "handle", "image_md", *KEYS})


def removed_text(removed: Sequence[Removed], *, color: bool = False) -> str:
    """The products for people, a block each in the order given, then the count."""
    style = Style(color)
    lines = [line for product in removed for line in _block(product, style)]
    if lines:
        lines.append("")
    lines.append(style.bold(f"{plural(len(removed), 'product')} removed."))
    return "\n".join(lines) + "\n"


def _block(product: Removed, style: Style) -> Iterator[str]:
    store_id = style.bold(shown(product.store_id))
    yield f"{store_id}  {escape(product.id)}  removed {escape(product.at)}"
    for key, value in product.record.items():
        if filled_in(value) and key not in ("id", "store_id"):
            yield f"    {escape(str(key)):<9}  {escape(compact(value))}"
    for key, value in product.written.items():
        yield f"    {escape(key):<9}  {shown(text_of(value))}  {style.dim('(as it was sent)')}"


def removed_json(removed: Sequence[Removed], *, store: str, place: str) -> str:
    """The products as one JSON document; `place` says what keeps them."""
    return json_text(
        {"format": _FORMAT, "store": store, "place": place, "removed": removed_rows(removed)}
    )


def removed_rows(removed: Sequence[Removed]) -> list[dict[str, Any]]:
    """The products as JSON values."""
    return [{**p._asdict(), "record": dict(p.record), "written": dict(p.written)} for p in removed]


def losses(product: Removed) -> str:
    """What does not come back of a product that is restored, in words."""
    said = f"{shown(product.store_id)} comes back under a new id; it was {escape(product.id)}."
    # What takes the most work to enter again stands first.
    keys = dict.fromkeys((*HAND_ENTERED, *product.record))
    lost = [k for k in keys if k not in _COMES_BACK and filled_in(product.record.get(k))]
    if lost:
        said += f" Not with it: {escape(', '.join(lost))}. Enter that again at Robosize."
    unknown = [KEYS[p] for p in WRITE_ONLY if KEYS[p] not in product.written]
    if unknown:
        said += f" Not known: {' and '.join(unknown)}. Declare what it had."
    return said
