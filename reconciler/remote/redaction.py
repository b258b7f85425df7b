"""Keep the key out of every text. The key is in the query string, so it is in every URL, every
redirect, every library exception and every `next` link (product-sync-api.txt, "List products").
"""

import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "[key]"

_PARAMETER: Final = re.compile(r"(api_key(?:=|%3[dD]|\\u003[dD]))[^&\s\"'<>\\#]+")
_SHORTEST: Final = 4
"""A shorter key is masked only as a parameter: as bare text it would mask half of every message."""


class Redactor:
    """Masks keys in text, raw or in any encoding that a URL, JSON or HTML gives them."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        forms: set[str] = set()
        for key in keys:
            if len(key) >= _SHORTEST:
                forms |= _forms(key)
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        pattern = "|".join(re.escape(form) for form in longest_first)
        self._forms = re.compile(pattern, re.IGNORECASE) if pattern else None

    def redact(self, text: str) -> str:
        """`text` without any key that this redactor knows, nor any `api_key` parameter's value."""
        if self._forms is not None:
            text = self._forms.sub(MASK, text)
        return _PARAMETER.sub(rf"\g<1>{MASK}", text)


def _forms(key: str) -> set[str]:
    """The key as it may appear in a URL, a doubly encoded URL, JSON or HTML."""
    encoded = {key, quote(key, safe=""), quote(key), quote_plus(key), key.strip()}
    encoded |= {quote(form, safe="") for form in tuple(encoded)}
    encoded |= {json.dumps(form)[1:-1] for form in tuple(encoded)}
    encoded |= {html.escape(key), repr(key)[1:-1], repr(key.encode())[2:-1]}
    return {form for form in encoded if len(form) >= _SHORTEST}
