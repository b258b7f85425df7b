"""The canonical form of a catalogue file: one text in, one text out, with the same meaning.

Fields stand in the order of the field table, lists are indented by two, text that another YAML
tool could misread is quoted, and short tags stand on one line. Comments stay with the field or
product that they stand above or beside; products stay in their order. What has an anchor, an
alias or a tag keeps its text, since there the order matters.

ruamel.yaml's round-trip mode would move comments that stand before a first key, rewrap text and
expand what it cannot represent; so the text is laid out anew here, document by document, from the
parser's spans. Each document is then read again: where a value or a comment would differ, or a
second run would change anything, it is left as it is.
"""

from collections import Counter
from typing import Final, TypeAlias

from reconciler.catalog.events import Composer
from reconciler.catalog.faults import Faults, Findings
from reconciler.catalog.fmt_lines import Formatter, LeaveAsItIsError, squeezed
from reconciler.catalog.layout import Document, Layout, NotLaidOutError, Text
from reconciler.catalog.nodes import Map, Node, Seq, is_null
from reconciler.catalog.source import decode
from reconciler.interpreter import paused

Meaning: TypeAlias = "str | list[Meaning] | tuple[tuple[Meaning, Meaning], ...] | None"

_ROUNDS: Final = 4
"""A form that has not come to rest after so many runs is none."""


def formatted(data: bytes) -> bytes:
    """The canonical form of a file without faults; `data` itself where it has that form already.

    A byte-order mark stays, and so does the kind of line break that most lines have.
    """
    file = Text(data)
    with paused():
        return file.replaced(format_text(file.text))


def format_text(text: str) -> str:
    """The canonical form of a text whose line breaks are line feeds."""
    try:
        layout = Layout(text)
    except NotLaidOutError:
        return text
    if not layout.documents or any(document.directives for document in layout.documents):
        return text
    starts = [layout.line_start(document.start) for document in layout.documents[1:]]
    regions = [
        _at_rest(text[start:end])
        for start, end in zip([0, *starts], [*starts, len(text)], strict=True)
    ]
    regions[-1] = regions[-1].rstrip("\n") + "\n"
    new = "".join(regions)
    return new if len(regions) == 1 or _means(new) == _means(text) else text


def _at_rest(region: str) -> str:
    """The form of one document that a further run leaves alone; else the document as it is."""
    form = region
    for _ in range(_ROUNDS):
        further = _format_region(form)
        if further == form:
            return form
        form = further
    return region


def _format_region(region: str) -> str:
    """One document with its `---` and the comments around it, laid out anew."""
    layout = Layout(region)
    document = layout.documents[0]
    if len(layout.documents) != 1 or document.ended:
        return region
    try:
        new = _laid_out(layout, document)
    except LeaveAsItIsError:
        return region
    return new if new == region or _says_the_same(layout, new) else region


def _laid_out(layout: Layout, document: Document) -> str:
    text, root = layout.text, document.root
    if root is None:
        return "\n".join(squeezed(text.split("\n"))).strip("\n") + "\n"
    if root.kind != "map" or root.flow or layout.column(root.start) or root.is_special_itself:
        raise LeaveAsItIsError
    begin = layout.line_start(root.start)
    head = squeezed([line.rstrip() for line in text[:begin].split("\n")[:-1]])
    while head and not head[0]:
        del head[0]
    body, rest = Formatter(layout).root(root)
    while rest and not rest[-1]:
        del rest[-1]
    return "\n".join([*head, *body, *rest, ""])


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
