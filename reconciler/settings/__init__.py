"""Settings: flags over environment over `reconciler.yaml` over defaults (INTERFACE.md, "Settings").

Importing this package imports pydantic, so a command does it only once it needs settings.
"""

from reconciler.settings.load import load_settings
from reconciler.settings.model import DEFAULT_API_URL, FleetCaps, Requests, StoreEntry
from reconciler.settings.section import LimitSettings
from reconciler.settings.store import Settings, StoreSettings

__all__ = [
    "DEFAULT_API_URL",
    "FleetCaps",
    "LimitSettings",
    "Requests",
    "Settings",
    "StoreEntry",
    "StoreSettings",
    "load_settings",
]
