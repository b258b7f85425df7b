"""Parts of messages that many of them share."""

from collections.abc import Iterable, Sequence


def nearest_word(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word most similar to `word`, or None."""
    from difflib import get_close_matches  # only a mistake pays for it

    close = get_close_matches(word, list(known), 1, cutoff)
    return close[0] if close else None


def few(texts: Sequence[str], most: int = 3) -> str:
    """The first `most` texts, and how many more there are."""
    listed = ", ".join(texts[:most])
    more = len(texts) - most
    return f"{listed} and {more} more" if more > 0 else listed
