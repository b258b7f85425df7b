"""Names of catalogue files in messages: their paths relative to the working folder."""

# Names have `/` on Windows too, so that plans and messages are the same bytes everywhere (P8).
import posixpath


class Names:
    """Names for the files of the catalogue whose folder is called `root`.

    `within` is the path from that folder to the working folder, if the working folder is inside it,
    as with `--catalog ..`. A file below the working folder is then named relative to that, without
    a path that goes up and down again.
    """

    __slots__ = ("_above", "_within", "root")

    def __init__(self, root: str, within: str = "") -> None:
        self.root = root or "."
        self._within = within
        self._above = "" if self.root == "." else f"{self.root}/"

    def of(self, below: str) -> str:
        """The name of the file or folder at `below`, a path in the catalogue's folder or ""."""
        if not below:
            return self.root
        return posixpath.relpath(below, self._within) if self._within else self._above + below

    def below(self, name: str) -> str | None:
        """The path from the catalogue's folder to the file `name`; None if it is outside."""
        if self._within:
            name = posixpath.normpath(posixpath.join(self._within, name))
            # normpath leaves `..` only at the front, so this shows whether the path leads out.
            return None if name.split("/")[0] in (".", "..") else name
        return name.removeprefix(self._above) if name.startswith(self._above) else None
