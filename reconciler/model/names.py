"""What messages call the files of a catalogue: their way from the working folder."""

import posixpath


class Names:
    """What messages call the files of a catalogue whose folder is `root`.

    `within` is the way from that folder to the working folder, if this stands inside of it, as for
    `--catalog ..`: a file below the working folder is named from there, not by a way that leaves it
    and comes back.
    """

    __slots__ = ("_above", "_within", "root")

    def __init__(self, root: str, within: str = "") -> None:
        self.root = root or "."
        self._within = within
        self._above = "" if self.root == "." else f"{self.root}/"

    def of(self, below: str) -> str:
        """The name of the file or folder that is `below` the catalogue's folder, "" for that."""
        if not below:
            return self.root
        return posixpath.relpath(below, self._within) if self._within else self._above + below

    def below(self, name: str) -> str | None:
        """The way from the catalogue's folder to the file `name`; None if it is not below it."""
        if self._within:
            name = posixpath.normpath(posixpath.join(self._within, name))
            return None if name.split("/")[0] in (".", "..") else name
        return name.removeprefix(self._above) if name.startswith(self._above) else None
