"""Defaults of folders: what each `_defaults.yaml` gives to the files in and below its folder."""

from reconciler.catalog.products import NO_DEFAULTS, Defaults, nearest
from reconciler.catalog.values import Written
from reconciler.codes import Code
from reconciler.yamltext.findings import Faults


class FolderDefaults:
    """The defaults of every folder, by its way below the catalogue's folder, "" for that.

    `written` are all that were taken in, in their order.
    """

    def __init__(self) -> None:
        self.written: list[Written] = []
        self._own: dict[str, tuple[str, Defaults]] = {}
        self._chains: dict[str, Defaults] = {}

    def add(self, folder: str, values: Defaults, faults: Faults) -> None:
        """Take in what a file of `folder` says, unless another has spoken for the folder."""
        self.written += filter(None, values.written)
        other, _ = self._own.setdefault(folder, (faults.file, values))
        # `_defaults.yaml` and `_defaults.yml` may stand side by side.
        if other != faults.file:
            message = f"The folder has defaults already, in {other}. Keep one of the files."
            faults.error(Code.DUPLICATE_KEY, message)

    def of(self, folder: str) -> Defaults:
        """The defaults for files in `folder`: its own, then those of the folders above.

        Asked when all were taken in.
        """
        known = self._chains.get(folder)
        if known is None:
            _, own = self._own.get(folder, ("", NO_DEFAULTS))
            above = folder.rpartition("/")[0]
            known = nearest(own, self.of(above)) if folder else own
            self._chains[folder] = known
        return known
