"""The canonical form of a catalogue file: one text in, one text out, with the same meaning.

Fields stand in the order of the field table, lists are indented by two, text that another YAML
tool could misread is quoted, and short tags stand on one line. Comments stay with the field or
product that they stand above or beside; products stay in their order. What has an anchor, an
alias or a tag keeps its text, since there the order matters.

ruamel.yaml's round-trip mode would move comments that stand before a first key, rewrap text and
expand what it cannot represent; so the text is laid out anew here, document by document, from the
parser's spans. Each document is then read again: where a value or a comment would differ, or a
second run would change anything, it is left as it is, and so is a product that no rule covers; both
are told with their place.
"""

from collections import Counter
from typing import Final, NamedTuple, TypeAlias

from reconciler.authoring.format_lines import Formatter
from reconciler.authoring.format_trivia import LeaveAsItIsError, Left, squeezed
from reconciler.interpreter import paused
from reconciler.yamltext.events import Composer
from reconciler.yamltext.findings import Faults, Findings
from reconciler.yamltext.layout import Document, Layout, NotLaidOutError, Text
from reconciler.yamltext.nodes import Map, Node, Seq, is_null
from reconciler.yamltext.source import decode

Meaning: TypeAlias = "str | list[Meaning] | tuple[tuple[Meaning, Meaning], ...] | None"

_ROUNDS: Final = 4
"""A form that has not come to rest after so many runs is none."""
_WOULD_CHANGE: Final = "its values or comments would not be the same"


class Kept(NamedTuple):
    """A place in a file from which something keeps its text, though no rule says so, and why."""

    line: int
    column: int
    why: str


class Form(NamedTuple):
    """What a file should say, and what in it was left as it is."""

    data: bytes
    kept: tuple[Kept, ...] = ()


def formatted(data: bytes) -> bytes:
    """The canonical form of a file without faults; `data` itself where it has that form already.

    A byte-order mark stays, and so does the kind of line break that most lines have.
    """
    return form_of(data).data


def form_of(data: bytes) -> Form:
    """As `formatted`, with the places of what was left as it is."""
    file = Text(data)
    with paused():
        text, left = _text_form(file.text)
    return Form(file.replaced(text), tuple(_placed(file.text, each) for each in sorted(left)))


def format_text(text: str) -> str:
    """The canonical form of a text whose line breaks are line feeds."""
    return _text_form(text)[0]


def _placed(text: str, left: Left) -> Kept:
    start = text.rfind("\n", 0, left.start) + 1
    return Kept(text.count("\n", 0, start) + 1, left.start - start + 1, left.why)


def _text_form(text: str) -> tuple[str, list[Left]]:
    try:
        layout = Layout(text)
    except NotLaidOutError:
        return text, [Left(0, "where its parts stand could not be made out")]
    if any(document.directives for document in layout.documents):
        return text, [Left(0, "it has a directive (a line that begins with %)")]
    if not layout.documents:
        return text, []
    starts = [0, *(layout.line_start(document.start) for document in layout.documents[1:])]
    regions: list[str] = []
    left: list[Left] = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        region, kept = _at_rest(text[start:end])
        regions.append(region)
        left += [Left(start + each.start, each.why) for each in kept]
    regions[-1] = regions[-1].rstrip("\n") + "\n"
    new = "".join(regions)
    if len(regions) == 1 or _means(new) == _means(text):
        return new, left
    return text, [Left(0, _WOULD_CHANGE)]


def _at_rest(region: str) -> tuple[str, list[Left]]:
    """The form of one document that a further run leaves alone; else the document as it is.

    What was left is placed in the document as it is.
    """
    form = region
    left: list[Left] = []
    for number in range(_ROUNDS):
        further, found = _format_region(form)
        left = left if number else found
        if further == form:
            return form, left
        form = further
    return region, [Left(0, "each further run would change it again")]


def _format_region(region: str) -> tuple[str, list[Left]]:
    """One document with its `---` and the comments around it, laid out anew."""
    layout = Layout(region)
    document = layout.documents[0]
    if len(layout.documents) != 1 or document.ended:
        return region, [Left(document.start, "the document ends with `...`")]
    try:
        new, left = _laid_out(layout, document)
    except LeaveAsItIsError as error:
        return region, [error.left]
    if new == region or _says_the_same(layout, new):
        return new, left
    return region, [Left(document.start, _WOULD_CHANGE)]


def _laid_out(layout: Layout, document: Document) -> tuple[str, list[Left]]:
    text, root = layout.text, document.root
    if root is None:
        return "\n".join(squeezed(text.split("\n"))).strip("\n") + "\n", []
    if root.kind != "map" or root.flow:
        raise LeaveAsItIsError(root.start, "the fields of the document stand between braces")
    if layout.column(root.start) or root.is_special_itself:
        raise LeaveAsItIsError(root.start, "the document is indented, or has an anchor or a tag")
    begin = layout.line_start(root.start)
    head = squeezed([line.rstrip() for line in text[:begin].split("\n")[:-1]])
    while head and not head[0]:
        del head[0]
    formatter = Formatter(layout)
    body, rest = formatter.root(root)
    while rest and not rest[-1]:
        del rest[-1]
    return "\n".join([*head, *body, *rest, ""]), formatter.left


def _says_the_same(layout: Layout, new: str) -> bool:
    try:
        after = Layout(new)
    except NotLaidOutError:
        return False
    comments = [Counter(comment for _, comment in each.comments) for each in (layout, after)]
    return comments[0] == comments[1] and _means(layout.text) == _means(new)


def _means(text: str) -> list[Meaning]:
    """What the documents of `text` say, aliases resolved, whatever the order of their fields."""
    faults = Faults("", Findings())
    source = decode(text.encode(), faults)
    return [] if source is None else [_meaning(n) for n in Composer(source, faults).documents()]


def _meaning(node: Node) -> Meaning:
    if isinstance(node, Map):
        pairs = zip(node.items[::2], node.items[1::2], strict=True)
        return tuple(sorted(((_meaning(k), _meaning(v)) for k, v in pairs), key=repr))
    if isinstance(node, Seq):
        return [_meaning(item) for item in node.items]
    text: str = node.value
    return None if is_null(node) else text
