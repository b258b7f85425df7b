"""Edits that add whole products to a file, or take them out of it."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from reconciler.authoring.canonical import entry_lines, product_lines
from reconciler.model import Values
from reconciler.yamltext.edits import Edit
from reconciler.yamltext.layout import Document, Layout, Piece


def appended(text: str, products: Sequence[Values]) -> Edit:
    """The edit that adds `products` behind all others in `text`, in the manner of its last list."""
    layout = Layout(text)
    last = layout.documents[-1] if layout.documents else None
    listed = last.listed if last else None
    # Nothing can be put behind the last entry of a document that ends with `...`.
    if last and last.root and not last.ended and _can_grow(last, listed):
        return _grown(layout, listed, products)  # type: ignore[arg-type]  # as tested
    end = len(text)
    begin = "" if not text or text.endswith("\n") else "\n"
    if last and (last.root or last.ended):
        begin += "---\n"
    entries = "\n\n".join(_entry(values, "  ", "- ") for values in products)
    return Edit(end, end, f"{begin}products:\n{entries}\n")


def _can_grow(document: Document, listed: Piece | None) -> bool:
    """Whether entries can be put behind the last one: nothing else of the document follows."""
    return (
        document.root is not None
        and listed is not None
        and listed.kind == "seq"
        and not listed.flow
        and document.root.items[-1] is listed
    )


def _grown(layout: Layout, listed: Piece, products: Sequence[Values]) -> Edit:
    text, items = layout.text, listed.items
    last = items[-1]
    dash = layout.dash(listed, len(items) - 1)
    indent = " " * layout.column(dash)
    block = [item for item in items if item.kind == "map" and not item.flow]
    mark = "- "
    # Some files have more than one blank behind a dash, and new entries must look like theirs.
    if block:
        gap = layout.column(block[-1].items[0].start) - layout.column(dash)
        mark = "-" + " " * (gap - 1)
    # Comments above an entry are its own, so a blank line that parts it from others stands above.
    header = _header_start(layout, layout.line_start(dash), layout.column(dash))
    spaced = len(items) == 1 or text.endswith("\n\n", 0, header)
    end = _footer_end(layout, last, layout.column(dash) + 1)
    glue = "\n\n" if spaced else "\n"
    return Edit(end, end, "".join(glue + _entry(values, indent, mark) for values in products))


def _entry(values: Values, indent: str, mark: str) -> str:
    lines = product_lines(values, indent + " " * len(mark))
    return "\n".join(entry_lines(lines, indent, mark))


def removal_edits(layout: Layout, gone: Collection[Piece]) -> Iterator[Edit]:
    """The edits that take the products `gone` out, with the comments that are theirs alone.

    A document that keeps no product goes whole.
    """
    for number, document in enumerate(layout.documents):
        products = document.products
        leaving = [product for product in products if product in gone]
        if not leaving:
            continue
        if len(leaving) == len(products):
            following = layout.documents[number + 1 : number + 2]
            # What stands at the head of the file goes with its first document.
            start = layout.line_start(document.start) if number else 0
            end = layout.line_start(following[0].start) if following else len(layout.text)
            yield Edit(start, end, "")
        elif document.listed is not None and document.listed.flow:
            yield from _flow_removals(layout, products, leaving)
        elif document.listed is not None:
            yield from _block_removals(layout, document.listed, leaving)


def holds_products(layout: Layout) -> bool:
    """Whether any document of the file has content."""
    return any(document.root is not None for document in layout.documents)


def _flow_removals(layout: Layout, items: list[Piece], leaving: list[Piece]) -> Iterator[Edit]:
    """Entries between brackets, each with the comma before or behind it."""
    staying = [item for item in items if item not in leaving]
    for item in leaving:
        position = items.index(item)
        # Behind the last entry that stays no comma may be left, so what follows goes with the one
        # before.
        if position + 1 < len(items) and item.start < staying[-1].start:
            yield Edit(item.start, items[position + 1].start, "")
        else:
            yield Edit(items[position - 1].end, item.end, "")


def _block_removals(layout: Layout, listed: Piece, leaving: list[Piece]) -> Iterator[Edit]:
    """Entries with a dash each; neighbours go together, with the blank lines on one side."""
    text, items = layout.text, listed.items
    gone = {id(item) for item in leaving}
    for stays, run in groupby(range(len(items)), lambda position: id(items[position]) not in gone):
        if stays:
            continue
        positions = list(run)
        dash = layout.dash(listed, positions[0])
        start = _header_start(layout, layout.line_start(dash), layout.column(dash))
        end = _footer_end(layout, items[positions[-1]], layout.column(dash) + 1) + 1
        if positions[-1] + 1 < len(items):
            while text[end : end + 1] == "\n":
                end += 1
        else:
            # Below the last one they may part documents: those above it go.
            while text.endswith("\n\n", 0, start):
                start -= 1
        yield Edit(start, min(end, len(text)), "")


def _header_start(layout: Layout, line: int, column: int) -> int:
    """The offset at which the comments right above a line, indented as it is, begin."""
    while line:
        above = layout.line_start(line - 1)
        shown = layout.text[above:line]
        # A comment with another indentation belongs to something else.
        if shown.strip()[:1] != "#" or len(shown) - len(shown.lstrip()) != column:
            break
        line = above
    return line


def _footer_end(layout: Layout, item: Piece, column: int) -> int:
    """The end of the last line of `item`, comments indented by `column` included."""
    end = layout.line_end(item.end)
    while end < len(layout.text):
        following = layout.text[end + 1 : layout.line_end(end + 1)]
        if following.strip()[:1] != "#" or len(following) - len(following.lstrip()) < column:
            break
        end = layout.line_end(end + 1)
    return end


def moved_anchors(layout: Layout, edits: Iterable[Edit]) -> list[Edit]:
    """The edits that write an anchored value to its first alias, if `edits` take it away.

    Only values of one line can move so; of others the aliases lose their meaning, which whoever
    reads the text again finds out.
    """
    if "*" not in layout.text:
        return []
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    starts = [edit.start for edit in ordered]

    def covering(node: Piece) -> Edit | None:
        """The edit that takes `node` away."""
        # Edits do not overlap: only the last that begins before a node can cover it.
        position = bisect_right(starts, node.start)
        edit = ordered[position - 1] if position else None
        return edit if edit and node.end <= edit.end else None

    moves: list[Edit] = []
    lost: dict[str | None, str] = {}
    for document in layout.documents:
        # An anchor means nothing beyond its document.
        lost.clear()
        for node in document.root.walk() if document.root else ():
            if node.name is None:
                continue
            edit = covering(node)
            if node.kind == "alias":
                if edit is None and node.name in lost:
                    moves.append(Edit(node.start, node.end, lost.pop(node.name)))
                continue
            # YAML allows to define an anchor again, and later aliases mean the later one.
            lost.pop(node.name, None)
            source = layout.text[node.start : node.end]
            # If the new text holds the anchored value too, no alias loses its meaning.
            if edit and "\n" not in source and source not in edit.text:
                lost[node.name] = source
    return moves
