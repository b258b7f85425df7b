"""Keep the key out of every text and every record.

The key is in the query string, so it is in every URL, every redirect, every library exception and
every `next` link (product-sync-api.txt, "List products"). As it is sent, raw or percent-encoded, it
is replaced by MASK; a line that holds it in another form is replaced whole.
"""

import html
import json
import logging
import re
from collections.abc import Iterable
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus, unquote_plus

MASK: Final = "[key]"
_WHOLE_LINE: Final = f"{MASK[:-1]} and the line around it]"
_NAME: Final = "api_key"
_PARAMETER: Final = rf"({_NAME}(?:=|%(?:25)*3[dD]|\\+u003d|&#(?:61|[xX]3[dD]);))[^&\s\"'<>\\#]+"
_SHORTEST: Final = 4
"""A shorter key is masked only as a parameter: as bare text it would mask half of every message."""
_TELLING: Final = 12
"""A key this long is nobody's product name, so it is masked in data wherever it stands."""
_EXCERPT: Final = 160
_WINDOW: Final = 1 << 16

_DEPTH: Final = 8
"""How often one encoding within another is undone."""
_BACKSLASH: Final = r"\\+(?:(?:x|u00)([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))?"
_TEXT_OR_NUMBER: Final = r'"(?:[^"\\]++|\\.)*+"|-?[0-9][0-9.eE+-]*+'
"""A text or a number of JSON."""
_HIDDEN: Final = rb"%(?:25)*[3-7][0-9a-f]|\\+u00[3-7]|&(?:amp;)*#"
"""In small letters, escapes that may stand for a letter or a digit."""


class _Sought(NamedTuple):
    """A key as it is sent, and as it is in a text whose escapes have been undone."""

    sent: re.Pattern[str]
    plain: re.Pattern[str]

    @classmethod
    def of(cls, keys: Iterable[str], before: str = "", after: str = "") -> "_Sought | None":
        """What finds any of the keys between these two patterns; None without keys."""
        sent, plain = set[str](), set[str]()
        for key in keys:
            data = key_bytes(key)
            sent |= {key, quote(data, safe=""), quote(data), quote_plus(data)}
            plain.add(_lenient(_plain(key)))
        if not sent:
            return None
        # The longest first: one key may begin as another does.
        forms = "|".join(map(re.escape, sorted(sent, key=len, reverse=True)))
        return cls(
            re.compile(f"({before})(?:{forms}){after}", re.IGNORECASE),
            re.compile(f"{before}(?:{'|'.join(plain)}){after}", re.IGNORECASE),
        )

    def masked(self, text: str) -> str:
        """`text` without the keys."""
        text = self.sent.sub(rf"\1{MASK}", text)
        lines = text.split("\n")
        return "\n".join(_WHOLE_LINE if self.plain.search(_plain(line)) else line for line in lines)


class Redactor:
    """Masks keys in messages and in the data that a server sends."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys = sorted({key.strip() for key in keys} - {""})
        # No encoder touches ASCII letters and digits, so they show in all but an escape of one.
        names = [key if len(key) >= _TELLING else f"{_NAME}={key}" for key in self._keys]
        # Finding plain runs of bytes is far cheaper than a pattern on every page of a large list.
        self._runs = [re.findall(rb"[a-z0-9]+", key_bytes(name).lower()) for name in names]

    # Compiled when a text needs them: most runs have nothing to hide.

    @cached_property
    def _in_messages(self) -> _Sought | None:
        return _Sought.of(key for key in self._keys if len(key) >= _SHORTEST)

    @cached_property
    def _in_data(self) -> list[_Sought]:
        long = _Sought.of(key for key in self._keys if len(key) >= _TELLING)
        # As a parameter it is the whole value: another value may begin as a short key does.
        short = (key for key in self._keys if len(key) < _TELLING)
        found = (long, _Sought.of(short, before=f"{_NAME}=", after=r"(?!\w)"))
        return [sought for sought in found if sought]

    def redact(self, text: str) -> str:
        """`text` without any key that this redactor knows, nor any `api_key` parameter's value."""
        if self._in_messages:
            text = self._in_messages.masked(text)
        return re.sub(_PARAMETER, rf"\1{MASK}", text) if _NAME in text else text

    def suspects(self, data: bytes) -> bool:
        """Whether data may hold a key. Every page is looked at, so this must cost little."""
        data = data.lower()
        if any(all(run in data for run in runs) for runs in self._runs):
            return True
        escapes = b"%" in data or b"&" in data or b"\\u00" in data
        return bool(self._runs and escapes and re.search(_HIDDEN, data))

    def mask(self, document: str) -> str:
        """JSON whose texts and numbers do not hold a key.

        A key of twelve characters or more is masked wherever it stands, a shorter one as an
        `api_key` parameter: as bare text it may be there by chance.
        """
        return re.sub(_TEXT_OR_NUMBER, lambda match: self._masked(match[0]), document)

    def _masked(self, token: str) -> str:
        text = plain = json.loads(token) if token.startswith('"') else token
        for sought in self._in_data:
            text = sought.masked(text)
        return token if text == plain else json.dumps(text)

    def excerpt(self, body: bytes) -> str:
        """The beginning of an answer as one short line without any key, for a message."""
        if b"\0" in body[:_WINDOW]:
            # In an encoding of 16 bits a key would not look like one.
            return "(not text)"
        text = self.redact(body[:_WINDOW].decode("utf-8", "replace"))
        if len(body) > _WINDOW:
            # The window may end in the middle of a key, which no pattern knows.
            text = text[: len(text) // 2]
        text = " ".join(text.split())
        return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


class RedactingFilter(logging.Filter):
    """Lets every record pass, without the key: urllib3 logs URLs, at WARNING level too."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's text and traceback if they hold a key."""
        message = record.getMessage()
        redacted = self._redactor.redact(message)
        if redacted != message:
            # The arguments hold the URL: a handler that formats again would bring the key back.
            record.msg, record.args = redacted, None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            # A handler formats `exc_info` itself, past this filter; the text is redacted instead.
            record.exc_info = None
        if record.exc_text:
            # The filter of another client, which knows other keys, may have been here before.
            record.exc_text = self._redactor.redact(record.exc_text)
        return True


def key_bytes(key: str) -> bytes:
    """The key's bytes; a key from the environment may hold some that are not UTF-8."""
    try:
        return key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return key.encode("utf-8", "surrogatepass")


def _plain(text: str) -> str:
    """`text` with the escapes of URLs, HTML, JSON and Python undone, one within another too."""
    # Proxies and error pages encode what is encoded already; a bound ends a text made to nest.
    for _ in range(_DEPTH):
        before = text
        text = unquote_plus(html.unescape(re.sub(_BACKSLASH, _unescaped, text)))
        if text == before:
            break
    return text


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2], 16)) if match.lastindex else ""


def _lenient(plain: str) -> str:
    """A pattern for a key; beyond ASCII an encoding may have been misread, replaced or lost."""
    parts = []
    for is_ascii, run in groupby(plain, str.isascii):
        chars = "".join(run)
        parts.append(re.escape(chars) if is_ascii else f"(?-i:[^a-z0-9]){{1,{8 * len(chars)}}}")
    return "".join(parts)
