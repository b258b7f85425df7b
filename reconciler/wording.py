"""Parts of messages that many of them share."""

from collections.abc import Iterable, Sequence


def nearest_word(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word most similar to `word`, or None."""
    from difflib import get_close_matches  # only a mistake pays for it

    close = get_close_matches(word, list(known), 1, cutoff)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Ask whether a similar known word was meant, with a blank behind it; empty without one."""
    near = nearest_word(word, known, cutoff)
    return f"Did you mean {near!r}? " if near else ""


def few(texts: Sequence[str], most: int = 3) -> str:
    """The first `most` texts, and how many more there are."""
    listed = ", ".join(texts[:most])
    more = len(texts) - most
    return f"{listed} and {more} more" if more > 0 else listed


def wrapped(text: str, width: int | None, *, hang: str = "") -> list[str]:
    """`text` in lines of at most `width` columns, broken between words; None breaks nowhere.

    A word that is longer stays whole, so that a path or a URL can be copied. `hang` begins all
    lines but the first.
    """
    if width is None or len(text) <= width:
        return [text]
    from textwrap import wrap  # only a narrow terminal pays for it

    return wrap(
        text, max(width, 20), subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
