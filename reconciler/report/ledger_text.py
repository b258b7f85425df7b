"""What a ledger holds, as text or JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model import KEYS, WRITE_ONLY, Entry, Known, Ledger, Value
from reconciler.report.escape import escape
from reconciler.report.json_text import json_text
from reconciler.report.style import Style
from reconciler.report.words import NO_VALUE, plural, shown, text_of


def narrowed(ledger: Ledger, store_id: str) -> Ledger:
    """What `ledger` holds of one product: by its store_id, or by its remote id."""
    products = {
        id: known
        for id, known in ledger.products.items()
        if store_id in (id, known.store_id) or _kept_as(known) == store_id
    }
    creates = {key: sent for key, sent in ledger.creates.items() if store_id in (key, sent.id)}
    return Ledger(products, creates)


def _kept_as(known: Known) -> Value | None:
    """The store_id that the server keeps in place of the declared one."""
    kept = known.kept.get("store_id")
    return kept.kept if kept else None


def ledger_text(ledger: Ledger, *, color: bool = False) -> str:
    """The ledger for people, a block a product in the order of the store_ids, then the count."""
    style = Style(color)
    lines: list[str] = []
    # By the id too, since the remote may have one store_id twice.
    for id, known in sorted(ledger.products.items(), key=lambda item: (item[1].store_id, item[0])):
        lines.append(f"{style.bold(shown(known.store_id))}  {escape(id)}")
        lines += _entry_lines(known.entries, style)
        for key, kept in known.kept.items():
            now = NO_VALUE if kept.kept is None else shown(text_of(kept.kept))
            lines.append(f"    {escape(key):<9}  {now}  (kept for {shown(text_of(kept.sent))})")
        if known.came_from is not None:
            lines.append(f"    renamed from {shown(known.came_from)}")
        if known.missing is not None:
            lines.append(f"    not listed since {shown(known.missing)}")
    for store_id, sent in sorted(ledger.creates.items()):
        answer = f"answered as {escape(sent.id)}" if sent.id else "whose answer was never seen"
        lines.append(f"{style.bold(shown(store_id))}  a create {answer}, not listed yet")
        lines += _entry_lines(sent.entries, style)
    if lines:
        lines.append("")
    count = plural(len(ledger.products), "product")
    doubts = sum(1 for known in ledger.products.values() if _in_doubt(known.entries))
    more = f", {doubts} of them in doubt" if doubts else ""
    lines.append(style.bold(f"The ledger holds {count}{more}."))
    return "\n".join(lines) + "\n"


def _in_doubt(entries: Sequence[Entry | None]) -> bool:
    return any(entry is not None and entry.state == "doubt" for entry in entries)


def _entry_lines(entries: Sequence[Entry | None], style: Style) -> Iterator[str]:
    for position, entry in zip(WRITE_ONLY, entries, strict=True):
        if entry is not None:
            state = str(entry.state)
            painted = style.yellow(state) if state == "doubt" else style.dim(state)
            yield f"    {KEYS[position]:<9}  {shown(text_of(entry.value))}  ({painted})"


def ledger_json(ledger: Ledger, *, store: str, place: str) -> str:
    """The ledger as one JSON document; `place` says what keeps it."""
    products = sorted(ledger.products.items(), key=lambda item: (item[1].store_id, item[0]))
    return json_text(
        {
            "store": store,
            "place": place,
            "products": [
                {
                    "store_id": known.store_id,
                    "id": id,
                    "fields": _fields(known.entries),
                    "kept": {key: kept._asdict() for key, kept in known.kept.items()},
                    "came_from": known.came_from,
                    "missing": known.missing,
                }
                for id, known in products
            ],
            "creates": [
                {
                    "store_id": store_id,
                    "id": sent.id,
                    "at": sent.at,
                    "fields": _fields(sent.entries),
                }
                for store_id, sent in sorted(ledger.creates.items())
            ],
            "applied": [applied._asdict() for applied in ledger.applied],
        }
    )


def _fields(entries: Sequence[Entry | None]) -> Mapping[str, Any]:
    return {
        KEYS[position]: entry._asdict()
        for position, entry in zip(WRITE_ONLY, entries, strict=True)
        if entry is not None
    }
