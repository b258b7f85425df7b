"""Keep the key out of every text.

The key is in the query string, so it is in every URL, every redirect, every library exception and
every `next` link (product-sync-api.txt, "List products").
"""

import html
import json
import logging
import re
from collections.abc import Iterable
from itertools import groupby
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "[key]"

_PARAMETER: Final = re.compile(r"(api_key(?:=|%3[dD]|\\u003[dD]))[^&\s\"'<>\\#]+")
_SHORTEST: Final = 4
"""A shorter key is masked only as a parameter: as bare text it would mask half of every message."""
_EXCERPT: Final = 160
_WINDOW: Final = 1 << 16
_TELLING: Final = 12
"""A key this long is nobody's product name: it is masked in data as well as in messages."""
_WIDEST: Final = 128
"""More characters than any spelling of one character takes."""
_OTHER_LETTER: Final = (
    r"(?:(?-i:[^\x00-\x7f])|%(?:25){0,4}[0-9a-f]{2}|\\{1,8}(?:x[0-9a-f]{2}|U[0-9a-f]{8}|u[0-9a-f]{4})"
    r"|&#x?[0-9a-f]{1,8};|\?)"
)
"""What may stand for a letter, or for one of its bytes, beyond ASCII."""


class Redactor:
    """Masks keys in text, raw or in any encoding that a URL, JSON or HTML gives them."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        known = {form for key in keys for form in (key, key.strip()) if len(form) >= _SHORTEST}
        longest_first = sorted(known, key=lambda key: (-len(key), key))
        pattern = "|".join(map(_pattern, longest_first))
        self._keys = re.compile(pattern, re.IGNORECASE) if pattern else None
        self._widest = _WIDEST * len(longest_first[0]) if longest_first else 0
        self._in_data = tuple(dict.fromkeys(form for key in longest_first for form in _sent(key)))

    def redact(self, text: str) -> str:
        """`text` without any key that this redactor knows, nor any `api_key` parameter's value."""
        if self._keys is not None:
            text = self._keys.sub(MASK, text)
        return _PARAMETER.sub(rf"\g<1>{MASK}", text)

    def mask(self, body: bytes) -> bytes:
        """An answer without the key, where the server put it among the data, as in a link.

        Only in the spellings in which the key was sent or JSON has it, and only a key that is too
        long to be there by chance: what else stands in the answer is never touched.
        """
        for form in self._in_data:
            if form in body:
                body = body.replace(form, MASK.encode())
        return body

    def excerpt(self, body: bytes) -> str:
        """The beginning of an answer as one short line without any key, for a message.

        Masked before it is cut: a cut through a key would leave a part that no pattern knows.
        """
        if b"\0" in body[:_WINDOW]:
            # In an encoding of 16 bits a key would not look like one.
            return "(not text)"
        text = self.redact(body[:_WINDOW].decode("utf-8", "replace"))
        if len(body) > _WINDOW:
            text = text[: max(0, len(text) - self._widest)]
        text = " ".join(text.split())
        return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


class RedactingFilter(logging.Filter):
    """Lets every record pass, without the key: urllib3 logs URLs, at WARNING level too."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's text and traceback where they hold a key."""
        message = record.getMessage()
        redacted = self._redactor.redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text, record.exc_info = self._redactor.redact(trace), None
        return True


def key_bytes(key: str) -> bytes:
    """The key's bytes; a key from the environment may hold some that are no UTF-8."""
    try:
        return key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogatepass")


def _sent(key: str) -> list[bytes]:
    """The spellings of a telling key in an answer's data, the longest first."""
    if len(key) < _TELLING:
        return []
    data = key_bytes(key)
    forms = {data, quote(data, safe="").encode(), quote(data).encode(), quote_plus(data).encode()}
    forms |= {
        json.dumps(key)[1:-1].encode(),
        json.dumps(key, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass"),
    }
    return sorted(forms, key=lambda form: (-len(form), form))


def _pattern(key: str) -> str:
    """A pattern for the key however it is spelled.

    Beyond ASCII an encoding may be misread, replaced or lost in many ways, so whatever may stand
    for other letters is taken for them.
    """
    parts = []
    for is_ascii, run in groupby(key, str.isascii):
        text = "".join(run)
        parts.append(
            "".join(map(_spellings, text))
            if is_ascii
            else f"{_OTHER_LETTER}{{{len(text)},{8 * len(text)}}}"
        )
    return "".join(parts)


def _spellings(char: str) -> str:
    """A pattern for every way in which one character of a key may be spelled.

    Each on its own, since encoders differ in what they leave as it is: `!` and `'` stay raw in a
    browser's URL and not in Python's. Every repetition is bounded, so no text takes long.
    """
    code = ord(char)
    ways = [
        re.escape(char) if char.isalnum() else rf"\\{{0,8}}{re.escape(char)}",
        rf"(?:%(?:25){{0,4}}|\\{{1,8}}(?:x|u00)){code:02x}",
        rf"&#(?:0{{0,6}}{code}|x0{{0,6}}{code:x});",
    ]
    if html.escape(char) != char:
        ways.append(html.escape(char))
    if char == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"
