"""Warnings of a plan: what looks like a mistake, and what the reader should know before saying yes.

Each rule is linear in the size of the plan.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from reconciler.codes import Code
from reconciler.model import Catalog, Finding, Kept, Location, RemoteProduct, Value
from reconciler.planning.ignore import Ignore
from reconciler.planning.plan import Change, Create, Delete
from reconciler.wording import few

HAND_ENTERED: Final = ("size_chart", "fabric", "comment")
"""What people enter at Robosize by hand, and no write of this API can bring back."""


OF_REMOTE: Final = frozenset({Code.UNMATCHED_PROTECTED})
"""Warnings that hold only if the remote was asked: a protected product is declared nowhere."""


def products(count: int) -> str:
    """A number of products, in words that agree with it."""
    return "1 product" if count == 1 else f"{count} products"


def warning(code: str, message: str, source: Location | None = None) -> Finding:
    """A finding that does not stop a plan."""
    return Finding("warning", code, message, source)


def about_changes(
    changes: Sequence[Change], staying: Sequence[RemoteProduct] = ()
) -> list[Finding]:
    """What the changes suggest; `staying` are undeclared products that are not deleted."""
    creates = [change for change in changes if isinstance(change, Create)]
    deletes = [change for change in changes if isinstance(change, Delete)]
    return [
        *_look_like_renames(creates, deletes, staying),
        *_destroys(deletes),
    ]


def _look_like_renames(
    creates: Sequence[Create], deletes: Sequence[Delete], staying: Sequence[RemoteProduct]
) -> Iterable[Finding]:
    """An undeclared product and a create of its name are mostly one product, renumbered."""
    if not creates:
        return
    undeclared: dict[str, list[tuple[str, str]]] = {}
    for fate, found in (("to be deleted", deletes), ("declared nowhere", staying)):
        for old in found:
            known = undeclared.setdefault((old.name or "").casefold().strip(), [])
            known.append((str(old.store_id), fate))
    for create in creates:
        candidates = undeclared.get(create.name.casefold().strip(), [])
        # With two of one name a hint would be a guess, and the wrong rename moves hand-entered
        # data.
        if len(candidates) == 1:
            store_id, fate = candidates[0]
            yield warning(
                Code.LOOKS_LIKE_RENAME,
                f"{store_id} ({fate}) and {create.store_id} (to be created) have the same name. "
                f"If {create.store_id} is the same product, add `renamed_from: "
                f"{_quoted(store_id)}`: its size chart, fabric and fit data then survive.",
                create.source,
            )


def _quoted(store_id: str) -> str:
    """A store_id as a YAML value that every reader takes for text."""
    # YAML would read 0012 or 1e3 as a number; JSON's quotes make it text for every reader.
    return json.dumps(store_id, ensure_ascii=False)


def _destroys(deletes: Sequence[Delete]) -> Iterable[Finding]:
    losing = [d.store_id for d in deletes if any(d.record.get(key) for key in HAND_ENTERED)]
    if losing:
        yield warning(
            Code.DELETES_HAND_ENTERED_DATA,
            f"Data entered by hand at Robosize goes with {products(len(losing))} to be deleted "
            f"({few(losing)}). The journal keeps a copy, but no call can put it back.",
        )


def differing_in_case(
    creates: Iterable[Create], remote_ids: Iterable[str], taken: Callable[[str], bool]
) -> Iterable[Finding]:
    """Creates whose store_id differs from one at the remote only in case or white space."""
    folded: dict[str, str] = {}
    for store_id in remote_ids:
        if not taken(store_id):
            key = _folded(store_id)
            # The smallest, so that the message does not depend on the order of the list (P8).
            folded[key] = min(folded.get(key, store_id), store_id)
    for create in creates:
        near = folded.get(_folded(create.store_id))
        if near is not None:
            yield warning(
                Code.DIFFERS_IN_CASE,
                f"{create.store_id} will be created, but {near!r} is there already, which "
                "differs only in case or space. If they are one product, declare it as it is "
                f"there, or add `renamed_from: {_quoted(near)}`.",
                create.source,
            )


def _folded(store_id: str) -> str:
    return "".join(store_id.casefold().split())


def unconfirmed(by_field: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    """Declared values that neither the remote nor the ledger can vouch for."""
    for key, store_ids in by_field.items():
        yield warning(
            Code.UNCONFIRMED,
            f"Nobody knows whether the declared {key} of {products(len(store_ids))} is at the "
            f"remote ({few(store_ids)}): the API never returns it and the ledger has no record. "
            f"The next apply takes it as given; `--resend {key}` sends it.",
        )


def server_keeps(by_field: Mapping[str, Sequence[tuple[str, Kept]]]) -> Iterable[Finding]:
    """Values that the server was sent, accepted, and keeps in another form."""
    for key, cases in by_field.items():
        store_id, kept = cases[0]
        yield warning(
            Code.SERVER_KEEPS,
            f"The server keeps {quoted(kept.kept)} for {quoted(kept.sent)} as {key} of {store_id}"
            + (f", and likewise for {len(cases) - 1} more" if len(cases) > 1 else "")
            + ". Nothing is sent for it for a day, or until either side changes. Declare what the "
            f"server keeps to end this; `--resend {key}` sends it at once.",
        )


def quoted(value: Value | None) -> str:
    """A value as a message shows it."""
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return "nothing" if value is None else repr(value)


def protected(store_ids: Sequence[str], unmatched: Iterable[str]) -> Iterable[Finding]:
    """Products that stay because they are protected, and patterns that protect nothing."""
    if store_ids:
        yield warning(
            Code.PROTECTED,
            f"{products(len(store_ids))} declared nowhere but protected from deletion: "
            f"{few(store_ids)}.",
        )
    for pattern in unmatched:
        yield warning(
            Code.UNMATCHED_PROTECTED, f"The protected pattern {pattern!r} matches no product."
        )


def ignored(catalog: Catalog, ignore: Ignore) -> Iterable[Finding]:
    """Declared products, and declared tags, that the settings leave alone at the remote."""
    products_left = [s for s in catalog.products if ignore.products and ignore.leaves(s)]
    if products_left:
        yield warning(
            Code.IGNORED,
            f"{products(len(products_left))} declared, but left alone by `ignore` in the settings: "
            f"{few(products_left)}.",
        )
    tagged = [
        store_id
        for store_id, product in (catalog.products.items() if ignore.tags else ())
        if (tags := product.value("tags")) and ignore.own(tags) != tags
    ]
    if tagged:
        yield warning(
            Code.IGNORED,
            f"{products(len(tagged))} with declared tags that `ignore` in the settings leaves "
            f"alone, so they are not sent: {few(tagged)}.",
        )


def rings(store_ids: Sequence[str]) -> Iterable[Finding]:
    """Renames that exchange store_ids: without a ledger `renamed_from` would swap them back."""
    if store_ids:
        yield warning(
            Code.RENAME_RING,
            f"{few(store_ids)} exchange their store_ids. Remove their `renamed_from` once this is "
            "applied: only the ledger keeps it from being done twice.",
        )
