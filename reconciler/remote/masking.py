"""Keep the key out of the data: an answer may hold it among the products, as its own links do.

Every page is looked at, so a page without the key must cost no more than a look. No encoder touches
ASCII letters and digits, so a spelled key shows its runs of them as they are; or else it shows
escapes of letters and digits, which nothing but a hidden key has. Only if either is found are
the page's texts decoded, masked and encoded again, each on its own: all else, numbers and white
space too, stays byte for byte.
"""

import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final
from urllib.parse import quote, quote_plus

from reconciler.remote.spelling import key_bytes, spelled

MASK: Final = "[key]"

_TELLING: Final = 12
"""A key this long is nobody's product name: it is masked wherever it stands. A shorter one is
masked as a parameter only."""
_NAME: Final = "api_key="

# Patterns are left to re's own cache, which compiles them when a page first needs them.
_CODE: Final = rb"(?:3[0-9]|[46][1-9a-f]|[57][0-9a])"
_DECIMAL: Final = rb"(?:4[89]|5[0-7]|6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2])"
_ESCAPES: Final = (
    (b"%", rb"%(?:25)*" + _CODE),
    # Of what is no letter or digit, JSON may have hidden what another encoding begins or ends with.
    (b"\\", rb"\\(?:u00|x)(?:" + _CODE + rb"|2[35]|3b|5c)"),
    (b"#", rb"#(?:0*" + _DECIMAL + rb"|x0*" + _CODE + rb");"),
)
"""Escapes of ASCII letters and digits, in small letters, by the character that each needs."""

_TOKEN: Final = rb'"(?:[^"\\]++|\\(?s:.))*+"?|-?[0-9][0-9.eE+-]*+'
"""A text or a number of JSON. Whatever the bytes are, none is looked at twice."""


class KeyInData:
    """One key, not blank, as it may stand in the JSON of an answer."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._telling = len(key) >= _TELLING
        sought = key if self._telling else _NAME + key
        self._shortest = len(sought)
        plain = "".join(char if char.isascii() and char.isalnum() else " " for char in sought)
        # The longest first: it is the least likely to be there.
        runs = sorted({*plain.lower().split()}, key=lambda run: (-len(run), run))
        self._runs = [run.encode() for run in runs]

    def mask(self, body: bytes) -> bytes:
        """The answer without the key; the same bytes if it holds none."""
        if not self._suspects(body):
            return body
        # Nearly every page holds a link to the next one, and most hold the key only there.
        for link, masked in self._links:
            body = body.replace(link, masked)
        return re.sub(_TOKEN, self._masked, body) if self._suspects(body) else body

    def _suspects(self, data: bytes) -> bool:
        """Whether the key may be in there."""
        data = data.lower()
        return all(run in data for run in self._runs) or any(
            mark in data and re.search(escape, data) for mark, escape in _ESCAPES
        )

    def _masked(self, match: re.Match[bytes]) -> bytes:
        """One token without the key; what cannot be decoded is no JSON, so it is nobody's data."""
        token = match[0]
        if len(token) < self._shortest or not self._suspects(token):
            return token
        try:
            text = token.decode("utf-8", "surrogatepass")
            if text.startswith('"'):
                text = json.loads(text)
        except ValueError:
            return token
        masked = self._pattern.sub(rf"\g<name>{MASK}", text)
        return token if masked == text else json.dumps(masked).encode()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        name, key = spelled(_NAME), spelled(self._key)
        # As a parameter it is the whole value: another value may begin as a short key does.
        pattern = f"(?P<name>){key}" if self._telling else rf"(?P<name>{name}){key}(?!\w)"
        return re.compile(pattern, re.IGNORECASE)

    @cached_property
    def _links(self) -> list[tuple[bytes, bytes]]:
        """The key as links hold it that were made of the call's own URL, and what replaces it."""
        data = key_bytes(self._key)
        forms = sorted({quote(data, safe=""), quote(data), quote_plus(data)})
        return [
            (f"{_NAME}{form}{end}".encode(), f"{_NAME}{MASK}{end}".encode())
            for form in forms
            for end in ("&", '"', "\\")
        ]


def mask(keys: Iterable[KeyInData], body: bytes) -> bytes:
    """The answer without any of the keys, in UTF-8 if one was masked; else the same bytes."""
    plain = masked = _in_utf8(body)
    for key in keys:
        masked = key.mask(masked)
    return body if masked == plain else masked


def _in_utf8(body: bytes) -> bytes:
    """The answer in the encoding in which a key can be seen; JSON may be in wider ones."""
    if b"\0" not in body:
        return body
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")
    except UnicodeDecodeError:
        return body
    return text.encode("utf-8", "surrogatepass")
