"""Explains what differs inside two values that are known to differ.

Tags are flat sets, so their difference is plain set arithmetic. What is nested (size charts,
fabrics) is explained by deepdiff.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model import Record, Value
from reconciler.report.escape import escape
from reconciler.report.words import clip, compact

_VALUE_LIMIT = 120


def tag_changes(before: Value | None, after: Value | None) -> tuple[list[str], list[str]]:
    """The tags (added, removed), each in code point order; None counts as no tags."""
    if before == after:
        return [], []
    old, new = _as_set(before), _as_set(after)
    # Sorted, since the order of a set differs from run to run (P8).
    return sorted(new - old), sorted(old - new)


def _as_set(tags: Value | None) -> frozenset[str]:
    """Tags as a set; a text is the set of itself."""
    return frozenset((tags,) if isinstance(tags, str) else tags or ())


def record_changes(before: Record, after: Record) -> tuple[str, ...]:
    """What changed between two remote records, one phrase a place, in the order of the paths.

    A phrase reads "size_chart.M.chest: 52 → 54"; what came is "added", what went "removed". Equal
    records have no phrases, and cost no look inside. The order of tags does not count.
    """
    if before == after:
        return ()
    old, new = dict(before), dict(after)
    phrases = []
    old_tags, new_tags = _tag_names(old.get("tags")), _tag_names(new.get("tags"))
    if old_tags is not None and new_tags is not None:
        old.pop("tags"), new.pop("tags")
        # Not by deepdiff, which takes about 200 microseconds a pair: 20 seconds for 100,000
        # changes.
        added, removed = tag_changes(old_tags, new_tags)
        signed = [f"+ {escape(tag)}" for tag in added] + [f"- {escape(tag)}" for tag in removed]
        phrases += [("tags", "tags: " + "  ".join(signed))] if signed else []
    if old != new:
        phrases += _phrases(old, new)
    # deepdiff groups what it finds by kind, and people read by place.
    return tuple(phrase for _, phrase in sorted(phrases))


def _phrases(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, phrase) for each place that differs."""
    from deepdiff import DeepDiff  # a tenth of a second, spent only when something differs

    # Threshold 0: by default a mapping that has few keys left is shown as replaced whole.
    differences = DeepDiff(old, new, view="tree", threshold_to_diff_deeper=0)
    for relation, levels in differences.items():
        for level in levels:
            path = _path(level.path(output_format="list"))
            if relation.endswith("_added"):
                yield path, f"{path}: added {_short(level.t2)}"
            elif relation.endswith("_removed"):
                yield path, f"{path}: removed {_short(level.t1)}"
            else:
                yield path, f"{path}: {_short(level.t1)} → {_short(level.t2)}"


def _tag_names(tags: object) -> tuple[str, ...] | None:
    """The names in a record's `tags`; None if they are not as documented."""
    if not isinstance(tags, list | tuple):
        return None
    names = [tag.get("name") if isinstance(tag, Mapping) else tag for tag in tags]
    # Tags that are dirty, such as null, are left to deepdiff, which shows any value.
    texts = [name for name in names if isinstance(name, str)]
    return tuple(texts) if len(texts) == len(names) else None


def _path(steps: list[Any]) -> str:
    """A path as people write it: "size_chart.M.chest", with places in lists as "[0]"."""
    text = "".join(
        f"[{step}]" if isinstance(step, int) else f".{escape(str(step))}" for step in steps
    )
    return text.removeprefix(".")


def _short(value: object) -> str:
    """A value as one short piece of text."""
    return clip(compact(value), _VALUE_LIMIT)
