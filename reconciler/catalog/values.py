"""From nodes to field values: one check for each kind of field, each fault with its location.

The checks are written for the common case, ordinary text, and hand everything else to a slower
method that knows what to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ruamel.yaml.events import ScalarEvent

from reconciler.catalog.text import problem_of_url, problems_of
from reconciler.codes import Code
from reconciler.model import (
    FIELDS,
    NOTE_PREFIX,
    Field,
    Kind,
    Location,
    Notes,
    Value,
    canonical_tags,
    is_ordinary,
    unpack_location,
)
from reconciler.yamltext.findings import Faults
from reconciler.yamltext.nodes import NULLS, Map, Node, Seq, is_null, start_of

RENAMED_FROM: Final = Field("renamed_from", Kind.TEXT, readable=False)
ROWS: Final = (*FIELDS, RENAMED_FROM)
"""What a product may say: a row for each field, and the rename."""

POSITIONS: Final[dict[str | None, int]] = {row.key: position for position, row in enumerate(ROWS)}


def is_note(key: str | None) -> bool:
    """Whether a product's key is the shop's own: `x-` and a name."""
    return key is not None and key.startswith(NOTE_PREFIX) and key != NOTE_PREFIX


Check = Callable[[Node], Value | None]

LEAVE_OR_CLEAR: Final = (
    "Leave the field out to leave the remote value as it is; "
    '`tags: []` and `image_url: ""` clear the remote value'
)


@dataclass(slots=True)
class Written:
    """One default as it stands in a file, and whether a product has taken it."""

    key: str
    location: Location
    used: bool = False


class Interned:
    """What files that are read by one process share: equal values are judged and kept once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.tags: dict[tuple[str | None, ...], tuple[str, ...]] = {}
        self.shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.origins: set[str] = set()
        self.notes: dict[Notes, Notes] = {}
        self.written: list[Written] = []
        self._met: list[tuple[str, Location]] = []
        self._spellings: set[str] = set()

    def taken(self) -> tuple[list[Written], list[tuple[str, Location]]]:
        """The defaults, and the new spellings of tags with their locations, since the last call."""
        taken = self.written, self._met
        self.written, self._met = [], []
        return taken

    def meet(self, tag: str, location: Location) -> None:
        """Remember the first use of each spelling of a tag."""
        if tag not in self._spellings:
            self._spellings.add(tag)
            self._met.append((tag, location))


class Checks:
    """The checks of one file's values. `checks` has one for each row of ROWS."""

    def __init__(self, faults: Faults, interned: Interned) -> None:
        self._faults = faults
        self._interned = interned
        self.checks: tuple[Check, ...] = tuple(map(self._check_for, ROWS))

    def _check_for(self, row: Field) -> Check:
        if row.kind is Kind.TAGS:
            return self._tags(row)
        if row.kind is Kind.URL:
            return self._url(row)
        # A required text is the product's own; any other is the same in many products.
        return self._own_text(row) if row.required else self._shared_text(row)

    def _own_text(self, row: Field) -> Check:
        def check(node: Node) -> Value | None:
            text: str | None = node.value
            if text is not None and text not in NULLS and is_ordinary(text):
                return text
            return self._careful_text(row, node)

        return check

    def _shared_text(self, row: Field) -> Check:
        texts = self._interned.texts

        def check(node: Node) -> Value | None:
            text: str | None = node.value
            if text in texts:
                return texts[text]
            if text is not None and text not in NULLS and is_ordinary(text):
                return texts.setdefault(text, text)
            return self._careful_text(row, node)

        return check

    def _url(self, row: Field) -> Check:
        origins = self._interned.origins

        def check(node: Node) -> Value | None:
            text: str | None = node.value
            # Most images come from a few hosts: only the first URL of each is taken apart.
            known = text is not None and text[: text.find("/", 8) + 1] in origins
            if known and text and is_ordinary(text) and " " not in text:
                return text
            return self._careful_url(row, node)

        return check

    def _careful_url(self, row: Field, node: Node) -> str | None:
        url = self._careful_text(row, node)
        if not url:
            return url
        if problem := problem_of_url(url):
            message = (
                f"{row.key} {_quoted(url)} {problem}. Write a whole address such as "
                f'{row.example}, or "" to clear it.'
            )
            self._faults.error(Code.BAD_URL, message, start_of(node))
            return None
        if origin := url[: url.find("/", 8) + 1]:
            self._interned.origins.add(origin)
        return url

    def _tags(self, row: Field) -> Check:
        interned = self._interned.tags

        def check(node: Node) -> Value | None:
            if not isinstance(node, Seq):
                self._report_no_list(row, node)
                return None
            # Tags repeat from product to product, so each list is judged once.
            raw = tuple([item.value for item in node.items])
            known = interned.get(raw)
            return self._careful_tags(row, node, raw) if known is None else known

        return check

    def _report_no_list(self, row: Field, node: Node) -> None:
        """Report tags that are not a list."""
        at = start_of(node)
        if is_null(node):
            self._report_null(row, at)
        elif isinstance(node, ScalarEvent):
            example = f"`{row.key}: [{node.value}]`" if node.value else f"`{row.key}: []`"
            message = f"{row.key} is text, not a list. Write {example}."
            self._faults.error(Code.WRONG_KIND, message, at)
        else:
            message = f"{row.key} is a mapping, not a list. Write `{row.key}: [one, two]`."
            self._faults.error(Code.WRONG_KIND, message, at)

    def _careful_tags(self, row: Field, node: Seq, raw: tuple[str | None, ...]) -> Value:
        """The tags in `node`, each looked at; remembered if nothing is to be said about them."""
        clean = True
        texts: list[str] = []
        for item in node.items:
            text = item.value
            if text is None:
                message = "A tag is a list or a mapping. Write each tag as text."
                self._faults.error(Code.WRONG_KIND, message, start_of(item))
            elif is_null(item):
                message = f"A tag is empty. Remove it; `{row.key}: []` clears all tags."
                self._faults.error(Code.EMPTY_VALUE, message, start_of(item))
            # The first use of each spelling is kept, for the rule about tags that differ in case
            # only.
            elif self._judge("Tag", text, item):
                self._interned.meet(text, unpack_location(self._faults.file, start_of(item)))
                texts.append(text)
            # NULLS in quotes are text, and the same text without quotes is not.
            clean = clean and text is not None and text not in NULLS and is_ordinary(text)
        tags = canonical_tags(texts)
        return self._interned.tags.setdefault(raw, tags) if clean else tags

    def note(self, key: str, node: Node) -> Value | None:
        """The value of one of the shop's own keys: text, or a list of texts."""
        texts: list[str] = []
        for item in node.items if isinstance(node, Seq) else [node]:
            if not isinstance(item, ScalarEvent):
                message = f"{key} must be text, or a list of texts. Write `{key}: text`."
                self._faults.error(Code.WRONG_KIND, message, start_of(item))
            elif is_null(item):
                message = f"{key} has no value. Write one, or remove the key."
                self._faults.error(Code.EMPTY_VALUE, message, start_of(item))
            elif self._judge(key, item.value, item):
                texts.append(item.value)
        return tuple(texts) if isinstance(node, Seq) else next(iter(texts), None)

    def _careful_text(self, row: Field, node: Node) -> str | None:
        """The text in `node`, or None with a finding."""
        at = start_of(node)
        if not isinstance(node, ScalarEvent):
            what = "a mapping" if isinstance(node, Map) else "a list"
            message = f"{row.key} is {what}, not text. Write `{row.key}: {_example(row)}`."
            self._faults.error(Code.WRONG_KIND, message, at)
            return None
        if is_null(node):
            self._report_null(row, at)
            return None
        text: str = node.value
        # Empty in quotes clears the remote's value; without quotes it is null, told above.
        if text == "" and row.may_be_empty:
            return text
        return text if self._judge(row.key, text, node) else None

    def _judge(self, subject: str, text: str, node: Node) -> bool:
        """Report what is wrong with `text`; whether it can be used all the same."""
        usable = True
        if not is_ordinary(text):
            for problem in problems_of(text):
                shown = f"{subject} {_quoted(text)} {problem.message}"
                if problem.severity == "error":
                    usable = False
                    self._faults.error(problem.code, shown, start_of(node))
                else:
                    self._faults.warning(problem.code, shown, start_of(node))
        return usable

    def _report_null(self, row: Field, at: int) -> None:
        message = f"{row.key} has no value. {LEAVE_OR_CLEAR}."
        if row.required:
            message += f" A product cannot do without its own {row.key}."
        self._faults.error(Code.EMPTY_VALUE, message, at)


def _example(row: Field) -> str:
    return str(row.example or "text")


def _quoted(text: str) -> str:
    """`text` for a message: in quotes, escaped, and not too long."""
    # Product names are hostile input: escapes must not reach a terminal as they are.
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}…"
