"""The stories: one short function for each command. The command line only parses and renders.

Values flow one way: catalogue + remote + ledger -> plan -> operations -> outcomes -> report.
Names are imported when they are first used, since most commands need only a few.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.reconcile.files import validate as validate
    from reconciler.reconcile.making import Options as Options
    from reconciler.reconcile.run import apply as apply
    from reconciler.reconcile.run import dry_run as dry_run
    from reconciler.reconcile.run import plan as plan
    from reconciler.reconcile.run import unlock as unlock
    from reconciler.reconcile.saved import check_store as check_store
    from reconciler.reconcile.saved import read_journal as read_journal
    from reconciler.reconcile.saved import read_plan as read_plan

__all__ = [
    "Options",
    "apply",
    "check_store",
    "dry_run",
    "plan",
    "read_journal",
    "read_plan",
    "unlock",
    "validate",
]

if not TYPE_CHECKING:  # type checkers see the names above, and refuse any other

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from reconciler.reconcile import files, run, saved

        return getattr(next(home for home in (run, saved, files) if hasattr(home, name)), name)
