"""Edits that give one product of a file other values, or remove it, and touch nothing else."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.authoring.canonical import field_lines, inline
from reconciler.catalog.values import POSITIONS
from reconciler.model import FIELDS, Value
from reconciler.yamltext.edits import Edit
from reconciler.yamltext.layout import Layout, Piece
from reconciler.yamltext.scalars import scalar_text


def value_edits(
    layout: Layout, product: Piece, changes: dict[str, Value], aliased: set[str]
) -> Iterator[Edit]:
    """The edits that give `product`, a mapping, the values in `changes` by field.

    `aliased` names the anchors whose aliases stand in other products: what they stand for goes to
    the first of these.
    """
    own = {key.value: (key, value) for key, value in product.pairs if key.kind == "scalar"}
    missing: dict[str, Value] = {}
    for field, value in changes.items():
        if field not in own:
            missing[field] = value
        elif not product.flow and _is_free(layout, *own[field]):
            yield _field_edit(layout, *own[field], value)
        elif isinstance(value, str):
            yield _scalar_edit(layout, own[field][1], value, product.flow, aliased)
        else:
            yield from _tags_edits(layout, *own[field], value, product.flow, aliased)
    if missing:
        yield from _insertions(layout, product, missing)


def _is_free(layout: Layout, key: Piece, node: Piece) -> bool:
    """Whether a field can be written anew: nothing depends on its text, no comment is within it."""
    # A block list goes with its last line, and a comment on that line would go too.
    end = layout.line_end(node.end) if node.kind == "seq" and not node.flow else node.end
    special = key.is_special or node.is_special
    # Behind a `?` the whole field would be read as a key.
    explicit = layout.text[layout.line_start(key.start) : key.start].rstrip().endswith("?")
    return not special and not explicit and not layout.has_comments(key.start, end)


def _field_edit(layout: Layout, key: Piece, node: Piece, value: Value) -> Edit:
    """The field in canonical form; a comment behind it stays behind its first line."""
    lines = field_lines(key.value, value, " " * layout.column(key.start))
    end = node.end
    if len(lines) > 1:
        end = layout.line_end(node.end)
        lines[0] += layout.text[node.end : end].rstrip()
    return Edit(key.start, end, "\n".join(lines).lstrip())


def _start(layout: Layout, node: Piece, aliased: set[str]) -> int:
    """The offset from which a node is replaced: with its anchor, if an alias can take that over."""
    moves = node.name in aliased and "\n" not in layout.text[node.start : node.end]
    return node.start if moves else node.content


def _scalar_edit(layout: Layout, node: Piece, value: str, flow: bool, aliased: set[str]) -> Edit:
    # Only the alias: what it repeats is also what others say.
    if node.kind == "alias":
        return Edit(node.start, node.end, scalar_text(value, flow=flow))
    if layout.text[node.content : node.content + 1] in ("|", ">"):
        # Without the block its header has no line any more, but its comment is the author's.
        header = layout.text[node.content : layout.line_end(node.content)]
        comment = header[header.find("#") :] if "#" in header else ""
        text = f"{scalar_text(value, flow=flow)}  {comment}".rstrip()
        return Edit(node.content, node.end, text)
    return Edit(_start(layout, node, aliased), node.end, scalar_text(value, flow=flow))


class _Entries(NamedTuple):
    """What becomes of a list of tags: the nodes that stay with their values, and the new tags."""

    keep: list[Piece]
    kept: list[str]
    new: list[str]
    ordered: bool
    """Whether the tags stood in the order of the alphabet."""

    def insertions(self) -> list[tuple[int, str]]:
        """Each new tag with the number of kept ones before it: all, if there is no order."""
        if self.ordered:
            return [(sum(value < tag for value in self.kept), tag) for tag in sorted(self.new)]
        return [(len(self.kept), tag) for tag in self.new]


def _tags_edits(
    layout: Layout, key: Piece, node: Piece, tags: Sequence[str], flow: bool, aliased: set[str]
) -> Iterator[Edit]:
    """The edits of a list of tags, entry by entry: those that stay keep their text and order."""
    if node.kind == "alias":
        yield Edit(node.start, node.end, inline(tuple(tags), flow=flow))
        return
    values = [_aliased(layout, item) if item.kind == "alias" else item.value for item in node.items]
    keep = [item for item, value in zip(node.items, values, strict=True) if value in tags]
    kept = [value for value in values if value in tags]
    new = [tag for tag in tags if tag not in kept]
    entries = _Entries(keep, kept, new, ordered=values == sorted(values))
    one_line = "\n" not in layout.text[node.content : node.end]
    if node.flow and one_line:
        start = _start(layout, node, aliased)
        yield Edit(start, node.end, _flow_list(layout, node, entries))
    elif node.flow:
        yield from _long_flow_edits(layout, node, keep, new)
    else:
        yield from _block_edits(layout, key, node, entries)


def _aliased(layout: Layout, alias: Piece) -> str:
    """The text that an alias stands for: that of the last anchor of its name before it."""
    found = ""
    for document in layout.documents:
        for node in document.root.walk() if document.root else ():
            if node is alias:
                return found
            if node.kind == "scalar" and node.name == alias.name:
                found = node.value
    return found


def _flow_list(layout: Layout, node: Piece, tags: _Entries) -> str:
    """A list between brackets on one line, spaced as it was."""
    text, items = layout.text, node.items
    opening, closing, comma = "[", "]", ", "
    if items:
        opening = text[node.content : items[0].start]
        # In `[a, b, ]` the last comma is legal, and would be one too many behind other entries.
        closing = text[items[-1].end : node.end].replace(",", "")
    if len(items) > 1:
        comma = text[items[0].end : items[1].start]
    if not tags.keep and not tags.new:
        return "[]"
    sources = [text[item.start : item.end] for item in tags.keep]
    # From the end, so that no insertion moves the index of another.
    for index, tag in reversed(tags.insertions()):
        sources.insert(index, scalar_text(tag, flow=True))
    return opening + comma.join(sources) + closing


def _long_flow_edits(
    layout: Layout, node: Piece, keep: list[Piece], new: list[str]
) -> Iterator[Edit]:
    """A list between brackets on several lines, perhaps with comments in it."""
    text = layout.text
    if not keep:
        yield Edit(node.content, node.end, inline(tuple(new), flow=True))
        return
    for item in node.items:
        if item in keep:
            continue
        comma = layout.after_trivia(item.end)
        has_comma = text[comma] == ","
        end = comma + 1 if has_comma else item.end
        line, rest = layout.line_start(item.start), text[end : layout.line_end(end)]
        alone = not text[line : item.start].strip() and rest.strip()[:1] in ("", "#")
        if alone and layout.line_end(end) < node.end:
            yield Edit(line, layout.line_end(end) + 1, "")
        elif has_comma:
            stop = end + (len(rest) - len(rest.lstrip()))
            yield Edit(item.start, stop if rest.strip() else end, "")
        else:
            yield Edit(item.start, end, "")
    # New tags go before it, since a comma or a comment may follow it.
    last = keep[-1]
    if new:
        added = ", ".join(scalar_text(tag, flow=True) for tag in new)
        yield Edit(last.start, last.start, f"{added}, ")


def _block_edits(layout: Layout, key: Piece, node: Piece, tags: _Entries) -> Iterator[Edit]:
    """A list with an entry a line."""
    if not tags.keep:
        yield from _emptied(layout, key, node, tags.new)
        return
    text, keep = layout.text, tags.keep
    first = layout.dash(node, node.items.index(keep[0]))
    lead = " " * layout.column(first) + text[first : keep[0].start]
    # An anchor, a tag or a comment may stand behind the dash, and must not be repeated.
    if lead.strip() != "-" or "\n" in lead:
        lead = " " * layout.column(first) + "- "
    for position, item in enumerate(node.items):
        if item not in keep:
            yield _without_entry(layout, node, position)
    for index, tag in tags.insertions():
        line = lead + scalar_text(tag, flow=False)
        if index:
            end = layout.line_end(keep[index - 1].end)
            yield Edit(end, end, f"\n{line}")
        else:
            begin = layout.line_start(first)
            yield Edit(begin, begin, f"{line}\n")


def _emptied(layout: Layout, key: Piece, node: Piece, new: list[str]) -> Iterator[Edit]:
    """A list with an entry a line, that keeps none of them: the new ones stand behind the key."""
    text = layout.text
    offset = text.find(":", key.end) + 1
    if node.start < node.content:
        # Behind its anchor, which stands on a line before the list.
        offset = node.start + len(text[node.start : node.content].partition("#")[0].rstrip())
    yield Edit(offset, offset, f" {inline(tuple(new), flow=False)}")
    for position in range(len(node.items)):
        yield _without_entry(layout, node, position)


def _without_entry(layout: Layout, node: Piece, position: int) -> Edit:
    """The edit that takes an entry of a block list out with its line."""
    # With the line break before it, since the last line of a file may have none behind it.
    start = layout.line_start(layout.dash(node, position)) - 1
    return Edit(start, layout.line_end(node.items[position].end), "")


def _insertions(layout: Layout, product: Piece, missing: dict[str, Value]) -> Iterator[Edit]:
    """Fields that the product does not have yet, each behind the one that it belongs behind."""
    pairs = product.pairs
    # Not that of the first key, which a `? ` may stand before.
    indent = " " * layout.column(product.content)
    lines: dict[int, str] = {}
    for field in sorted(missing, key=lambda field: POSITIONS[field]):
        before = [
            pair for pair in pairs if POSITIONS.get(pair[0].value, -1) < POSITIONS[field]
        ] or pairs
        value = max(before, key=lambda pair: (POSITIONS.get(pair[0].value, -1), pair[0].start))[1]
        if product.flow:
            offset, entry = value.end, f", {field}: {inline(missing[field], flow=True)}"
        else:
            offset = layout.line_end(value.end)
            entry = "".join("\n" + line for line in field_lines(field, missing[field], indent))
        # Two fields may belong behind the same one, and two edits of one place are an error.
        lines[offset] = lines.get(offset, "") + entry
    for offset, line in lines.items():
        yield Edit(offset, offset, line)


def changed_fields(
    before: Sequence[Value | None], after: Sequence[Value | None]
) -> dict[str, Value]:
    """The fields in which two lists of values differ, with the new value."""
    return {
        field.key: new
        for field, old, new in zip(FIELDS, before, after, strict=True)
        # None is unmanaged: nothing takes a field out of a file here.
        if old != new and new is not None
    }
