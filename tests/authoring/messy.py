"""Catalogue files as people leave them behind: every spelling that YAML has for a product."""

from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import strategies as st

from reconciler.model import Values, canonical_tags

WORDS = st.sampled_from(
    [
        "Linen shirt",
        "0123",
        "No",
        "1e3",
        "1.10",
        "12:30",
        "null",
        "~",
        "2024-01-01",
        "0x1F",
        ".inf",
        "=",
        "<<",
        "- dash",
        "#hash",
        "a: b",
        "a #b",
        "it's",
        'say "hi"',
        "back\\slash",
        "[x]",
        "{x}",
        "a, b",
        "*star",
        "&and",
        "!bang",
        "%percent",
        "@at",
        "`tick",
        "|",
        ">",
        "Größe 38½",
        "\U0001f457 dress",
        "no\u00a0break",
        "zero\u200bwidth",
        "line\u2028apart",
        "what?",
        "?why",
        "x:",
        ":x",
        "two\nlines",
        "tab\there",
        "---",
        "...",
        "5E10",
        "1_000",
        "123456789012345678",
        "y",
    ]
)
LINES = WORDS.filter(lambda word: "\n" not in word)
TAGS = st.lists(LINES, max_size=4)


def double(text: str) -> str:
    """`text` in double quotes, everything unusual escaped."""
    return (
        '"' + "".join(c if c.isalnum() or c in " .,:-" else f"\\U{ord(c):08x}" for c in text) + '"'
    )


def single(text: str) -> str:
    """`text`, which has one line, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def is_ordinary(text: str) -> bool:
    """Whether `text` can stand without quotes anywhere, and in a block."""
    return text.isascii() and text.replace(" ", "").isalnum() and text != "null"


def scalars(text: str, *, flow: bool) -> "st.SearchStrategy[list[str]]":
    """The ways to write `text`: a first line, and further lines without their indentation."""
    ways = [[double(text)]]
    if text.isprintable():
        ways.append([single(text)])
    if is_ordinary(text) or text in (
        "0123",
        "1.10",
        "2024-01-01",
        "5E10",
        "=",
        "what?",
        "Größe 38½",
    ):
        ways.append([text])
        if not flow:
            ways += [["|-", text], [">-  # folded", text], ["", text]]
            if " " in text:
                ways.append(text.split(" ", 1))
    if text == "two\nlines" and not flow:
        ways += [["|-", *text.split("\n")], [">-", "two", "", "lines"]]
    return st.sampled_from(ways)


@st.composite
def tag_lists(draw: st.DrawFn, tags: list[str]) -> list[str]:
    """Ways to write tags after `tags:`."""
    if not tags or draw(st.booleans()):
        comma = draw(st.sampled_from([", ", ",", " , "]))
        inner = comma.join(draw(scalars(tag, flow=True))[0] for tag in tags)
        pad = draw(st.sampled_from(["", " "]))
        return [f" [{pad}{inner}{pad}]"]
    if draw(st.booleans()):
        rows = [draw(scalars(tag, flow=True))[0] for tag in tags]
        ends = [draw(st.sampled_from([",", ",  # why, this", ","])) for _ in rows]
        return [" [", *(f"   {row}{end}" for row, end in zip(rows, ends, strict=True)), "  ]"]
    indent = " " * draw(st.integers(0, 3))
    lines = [draw(st.sampled_from(["", "  # these"]))]
    for tag in tags:
        if draw(st.integers(0, 4)) == 0:
            lines.append(f"{indent}# about the next")
        gap = draw(st.sampled_from([" ", "   "]))
        note = draw(st.sampled_from(["", "", "  # note"]))
        lines.append(f"{indent}-{gap}{draw(scalars(tag, flow=True))[0]}{note}")
    return lines


@st.composite
def products(draw: st.DrawFn, values: Values, *, defaulted: frozenset[str]) -> list[str]:
    """The lines of one product in a block mapping, its keys in any order."""
    fields = dict(zip(("store_id", "name", "tags", "image_url", "type"), values, strict=True))
    keys = draw(st.permutations([k for k, v in fields.items() if v is not None]))
    lines: list[str] = []
    for number, key in enumerate(key for key in keys if key not in defaulted):
        if number and draw(st.integers(0, 5)) == 0:
            lines.append(draw(st.sampled_from(["# above", "", "      # far in", "#left"])))
        value = fields[key]
        if isinstance(value, tuple):
            shown = draw(st.permutations(list(value)))
            first, *rest = draw(tag_lists(shown))
        else:
            head, *tail = draw(scalars(str(value), flow=False))
            gap = draw(st.sampled_from([" ", "   "]))
            first, rest = (
                gap + head if head else "",
                [f"   {line}" if line else "" for line in tail],
            )
        note = draw(st.sampled_from(["", "", "   # beside"]))
        lines.append(f"{key}:{first}{note if not rest else ''}")
        lines += rest
    return lines


def indented(lines: list[str], by: int, mark: str = "") -> Iterator[str]:
    """`lines` moved to the right, the first behind `mark`."""
    for number, line in enumerate(lines):
        lead = mark if not number else " " * len(mark)
        yield " " * by + lead + line if line else ""


class Shop(NamedTuple):
    """A file, and what its products say, in order."""

    text: str
    values: tuple[Values, ...]


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    """A file of one to three documents in any style."""
    documents: list[list[str]] = []
    said: list[Values] = []
    for _ in range(draw(st.integers(1, 3))):
        lines: list[str] = draw(st.sampled_from([[], ["# head", ""], ["", "# head"]]))
        count = draw(st.integers(1, 3))
        default = draw(st.none() | TAGS)
        made = [draw(_values(len(said) + n)) for n in range(count)]
        said += made
        if count == 1 and default is None and draw(st.booleans()):
            documents.append([*lines, *draw(products(made[0], defaulted=frozenset()))])
            continue
        if default is not None:
            shown = ", ".join(map(double, default))
            lines = [*lines, f"defaults: {{tags: [{shown}]}}  # shared"]
        lines = [*lines, draw(st.sampled_from(["products:", "products:   # all"]))]
        indent, gap = draw(st.integers(0, 3)), draw(st.sampled_from([" ", "   "]))
        for values in made:
            same = default is not None and values[2] == canonical_tags(default)
            defaulted = frozenset({"tags"}) if same else frozenset()
            own = list(draw(products(values, defaulted=defaulted)))
            lines += draw(st.sampled_from([[], [""], [" " * indent + "# product"]]))
            lines += indented(own, indent, f"-{gap}")
        documents.append([*lines, *draw(st.sampled_from([[], ["# tail"], ["", "# tail"]]))])
    text = "\n---\n".join("\n".join(lines) for lines in documents)
    return Shop(text + draw(st.sampled_from(["", "\n", "\n\n"])), tuple(said))


@st.composite
def _values(draw: st.DrawFn, number: int) -> Values:
    """What product `number` says: a store_id of its own, a name, and perhaps more."""
    url = draw(st.sampled_from([None, "", "https://cdn.example.com/a?b=1:2"]))
    kind = draw(st.none() | st.sampled_from(["top", "No", "12:30"]))
    tags = draw(st.none() | TAGS)
    return (
        draw(st.sampled_from([f"{number:04}", f"id {number}", f"{number}e3"])),
        draw(WORDS),
        None if tags is None else canonical_tags(tags),
        url,
        kind,
    )
