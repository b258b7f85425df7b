"""invisible-characters: text with characters that nobody sees."""

import unicodedata
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import TextRule

# Letters and marks that show nothing, besides Unicode's format characters (category Cf).
BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")


def is_invisible(character: str) -> bool:
    """Whether a character that is no white space shows nothing all the same."""
    return unicodedata.category(character) in ("Cf", "Zl", "Zp") or character in BLANK_LETTERS


def _check(text: str) -> str | None:
    invisible = next(filter(is_invisible, text), None)
    if invisible is None:
        return None
    name = unicodedata.name(invisible, "no name")
    return f"holds the invisible character U+{ord(invisible):04X} ({name}). Delete it."


RULE: Final = TextRule(
    code=Code.INVISIBLE_CHARACTER,
    alias="invisible-characters",
    sentence="A text holds a character that shows nothing (a zero-width space, a soft hyphen, a "
    "mark of direction), mostly carried along when it was copied from a web page.",
    example='name: "Linen\\u200b shirt"    # a zero-width space',
    remedy="Delete the character; the message names it.",
    check=_check,
)
