"""A fleet as text: a line for each store as it ends, then the sum."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.report.escape import escape
from reconciler.report.fleet_results import FleetAction, StoreResult, by_exit_code, sums, touched
from reconciler.report.style import Style
from reconciler.report.words import columns_text, plural

_NOTES_SHOWN: Final = 3
_WORDS: Final[Mapping[str, str]] = {
    "create": "to create",
    "update": "to update",
    "delete": "to delete",
    "blocked": "blocked",
    "unconfirmed": "unconfirmed",
    "kept": "kept by the server in another form",
    "applied": "applied",
    "failed": "failed",
    "not_attempted": "not attempted",
    "unknown": "unknown",
    "no_image": "without image",
    "no_size_chart": "without size chart",
    "no_fabric": "without fabric",
    "breaks_policy": "against the policy",
}
_NOTHING: Final[Mapping[FleetAction, str]] = {
    "plan": "nothing to change",
    "apply": "nothing to apply",
    "status": "nothing listed",
    "unlock": "no lock to free",
}


def store_lines(
    result: StoreResult, action: FleetAction, *, width: int = 0, color: bool = False
) -> str:
    """A line about one store, then what went wrong, and calls; `width` is of the longest name."""
    style = Style(color)
    name = escape(result.store).ljust(width)
    lines = [f"{name}  {_outcome(result, action, style)}  {style.dim(f'{result.seconds:.1f} s')}"]
    # What nobody began with has no reason of its own to tell.
    if result.attempted and (result.failed or result.refused):
        notes = [escape(note) for note in result.notes[:_NOTES_SHOWN]]
        more = len(result.notes) - len(notes)
        notes += [f"and {plural(more, 'more note')}"] if more > 0 else []
        notes += [f"hint: {escape(result.hint)}"] if result.hint else []
        lines += [f"    {note}" for note in notes]
    lines += [f"    {call}" for call in result.calls]
    return "\n".join(lines) + "\n"


def _outcome(result: StoreResult, action: FleetAction, style: Style) -> str:
    counts = counts_text(result.summary)
    parts = [counts] if counts or result.error else [_NOTHING[action]]
    if result.refused:
        parts.append(style.yellow("apply will refuse it"))
    if result.takeovers:
        parts.append(style.yellow(takeover_text(result.takeovers)))
    if result.converged is False:
        parts.append(style.yellow("not converged"))
    if result.error:
        # A sentence, in the middle of a line.
        parts.append(style.red(escape(result.error.removesuffix("."))))
    if result.failed:
        parts.append(style.red(f"exit {result.exit_code}"))
    return "; ".join(part for part in parts if part)


def counts_text(summary: Mapping[str, int]) -> str:
    """The counts that are not zero: "3 to create, 1 to delete"; unchanged products are not told."""
    return ", ".join(
        plural(count, "product")
        if key == "products"
        else f"{count} {_WORDS.get(key, key.replace('_', ' '))}"
        for key, count in summary.items()
        if count and key != "unchanged"
    )


def tally_text(results: Sequence[StoreResult], action: FleetAction) -> str | None:
    """How many stores have changes; None for an action that makes and shows none."""
    if action not in ("plan", "apply"):
        return None
    return f"{sum(1 for result in results if touched(result))} with changes"


def takeover_text(takeovers: int) -> str:
    """How often a worker died at a store; what it had written is in no count."""
    return f"taken over from {plural(takeovers, 'worker')} that died"


def sum_text(
    results: Sequence[StoreResult], action: FleetAction, seconds: float, *, color: bool = False
) -> str:
    """The whole fleet in one or two lines."""
    style = Style(color)
    parts = filter(None, [plural(len(results), "store"), tally_text(results, action)])
    counts = counts_text(sums(results))
    first = f"{', '.join(parts)}{f' ({counts})' if counts else ''}; {seconds:.1f} s."
    lines = [style.bold(first)]
    codes = by_exit_code(results)
    # That every store ended with 0 needs no words.
    if any(codes.get(code) for code in codes if code != 0):
        told = ", ".join(f"{plural(count, 'store')} with {code}" for code, count in codes.items())
        lines.append(f"Exit codes: {told}.")
    takeovers = sum(1 for result in results if result.takeovers)
    if takeovers:
        lines.append(
            f"{plural(takeovers, 'store')} taken over from workers that died: what those had "
            "written is in the ledgers, and in no count here."
        )
    return "\n".join(lines) + "\n"


def stores_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns."""
    return "\n".join([*columns_text([[escape(cell) for cell in row] for row in rows]), ""])
