"""Every form that an encoder gives a key."""

import html
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

Spell = Callable[[str], str]

AS_SENT: Mapping[str, Spell] = {
    "raw": str,
    "url": lambda key: quote(key, safe=""),
    "path": quote,
    "form": quote_plus,
    "lower hexadecimal": lambda key: quote(key, safe="").lower(),
}
"""Forms that are replaced alone."""

OTHERS: Mapping[str, Spell] = {
    "browser": lambda key: quote(key, safe="!'()*~-._"),
    "nearly raw": lambda key: quote(key, safe="/:?@!$&'()*+,;="),
    "twice": lambda key: quote(quote(key, safe=""), safe=""),
    "form twice": lambda key: quote_plus(quote_plus(key)),
    "three times": lambda key: quote(quote(quote(key, safe=""))),
    "every byte": lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    "json": json.dumps,
    "json in json": lambda key: json.dumps(json.dumps(key)),
    "careful json": lambda key: "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000),
    "slashed json": lambda key: json.dumps(key).replace("/", "\\/"),
    "html": html.escape,
    "html twice": lambda key: html.escape(html.escape(key)),
    "url in html": lambda key: html.escape(quote(key, safe="&'")),
    "named entities": lambda key: html.escape(key).replace("ü", "&uuml;").replace("/", "&sol;"),
    "entities": lambda key: "".join(f"&#{ord(c)};" for c in key),
    "hexadecimal entities": lambda key: "".join(f"&#x{ord(c):X};" for c in key),
    "repr": repr,
    "bytes": lambda key: repr(key.encode()),
    "misread": lambda key: key.encode().decode("latin-1"),
    "lost": lambda key: key.encode().decode("ascii", "replace"),
    "latin": lambda key: quote(key, safe="", encoding="latin-1", errors="replace"),
}
"""Forms that may cost the text around them."""

FORMS: Mapping[str, Spell] = {**AS_SENT, **OTHERS}

KEYS = (
    "abc123DEF456",
    "a/b+c=d&e?f#g%h",
    "with space and 'quotes' \"too\" <tag>",
    "back\\slash\\key",
    "schlüssel-äöü-key",
    "keİ-\u212aelvin-key",
    "x!y*z(1)~a'b$c,d;e:f@g",
)


def legible(key: str, text: str) -> bool:
    """Whether so much of the key is left in a text that somebody could read it."""
    parts = [part for part in key.replace("\\", " ").split() if len(part) > 5]
    return any(part.lower() in text.lower() for part in parts or [key])
