"""Keep a Robosize product catalogue equal to YAML files in git.

    from reconciler import Client, diff, load_catalog, plan, apply

The names are those of the commands, and the command line uses the same functions. Each name is
imported when it is first used, so that importing the package is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.catalog.read import load_catalog as load_catalog
    from reconciler.errors import BadAnswer as BadAnswer
    from reconciler.errors import CatalogError as CatalogError
    from reconciler.errors import ExportError as ExportError
    from reconciler.errors import GitError as GitError
    from reconciler.errors import GuardRefused as GuardRefused
    from reconciler.errors import Interrupted as Interrupted
    from reconciler.errors import KeyRefused as KeyRefused
    from reconciler.errors import LedgerError as LedgerError
    from reconciler.errors import LedgerNotWritten as LedgerNotWritten
    from reconciler.errors import Locked as Locked
    from reconciler.errors import MissingExtra as MissingExtra
    from reconciler.errors import NoApiKey as NoApiKey
    from reconciler.errors import NotConfirmed as NotConfirmed
    from reconciler.errors import OlderCommit as OlderCommit
    from reconciler.errors import OtherShop as OtherShop
    from reconciler.errors import OutputError as OutputError
    from reconciler.errors import PlanFileError as PlanFileError
    from reconciler.errors import ReconcilerError as ReconcilerError
    from reconciler.errors import Rejected as Rejected
    from reconciler.errors import RemoteError as RemoteError
    from reconciler.errors import SettingsError as SettingsError
    from reconciler.errors import StalePlan as StalePlan
    from reconciler.errors import UnmatchedPattern as UnmatchedPattern
    from reconciler.errors import Unreachable as Unreachable
    from reconciler.errors import UnstableList as UnstableList
    from reconciler.errors import UsageError as UsageError
    from reconciler.fleet.open import open_fleet as open_fleet
    from reconciler.fleet.task import StoreTask as StoreTask
    from reconciler.linting.rule import CatalogRule as CatalogRule
    from reconciler.linting.rule import Hit as Hit
    from reconciler.model import Catalog as Catalog
    from reconciler.model import Finding as Finding
    from reconciler.model import Ledger as Ledger
    from reconciler.model import Listing as Listing
    from reconciler.model import Location as Location
    from reconciler.model import Product as Product
    from reconciler.model import RemoteProduct as RemoteProduct
    from reconciler.planning.diff import diff as diff
    from reconciler.planning.operations import operations as operations
    from reconciler.planning.outcome import Outcome as Outcome
    from reconciler.planning.outcome import Report as Report
    from reconciler.planning.plan import Change as Change
    from reconciler.planning.plan import Create as Create
    from reconciler.planning.plan import Delete as Delete
    from reconciler.planning.plan import Plan as Plan
    from reconciler.planning.plan import Update as Update
    from reconciler.policy.plan_rule import Planned as Planned
    from reconciler.policy.plan_rule import PlanRule as PlanRule
    from reconciler.reconcile.files import validate as validate
    from reconciler.reconcile.init import init as init
    from reconciler.reconcile.making import Options as Options
    from reconciler.reconcile.run import apply as apply
    from reconciler.reconcile.run import plan as plan
    from reconciler.reconcile.saved import read_plan as read_plan
    from reconciler.reconcile.schemas import schema as schema
    from reconciler.reconcile.status import status as status
    from reconciler.reconcile.store import Store as Store
    from reconciler.reconcile.store import open_sandbox as open_sandbox
    from reconciler.reconcile.store import open_store as open_store
    from reconciler.remote.calls import Calls as Calls
    from reconciler.remote.client import Client as Client
    from reconciler.report.fleet_results import StoreResult as StoreResult
    from reconciler.report.plan_json import SavedPlan as SavedPlan
    from reconciler.settings import Settings as Settings
    from reconciler.settings import load_settings as load_settings

__version__ = VERSION

_HOMES = {
    "load_catalog": "reconciler.catalog.read",
    "ReconcilerError": "reconciler.errors",
    "UsageError": "reconciler.errors",
    "UnmatchedPattern": "reconciler.errors",
    "NotConfirmed": "reconciler.errors",
    "SettingsError": "reconciler.errors",
    "NoApiKey": "reconciler.errors",
    "CatalogError": "reconciler.errors",
    "ExportError": "reconciler.errors",
    "RemoteError": "reconciler.errors",
    "Unreachable": "reconciler.errors",
    "KeyRefused": "reconciler.errors",
    "Rejected": "reconciler.errors",
    "BadAnswer": "reconciler.errors",
    "UnstableList": "reconciler.errors",
    "LedgerError": "reconciler.errors",
    "LedgerNotWritten": "reconciler.errors",
    "GitError": "reconciler.errors",
    "Locked": "reconciler.errors",
    "PlanFileError": "reconciler.errors",
    "MissingExtra": "reconciler.errors",
    "OutputError": "reconciler.errors",
    "GuardRefused": "reconciler.errors",
    "StalePlan": "reconciler.errors",
    "OlderCommit": "reconciler.errors",
    "OtherShop": "reconciler.errors",
    "Interrupted": "reconciler.errors",
    "open_fleet": "reconciler.fleet.open",
    "StoreTask": "reconciler.fleet.task",
    "StoreResult": "reconciler.report.fleet_results",
    "CatalogRule": "reconciler.linting.rule",
    "Hit": "reconciler.linting.rule",
    "PlanRule": "reconciler.policy.plan_rule",
    "Planned": "reconciler.policy.plan_rule",
    "Catalog": "reconciler.model",
    "Finding": "reconciler.model",
    "Ledger": "reconciler.model",
    "Listing": "reconciler.model",
    "Location": "reconciler.model",
    "Product": "reconciler.model",
    "RemoteProduct": "reconciler.model",
    "diff": "reconciler.planning.diff",
    "operations": "reconciler.planning.operations",
    "Outcome": "reconciler.planning.outcome",
    "Report": "reconciler.planning.outcome",
    "Change": "reconciler.planning.plan",
    "Create": "reconciler.planning.plan",
    "Delete": "reconciler.planning.plan",
    "Plan": "reconciler.planning.plan",
    "Update": "reconciler.planning.plan",
    "Options": "reconciler.reconcile.making",
    "apply": "reconciler.reconcile.run",
    "plan": "reconciler.reconcile.run",
    "read_plan": "reconciler.reconcile.saved",
    "validate": "reconciler.reconcile.files",
    "init": "reconciler.reconcile.init",
    "status": "reconciler.reconcile.status",
    "Calls": "reconciler.remote.calls",
    "Client": "reconciler.remote.client",
    "SavedPlan": "reconciler.report.plan_json",
    "schema": "reconciler.reconcile.schemas",
    "Settings": "reconciler.settings",
    "load_settings": "reconciler.settings",
    "Store": "reconciler.reconcile.store",
    "open_sandbox": "reconciler.reconcile.store",
    "open_store": "reconciler.reconcile.store",
}

__all__ = ["__version__", *_HOMES]

if not TYPE_CHECKING:  # type checkers see the names above, and refuse any other

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
