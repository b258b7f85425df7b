"""Keep the key out of every text.

The key is in the query string, so it is in every URL, every redirect, every library exception and
every `next` link (product-sync-api.txt, "List products").
"""

import logging
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from reconciler.remote.masking import MASK, KeyInData, mask
from reconciler.remote.spelling import spelled

_NAME: Final = "api_key"
_PARAMETER: Final = (
    rf"({_NAME}(?:=|%(?:25){{0,4}}3[dD]|\\{{1,8}}u003[dD]|&#(?:61|[xX]3[dD]);))[^&\s\"'<>\\#]+"
)
_SHORTEST: Final = 4
"""A shorter key is masked only as a parameter: as bare text it would mask half of every message."""
_EXCERPT: Final = 160
_WINDOW: Final = 1 << 16
_WIDEST: Final = 256
"""More characters than any spelling of one character takes."""


class Redactor:
    """Masks keys in text, raw or in any encoding that a URL, JSON or HTML gives them."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        keys = tuple(keys)
        known = {form for key in keys for form in (key, key.strip()) if len(form) >= _SHORTEST}
        self._known = sorted(known, key=lambda key: (-len(key), key))
        self._widest = _WIDEST * len(self._known[0]) if known else 0
        stripped = dict.fromkeys(key.strip() for key in keys)
        self._in_data = [KeyInData(key) for key in stripped if key]

    @cached_property
    def _keys(self) -> re.Pattern[str] | None:
        """The longest key first. Compiled when a text needs it: most runs have nothing to tell."""
        pattern = "|".join(map(spelled, self._known))
        return re.compile(pattern, re.IGNORECASE) if pattern else None

    def redact(self, text: str) -> str:
        """`text` without any key that this redactor knows, nor any `api_key` parameter's value."""
        if self._keys is not None:
            text = self._keys.sub(MASK, text)
        # Left to re's own cache: most texts do not need it.
        return re.sub(_PARAMETER, rf"\g<1>{MASK}", text) if _NAME in text else text

    def mask(self, body: bytes) -> bytes:
        """An answer without the keys, if the server put them among the data, as in a link.

        In whatever spelling JSON gives it, a key of twelve characters or more is masked wherever it
        stands, and one of any length as an `api_key` parameter: as bare text a short one may be
        there by chance. An answer that holds none comes back as the same bytes.
        """
        return mask(self._in_data, body)

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
        """Rewrite the record's text and traceback if they hold a key."""
        message = record.getMessage()
        redacted = self._redactor.redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        if record.exc_text:
            # The filter of another client, which knows other keys, may have been here before.
            record.exc_text = self._redactor.redact(record.exc_text)
        return True
