"""A policy to start from: the values in use, those that look like slips first."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.hosts import host_of
from reconciler.model import INDEX, Catalog, Value

_MOST_SHAPES: Final = 3
"""How many shapes of ids are worth a pattern."""
_SHARED_PREFIX: Final = 3
"""So many tags with one prefix become a glob."""
_RUN: Final = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|[^0-9A-Za-z]")
_CLASSES: Final = ("[0-9]", "[A-Z]", "[a-z]")


@dataclass(frozen=True, slots=True)
class Used:
    """A value in use, the number of its products, and a more frequent value that is near."""

    value: str
    count: int
    near: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the products of a catalogue have, as rules could allow it; empty if they have none."""

    products: int
    types: tuple[Used, ...] = ()
    tags: tuple[Used, ...] = ()
    hosts: tuple[Used, ...] = ()
    ids: str | None = None
    """A pattern of all store_ids."""


def suggested(catalogs: Iterable[Catalog]) -> Suggestion:
    """What is in use in some catalogues."""
    products = [product for catalog in catalogs for product in catalog.products.values()]
    columns: Mapping[str, list[Value | None]] = {
        key: [product.values[INDEX[key]] for product in products]
        for key in ("store_id", "type", "tags", "image_url")
    }
    types = Counter(value for value in columns["type"] if isinstance(value, str))
    tags = Counter(tag for value in columns["tags"] for tag in value or ())
    # Parsing a URL is slow, and a shop has few origins, so each is parsed once.
    urls = Counter(_origin(value) for value in columns["image_url"] if value)
    hosts = Counter[str]()
    for url, count in urls.items():
        hosts[host_of(url)] += count
    ids = [value for value in columns["store_id"] if isinstance(value, str)]
    return Suggestion(
        len(products),
        _used(types),
        _used(_with_globs(tags)),
        _used(hosts),
        _shape(ids),
    )


def _origin(url: Value) -> str:
    """The beginning of a URL: most of a shop's have the same."""
    text = str(url)
    return text[: text.find("/", 8) + 1] or text


def _with_globs(tags: Counter[str]) -> Counter[str]:
    """Tags, with `season:*` for many that begin alike."""
    families: defaultdict[str, list[str]] = defaultdict(list)
    for tag in tags:
        prefix, colon, _ = tag.partition(":")
        if colon and prefix:
            families[prefix].append(tag)
    joined = Counter(tags)
    for prefix, members in families.items():
        if len(members) >= _SHARED_PREFIX:
            # A list of all seasons would forbid the next one.
            joined[f"{prefix}:*"] = sum(joined.pop(member) for member in members)
    return joined


def _used(counts: Counter[str]) -> tuple[Used, ...]:
    """Values with their counts: near-twins first, each behind the one it is near to."""
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    near = dict(_twins(ranked))
    families: dict[str, list[str]] = {}
    for twin, value in near.items():
        families.setdefault(value, []).append(twin)
    order = [each for value in ranked if value in families for each in (value, *families[value])]
    order += [value for value in ranked if value not in families and value not in near]
    return tuple(Used(value, counts[value], near.get(value)) for value in order)


def _twins(ranked: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Values that differ from a more frequent one in signs, case or one letter, with that one.

    Each value is known by itself and by what is left if any one letter is taken out, so that the
    cost grows with the values and not with their pairs.
    """
    known: dict[str, str] = {}
    for value in ranked:
        plain = "".join(filter(str.isalnum, value.casefold())) or value
        forms = [plain]
        # In short words and numbers one other letter is mostly another meaning: S and M, 40 and 42.
        if len(plain) > _SHARED_PREFIX and not plain.isdigit():
            forms += [plain[:n] + plain[n + 1 :] for n in range(len(plain))]
        other = next((known[form] for form in forms if form in known), None)
        if other is not None:
            yield value, other
            continue
        for form in forms:
            known.setdefault(form, value)


def _shape(ids: Sequence[str]) -> str | None:
    """A pattern for all ids, if they have few shapes."""
    shapes: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for text in ids:
        runs = _RUN.findall(text)
        shape, lengths = tuple(map(_class_of, runs)), list(map(len, runs))
        known = shapes.setdefault(shape, [(length, length) for length in lengths])
        known[:] = [(min(a, n), max(b, n)) for (a, b), n in zip(known, lengths, strict=True)]
        # A pattern of many shapes would let nearly everything pass.
        if len(shapes) > _MOST_SHAPES:
            return None
    patterns = [
        "".join(map(_repeated, shape, lengths)) for shape, lengths in sorted(shapes.items())
    ]
    return "|".join(patterns) or None


def _class_of(run: str) -> str:
    for pattern in _CLASSES:
        if re.fullmatch(f"{pattern}+", run):
            return pattern
    # Of ASCII alone: other signs mean themselves, and may not be escaped.
    return re.sub(r"[!-,./:-@\[-^`{-~]", r"\\\g<0>", run)


def _repeated(pattern: str, lengths: tuple[int, int]) -> str:
    if pattern not in _CLASSES:
        return pattern
    least, most = lengths
    if least == most:
        return pattern if least == 1 else f"{pattern}{{{least}}}"
    return f"{pattern}{{{least},{most}}}"
