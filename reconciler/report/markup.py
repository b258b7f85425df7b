"""Text from elsewhere, made harmless within Markdown and the HTML in it."""

import html
import re
from typing import Final

from reconciler.report.escape import escape

_PUNCTUATION: Final = re.compile(r"[!-/:-@\[-`{-~]")
# Within a line of a table these need no entity: the rest of the punctuation, and the dot that
# could make an address ("www.").
_ACTIVE: Final = re.compile(r"[!-+:-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)
# Of these hosts make mentions, issues, merge requests, labels, milestones, snippets and emoji.
_REFERENCE: Final = re.compile(r"[@#!~%$&:](?=\w)|(?<=\bGH)-(?=\d)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"(?<=\S)@(?=\w)")
_BREAK: Final = "\u200b"


def escape_markdown(text: str) -> str:
    """`text` as prose that renders as itself: no markup, no mention, no reference, no new line.

    A zero-width space parts `@` and `#` from what they would refer to; in a code element, where
    that is not needed, use `code`.
    """
    return entities(_REFERENCE.sub(lambda found: found[0] + _BREAK, escape(text)))


def code(text: str) -> str:
    """`text` as a code element, exactly as it is, for anywhere but the start of a line.

    An empty comment parts an email address, since hosts make links even within code elements.
    """
    # Not a zero-width space, as in prose: whoever copies the value would copy that too.
    parted = _ADDRESS.sub(f"@{_BREAK}", escape(text).replace(_BREAK, ""))
    return f"<code>{_ACTIVE.sub(_entity, parted).replace(_BREAK, '<!-- -->')}</code>"


def prose(text: str) -> str:
    """A message as `escape_markdown` writes it, with what stands in backticks as code."""
    parts = text.split("`")
    # A backtick without a partner is mere text.
    if len(parts) % 2 == 0:
        return escape_markdown(text)
    return "".join(code(p) if n % 2 else escape_markdown(p) for n, p in enumerate(parts))


def entities(text: str) -> str:
    """All ASCII punctuation as numeric entities, which Markdown never reads as markup."""
    return _PUNCTUATION.sub(_entity, text).replace(_BREAK, "&#8203;")


def _entity(found: re.Match[str]) -> str:
    """One character as a numeric entity."""
    return f"&#{ord(found[0])};"


def attribute(url: str) -> str:
    """A URL as the value of an HTML attribute that stands in a table."""
    # Markdown ends a table cell at a `|` and pairs backticks, whatever HTML they stand in.
    return html.escape(url).replace("|", "%7C").replace("`", "%60")
