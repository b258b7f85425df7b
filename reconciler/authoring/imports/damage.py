"""Recognises what spreadsheets do to text. Nothing is repaired by a guess.

The file no longer holds a zero that was dropped or a digit that was rounded away.
"""

import re
from typing import Final

_ERROR: Final = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!)", re.I)
_ROUNDED: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?E\+?\d+", re.I)
_DECIMAL: Final = re.compile(r"\d+[.,]0+")
_DATE: Final = re.compile(
    r"\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:-\d{2,4})?", re.I
)
_MOJIBAKE: Final = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u2122]")
_TEXT_AS_IS: Final = "Import the shop's own file, which no spreadsheet has saved"


def damage_of(text: str) -> str | None:
    """What a spreadsheet did to a cell, with the remedy; None if nothing shows."""
    if text[0] == "#" and _ERROR.fullmatch(text):
        return f"is {text}, a spreadsheet's error. {_TEXT_AS_IS}."
    # Most cells end here: all that follows leaves characters beyond ASCII.
    if text.isascii():
        return None
    if any("\udc80" <= character <= "\udcff" for character in text):
        return (
            "is not UTF-8, probably Windows-1252: a spreadsheet saved the file. "
            "Save it as `CSV UTF-8`, or import the shop's own file."
        )
    if "\ufffd" in text:
        return f"holds U+FFFD in place of a letter that was lost. {_TEXT_AS_IS}."
    if _MOJIBAKE.search(text) and (meant := _meant(text)):
        return f"was UTF-8 and was read as Windows-1252; it was {meant!r}. {_TEXT_AS_IS}."
    return None


def _meant(text: str) -> str | None:
    """The text before UTF-8 was read as Windows-1252, or None if that did not happen."""
    # Five bytes stand for no character in Windows-1252; programs keep them as control characters.
    raw = b"".join(
        chr(code).encode("cp1252", "ignore") or (bytes([code]) if code < 256 else b"\xff")
        for code in map(ord, text)
    )
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def id_damage_of(text: str) -> str | None:
    """What a spreadsheet did to an id, with the remedy; None if nothing shows."""
    if text.isdecimal() and text.isascii():
        return None
    # `12E5` may be an id of letters and digits; a spreadsheet adds a sign or a decimal point.
    if _ROUNDED.fullmatch(text) and not text.isalnum():
        return f"is {text}: the number was rounded, its last digits are lost. {_TEXT_AS_IS}."
    if _DECIMAL.fullmatch(text):
        return f"is {text}: a whole number became a decimal one. {_TEXT_AS_IS}."
    if _DATE.fullmatch(text):
        return f"is {text}: a spreadsheet took it for a date. {_TEXT_AS_IS}."
    if text[0] in "='" or "\ufeff" in text:
        what = "a formula" if text[0] == "=" else "an apostrophe or a byte-order mark"
        return f"is {text!r}: a spreadsheet put {what} into it. {_TEXT_AS_IS}."
    return None
