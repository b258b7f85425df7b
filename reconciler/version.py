"""The version of the tool; the build reads it from here too."""

import os

VERSION = "1.0.0"


def commit() -> str | None:
    """The git commit of this code, or None if it cannot be found out.

    A release has it in a file, an installation from git in its metadata, a checkout in HEAD. Only
    small files are read, so that `--version` stays fast.
    """
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # pathlib is slow
    root = os.path.dirname(package)  # noqa: PTH120
    return (
        _hash(_text(package, "COMMIT"))
        or _installed(root)
        or (_checked_out(os.path.join(root, ".git")) if _is_ours(root) else None)  # noqa: PTH118
    )


def version_text() -> str:
    """The version, followed by the commit if that is known: "1.0.0 (c0ffee123456)"."""
    known = commit()
    return f"{VERSION} ({known[:12]})" if known else VERSION


def _is_ours(root: str) -> bool:
    """Whether a folder is this project's checkout, and not a project that bundles a copy."""
    return 'name = "robosize-reconciler"' in _text(root, "pyproject.toml")


def _installed(site: str) -> str | None:
    """The commit that pip recorded when it installed from a git URL, else None."""
    note = _text(site, f"robosize_reconciler-{VERSION}.dist-info", "direct_url.json")
    if not note:
        return None
    # Only an installation from git needs it, and `--version` must stay fast.
    import json

    try:
        return _hash(json.loads(note)["vcs_info"]["commit_id"])
    except (KeyError, TypeError, ValueError):
        return None


def _checked_out(git: str) -> str | None:
    """The commit of HEAD in this `.git`, else None."""
    # In a worktree `.git` is a file that points to the real folder.
    if pointer := _text(git).removeprefix("gitdir:").strip():
        git = os.path.join(os.path.dirname(git), pointer)  # noqa: PTH118, PTH120
    shared = os.path.join(git, _text(git, "commondir").strip())  # noqa: PTH118
    head = _text(git, "HEAD").strip()
    name = head.removeprefix("ref:").strip()
    if name == head:
        return _hash(head)
    packed = (line.split(" ", 1) for line in _text(shared, "packed-refs").splitlines())
    refs = (line[0] for line in packed if line[1:] == [name])
    return _hash(_text(git, name)) or _hash(_text(shared, name)) or _hash(next(refs, ""))


def _hash(text: object) -> str | None:
    """`text` if it is a full git hash, else None."""
    word = text.strip() if isinstance(text, str) else ""
    whole = len(word) in (40, 64) and not word.strip("0123456789abcdef")
    return word if whole else None


def _text(*path: str) -> str:
    """The text of a small file, or "" if it cannot be read."""
    try:
        with open(os.path.join(*path), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            return file.read(1 << 20)
    except (OSError, ValueError):
        return ""
