"""What the lookup of product pages says, in words and as JSON."""

from typing import Any, Final

from reconciler.planning.live import Live
from reconciler.report.escape import escape
from reconciler.report.words import plural
from reconciler.wording import few

_SHOWN: Final = 10
_NONE_FOUND: Final = """\
  Usually this means that store_id is not what pages pass (a SKU or a handle for the platform's
  product id), that the domain is not the one that Robosize knows, or that nothing is applied yet.
  Compare a store_id with the one in the script of a product page.
"""
_SOME_FOUND: Final = """\
  Usually these are not applied yet, not active at Robosize, or so new that pages do not find them.
  If they are of one kind, their store_ids may be of another kind than pages pass.
"""


def live_text(live: Live) -> str:
    """How many store_ids are found, which are not, and what that usually means."""
    unclear = f", {len(live.unclear)} unclear" if live.unclear else ""
    text = (
        f"Product pages of {escape(live.domain)}: asked for {live.asked} of "
        f"{plural(live.declared, 'declared store_id')}, {len(live.found)} found, "
        f"{len(live.not_found)} not found{unclear}.\n"
    )
    if live.not_found:
        text += f"  not found: {few(list(map(escape, live.not_found)), _SHOWN)}\n"
    if live.unclear:
        reasons = [f"{escape(store_id)} ({escape(why)})" for store_id, why in live.unclear]
        text += f"  unclear: {few(reasons, _SHOWN)}\n"
    if live.stopped:
        text += "  The server asked for fewer calls, so the others were not asked for.\n"
    if live.not_found:
        # That not one is found has another usual cause than that some are not.
        text += _SOME_FOUND if live.found else _NONE_FOUND
    return text


def live_document(live: Live) -> dict[str, Any]:
    """The same, for JSON."""
    return {
        "domain": live.domain,
        "declared": live.declared,
        "asked": live.asked,
        "found": len(live.found),
        "not_found": list(live.not_found),
        "unclear": [{"store_id": store_id, "problem": why} for store_id, why in live.unclear],
        "stopped": live.stopped,
    }
