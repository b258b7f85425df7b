"""not-nfc: text that looks like other text and is not equal to it."""

import unicodedata
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import TextRule


def _check(text: str) -> str | None:
    if unicodedata.is_normalized("NFC", text):
        return None
    return (
        "is not in Unicode's composed form (NFC), so it differs from text that looks the same. "
        "Type it again."
    )


RULE: Final = TextRule(
    code=Code.NOT_NFC,
    sentence="A text is not in Unicode's composed form (NFC): an accent is a character of "
    "its own, so the text differs from one that looks the same, and finds no match in a search.",
    example='name: "Cafe\\u0301 shirt"    # e and an accent, instead of one é',
    remedy="Type the text again, or let an editor normalise the file to NFC.",
    check=_check,
)
