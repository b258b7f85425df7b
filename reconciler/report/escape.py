"""Text from elsewhere, made harmless for a terminal and for the log of a pipeline.

Product names come from a remote that anyone in the shop may edit, and may hold a command to the
machine that runs the pipeline. Everything remote or declared passes through here before it is
printed.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

# Control characters can repaint a terminal, format characters (bidi overrides) can reorder what is
# read, lone surrogates cannot be encoded, and separators end lines.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Letters and marks to Unicode, yet nothing to the eye: joiners, fillers, the blank Braille cell.
_BLANK: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")


def escape(text: str) -> str:
    r"""`text` on one line, with control, bidi and zero-width characters shown as `\x1b`, `\u202e`.

    `##[` and `##vso[` are broken up too: pipelines obey them anywhere within a line.
    """
    # Two fast looks settle nearly every text, and each character of the others costs a call.
    if not text.isprintable() or _BLANK.search(text):
        text = "".join(map(_visible, text))
    return break_commands(text, "\\x23") if "##" in text else text


def break_commands(text: str, hash_sign: str) -> str:
    """`text` with one `#` of every pipeline command (`##[`, `##vso[`) spelled as `hash_sign`."""
    return text.replace("##[", f"#{hash_sign}[").replace("##vso[", f"#{hash_sign}vso[")


# A catalogue repeats the same few odd characters, and their category is slow to look up.
@lru_cache(maxsize=1024)
def _visible(character: str) -> str:
    """One character, spelled out if the eye would not see it."""
    if unicodedata.category(character) not in _UNSEEN_CATEGORIES and not _BLANK.match(character):
        return character
    if character in _SHORT:
        return _SHORT[character]
    point = ord(character)
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
