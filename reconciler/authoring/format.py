"""The canonical form of a catalogue file: one text in, one text out, with the same meaning.

Every product is written from its values, as `pull` writes a new one: fields in the order of the
field table, text on one line and in quotes only if another YAML tool could misread it, tags sorted.
Comments stay with the field or product that they stand above or beside, and products stay in their
order. What has an anchor, an alias or a tag keeps its text. Whoever writes files reads them again
first (see `folder`).
"""

from typing import NamedTuple

from reconciler.authoring.format_document import Formatter
from reconciler.interpreter import paused
from reconciler.yamltext.edits import FileText
from reconciler.yamltext.layout import Document, Layout, NotLaidOutError, Piece


class Unformatted(NamedTuple):
    """A location in a file from which its text is kept, and why."""

    line: int
    column: int
    why: str


class Form(NamedTuple):
    """What a file should say, and what in it was left as it is."""

    data: bytes
    kept: tuple[Unformatted, ...] = ()


def formatted(data: bytes) -> bytes:
    """The canonical form of a file without faults; `data` itself if it has that form already.

    A byte-order mark stays, and so does the kind of line break that most lines have.
    """
    return form_of(data).data


def form_of(data: bytes) -> Form:
    """As `formatted`, with the locations of what was left as it is."""
    file = FileText(data)
    with paused():
        text, kept = _form(file.text)
    return Form(file.replaced(text), tuple(kept))


def _form(text: str) -> tuple[str, list[Unformatted]]:
    try:
        layout = Layout(text)
    except NotLaidOutError:
        return text, [Unformatted(1, 1, "its parts could not be located")]
    documents = layout.documents
    # A directive changes what tags in the text below it mean.
    if any(document.directives for document in documents):
        return text, [Unformatted(1, 1, "it has a directive (a line that begins with %)")]
    if not documents:
        return text, []
    kept: list[Unformatted] = []
    starts = [0, *(layout.line_start(document.start) for document in documents[1:]), len(text)]
    lines: list[str] = []
    for document, start, stop in zip(documents, starts, starts[1:], strict=False):
        if document.ended:
            line = text.count("\n", 0, document.start) + 1
            column = layout.column(document.start) + 1
            kept.append(Unformatted(line, column, "the document ends with `...`"))
        if document.ended or (document.root and not _is_plain(document.root)):
            lines += text[start:stop].rstrip("\n").split("\n")
        else:
            lines += _document_lines(layout, document, start, stop)
    return "\n".join(lines) + "\n", kept


def _is_plain(root: Piece) -> bool:
    """Whether a root is a mapping that can be written anew."""
    listed = any(key.value in ("products", "defaults") for key in root.items[::2])
    # In a list each product is judged alone, so that one anchor does not keep the whole file as it
    # is.
    special = root.is_special_itself or (not listed and root.is_special)
    return root.kind == "map" and bool(root.items) and not special


def _document_lines(layout: Layout, document: Document, start: int, stop: int) -> list[str]:
    """One document with its `---` and the comments around it."""
    text, root = layout.text, document.root
    begin = stop if root is None else layout.line_start(root.start)
    lines = [line.rstrip() for line in text[start:begin].split("\n")]
    if root is not None:
        # The root may begin on the line of the `---`.
        lines[-1:] = ["---"] if document.explicit and document.start >= begin else []
        lines += Formatter(layout).document(root, stop)
    return _squeezed(lines)


def _squeezed(lines: list[str]) -> list[str]:
    """`lines` with no more than one blank line in a row, and none at either end."""
    kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    first = 1 if kept and not kept[0] else 0
    return kept[first : len(kept) - 1 if kept and not kept[-1] else len(kept)]
