"""How a value is written in YAML: plain if every tool reads it as the same text, else quoted.

The tool itself reads every scalar as text. Other tools (editors, linters, a colleague's script)
take `0123` for a number, `No` for a boolean and `12:30` for 750: what they could misread is quoted.
"""

import re
import unicodedata
from typing import Final

_MISREAD: Final = re.compile(
    r"""
    y|n|yes|no|on|off|true|false|null|~|=|<<                    # booleans, nulls, merges
    |[-+]?0[0-9_]+|[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-f_]+  # whole numbers, but not decimal
    |[-+][0-9_]+|[0-9]+_[0-9_]*|[0-9]{16,}                      # decimal, but not as written
    |[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)e[-+]?[0-9]+       # floats with an exponent
    |[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+)                   # and without
    |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?           # base 60
    |[-+]?\.(?:inf|nan)
    |[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[t\s].*)?               # dates and times
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Most texts are such, of six signs or more: what is misread and begins with a letter is shorter.
_ORDINARY: Final = re.compile(r"[a-z][a-z0-9 _/-]{4,}[a-z0-9]", re.IGNORECASE | re.ASCII)
_INDICATORS: Final = frozenset("-?:,[]{}#&*!|>'\"%@`=<~")
_BREAKS_FLOW: Final = re.compile(r"[,\[\]{}:?]")
# Signs that end a plain scalar, begin a comment, or end the document.
_BREAKS_PLAIN: Final = re.compile(r":(?:\s|$)|\s#|^\.\.\.")
# Joiners make one sign of several (families, flags, Persian); they are seen by what they join.
_JOINERS: Final = "\u200c\u200d"
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def is_safe_plain(text: str, *, flow: bool) -> bool:
    """Whether `text` without quotes is read as this text by every YAML tool."""
    return bool(_ORDINARY.fullmatch(text)) or (
        text != ""
        and text[0] not in _INDICATORS
        and text.strip() == text
        and not _MISREAD.fullmatch(text)
        and not _BREAKS_PLAIN.search(text)
        and not (flow and _BREAKS_FLOW.search(text))
        and (text.isprintable() or all(map(_is_shown, text)))
    )


def scalar_text(text: str, *, flow: bool) -> str:
    """`text` as a YAML scalar on one line: plain if that is safe, else in quotes."""
    if is_safe_plain(text, flow=flow):
        return text
    # Single quotes know no escapes, so such text stays readable in them.
    if ('"' in text or "\\" in text) and all(map(_is_shown, text)):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _is_shown(character: str) -> bool:
    """Whether a character can be seen for what it is, on one line."""
    return (
        character.isprintable() or unicodedata.category(character) == "Zs" or character in _JOINERS
    )


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _is_shown(character):
        return character
    point = ord(character)
    if point <= 0xFF:
        return f"\\x{point:02X}"
    return f"\\u{point:04X}" if point <= 0xFFFF else f"\\U{point:08X}"
