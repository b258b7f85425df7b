"""The files of one commit as a work tree would offer them: names, contents, and links followed.

The rules are those of `files`, which walks a real folder: the same names are read from a commit as
from its checkout, so that two revisions can be compared at all.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from reconciler.catalog.files import DEFAULTS_NAMES, belongs, is_defaults
from reconciler.catalog.names import shown_name
from reconciler.codes import Code
from reconciler.model import Names
from reconciler.yamltext.findings import Faults, Findings

_HIDDEN: Final = (".", "_")
_MOST_LINKS: Final = 40
"""How many links one path may lead through; more are a ring."""


class CommitFile(NamedTuple):
    """A file to read: `name` is what messages call it, `blob` the id of its content."""

    name: str
    blob: str


class CommitTree:
    """All paths of a commit, from its top, with `/` between their parts.

    `files` holds the blob of each file, `links` the text of each symbolic link.
    """

    def __init__(self, files: Mapping[str, str], links: Mapping[str, str]) -> None:
        self.files = files
        self.links = links
        self._folders: dict[str, set[str]] = {"": set()}
        for path in (*files, *links):
            # Git lists files only; a folder is known by what is in it.
            while path:
                folder, _, name = path.rpartition("/")
                names = self._folders.setdefault(folder, set())
                # The folders above were met before, with another file.
                if name in names:
                    break
                names.add(name)
                path = folder

    def is_folder(self, path: str) -> bool:
        """Whether `path` is a folder that holds anything."""
        return path in self._folders

    def names(self, folder: str) -> list[str]:
        """What stands in `folder`, sorted."""
        return sorted(self._folders[folder])

    def resolve(self, path: str) -> str | None:
        """The path that `path` leads to if every link is followed; None if the commit lacks it.

        What it leads to need not be there.
        """
        waiting = path.split("/")[::-1]
        walked: list[str] = []
        followed = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                # Above the top of the repository there is nothing that git could have.
                if not walked:
                    return None
                walked.pop()
            elif part not in ("", "."):
                walked.append(part)
                link = self.links.get("/".join(walked))
                if link is not None:
                    followed += 1
                    # An absolute link leads to a machine's own files, which no commit has.
                    if link.startswith("/") or followed > _MOST_LINKS:
                        return None
                    walked.pop()
                    waiting += link.split("/")[::-1]
        return "/".join(walked)


def find_commit_files(
    tree: CommitTree, top: str, names: Names, findings: Findings
) -> list[CommitFile]:
    """The catalogue's files below the folder `top` of `tree`, sorted.

    Links that lead nowhere or out of the catalogue become findings.
    """
    walk = _Walk(tree, top, names, findings)
    walk.folder(top, "")
    # A link may lead to a folder with further links.
    while walk.links:
        # Sorted, so that of two links to one file always the same gives it its name (P8).
        links, walk.links = sorted(walk.links), []
        for below, path in links:
            walk.link(below, path)
    return sorted(walk.found)


class _Walk:
    """One walk over a commit's folders; links are put off to the end."""

    def __init__(self, tree: CommitTree, top: str, names: Names, findings: Findings) -> None:
        self.found: list[CommitFile] = []
        self.links: list[tuple[str, str]] = []
        self._tree = tree
        self._top = top
        self._names = names
        self._findings = findings
        self._folders: set[str] = set()
        self._files: set[str] = set()

    def folder(self, path: str, below: str) -> None:
        """Collect the files in and below the folder `path`, which is `below` the catalogue's."""
        pending = [(path, below)]
        while pending:
            path, below = pending.pop()
            if path in self._folders:
                continue
            self._folders.add(path)
            for entry in self._visible(path):
                inner = f"{path}/{entry}" if path else entry
                lower = f"{below}/{shown_name(entry)}" if below else shown_name(entry)
                if inner in self._tree.links:
                    self.links.append((lower, inner))
                elif self._tree.is_folder(inner):
                    pending.append((inner, lower))
                elif belongs(entry):
                    self._file(inner, lower)

    def link(self, below: str, path: str) -> None:
        """Follow a link, unless it leaves the catalogue or names what is read already."""
        faults = Faults(self._names.of(below), self._findings)
        target = self._tree.resolve(path)
        is_folder = target is not None and self._tree.is_folder(target)
        if not is_folder and not belongs(path.rpartition("/")[2]):
            return
        if target is None or not (is_folder or target in self._tree.files):
            message = "The link leads to nothing in git. Remove it, or fix what it names."
            faults.error(Code.UNREADABLE_FILE, message)
        elif not self._is_below(target):
            message = "The link leaves the catalogue. Move what it names into the catalogue."
            faults.error(Code.OUTSIDE_CATALOG, message)
        elif is_folder:
            self.folder(target, below)
        else:
            self._file(target, below)

    def _file(self, path: str, below: str) -> None:
        # Defaults are meant for each folder that holds them, so a link to them is a file of its
        # own.
        if path in self._files and not is_defaults(below):
            return
        self._files.add(path)
        self.found.append(CommitFile(self._names.of(below), self._tree.files[path]))

    def _visible(self, path: str) -> Iterator[str]:
        for entry in self._tree.names(path):
            if not entry.startswith(_HIDDEN) or entry in DEFAULTS_NAMES:
                yield entry

    def _is_below(self, path: str) -> bool:
        # With the slash: `catalog-old` begins as `catalog` does.
        return not self._top or path == self._top or path.startswith(f"{self._top}/")
