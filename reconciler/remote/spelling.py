"""How a key may be spelled: in a URL, in JSON, in HTML, in a traceback, and in one within another.

Encoders differ in what they leave as it is (`!` and `'` stay raw in a browser's URL and not in
Python's), so each character counts on its own. Every repetition is bounded: no text takes long.
"""

import re
from itertools import groupby
from typing import Final

_OTHER_LETTER: Final = (
    r"(?:(?-i:[^\x00-\x7f])|%(?:25){0,4}[0-9a-f]{2}|\\{1,8}(?:x[0-9a-f]{2}|U[0-9a-f]{8}|u[0-9a-f]{4})"
    r"|&(?:amp;){0,4}(?:#x?[0-9a-f]{1,8}|[a-z]{2,8});|\?)"
)
"""What may stand for a letter, or for one of its bytes, beyond ASCII."""


def spelled(text: str) -> str:
    """A pattern, to be matched without case, for `text` however it is spelled.

    Beyond ASCII an encoding may be misread, replaced or lost in many ways, so whatever may stand
    for other letters is taken for them.
    """
    parts = []
    for is_ascii, run in groupby(text, str.isascii):
        chars = "".join(run)
        parts.append(
            "".join(map(_spelled_char, chars))
            if is_ascii
            else f"{_OTHER_LETTER}{{{len(chars)},{8 * len(chars)}}}"
        )
    return "".join(parts)


def key_bytes(key: str) -> bytes:
    """The key's bytes; a key from the environment may hold some that are no UTF-8."""
    try:
        return key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogatepass")


def _spelled_char(char: str) -> str:
    # A form's space is a plus, and spelled like one wherever the form is encoded once more.
    return f"(?:{'|'.join(_ways(char) + (_ways('+') if char == ' ' else []))})"


def _ways(char: str) -> list[str]:
    """Patterns for every way in which one character of ASCII may be spelled."""
    code, raw = ord(char), re.escape(char)
    escapes = [
        rf"(?:%(?:25){{0,4}}|\\{{1,8}}(?:x|u00)){code:02x}",
        rf"&(?:amp;){{0,4}}#(?:0{{0,6}}{code}|x0{{0,6}}{code:x});",
    ]
    if char.isalnum():
        return [raw, *escapes]
    # The character itself last: it may be the one that an escape begins with.
    return [*escapes, r"&(?:amp;){0,4}[a-z]{2,8};", rf"\\{{0,8}}{raw}"]
