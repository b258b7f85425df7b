"""The versions that a run and its workers must have in common."""

import sys
from collections.abc import Mapping

from reconciler.errors import SettingsError
from reconciler.version import VERSION


def versions() -> dict[str, str]:
    """The versions here: of this tool, and of Dask if it is loaded."""
    found = {"reconciler": VERSION}
    # Looked up and not imported: a run without a scheduler must not wait for Dask to load.
    dask = sys.modules.get("distributed")
    return found | ({} if dask is None else {"distributed": str(dask.__version__)})


def check_versions(wanted: Mapping[str, str]) -> None:
    """Raise SettingsError, which names this worker, if it has other versions than the run."""
    here = versions()
    for name, version in wanted.items():
        if here.get(name) != version:
            raise SettingsError(
                f"The worker {worker_name()} has {name} {here.get(name, 'not at all')}, and this "
                f"run has {version}: a worker must have the same.",
                hint=f"Install {name} {version} on that worker, and start it anew.",
            )


def worker_name() -> str:
    """The address of this Dask worker, or the name of this machine."""
    dask = sys.modules.get("distributed")
    if dask is not None:
        try:
            return str(dask.get_worker().address)
        except ValueError:  # not in a Dask worker
            pass
    import platform

    return platform.node()
