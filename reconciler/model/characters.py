"""What characters are to whoever reads a text: controls, or nothing that could be seen."""

import unicodedata
from typing import Final

# Letters and marks that show nothing, besides Unicode's format characters (category Cf).
BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_LINE_BREAKS_AND_TAB: Final = "\t\n\r"


def is_invisible(character: str) -> bool:
    """Whether a character that is not white space shows nothing all the same."""
    return unicodedata.category(character) in ("Cf", "Zl", "Zp") or character in BLANK_LETTERS


def is_control(character: str) -> bool:
    """Whether no text may hold a character: control characters, and halves of a surrogate pair."""
    return unicodedata.category(character) in ("Cc", "Cs") and character not in _LINE_BREAKS_AND_TAB


def is_ordinary(text: str) -> bool:
    """Whether `text` needs no closer look: printable ASCII, not empty, no space at its ends."""
    return text.isascii() and text.isprintable() and text != "" and text[0] != " " != text[-1]


def shows_nothing(text: str) -> bool:
    """Whether a text is empty, or all white space and invisible characters."""
    return all(character.isspace() or is_invisible(character) for character in text)


def can_be_declared(text: str | None) -> bool:
    """Whether a catalogue can hold a text, apart from white space at its ends."""
    # Nearly every text ends here, and looking at each of its characters takes much longer.
    if text is None or is_ordinary(text):
        return text is not None
    return not shows_nothing(text) and not any(map(is_control, text.strip()))
