"""Saved plans: how they are read, and the checks of a plan before it runs.

These are for its store, the age of its commit, and an earlier apply.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.catalog.ancestry import is_older
from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import OlderCommit, OtherShop, PlanFileError
from reconciler.model import Finding, Ledger, Listing
from reconciler.planning.hints import warning
from reconciler.planning.outcome import Report
from reconciler.planning.plan import Plan
from reconciler.reconcile.store import Store
from reconciler.settings.model import is_sandbox

if TYPE_CHECKING:
    from reconciler.report.history import JournalRecord
    from reconciler.report.plan_json import SavedPlan


def read_plan(path: Path) -> "SavedPlan":
    """Read a saved plan; PlanFileError if it is damaged, edited, or of a newer format."""
    from reconciler.report.plan_json import parse_plan

    return parse_plan(_read_saved(path), file=str(path))


def read_journal(path: Path) -> "JournalRecord | None":
    """Read a journal; None if the file is something else."""
    from reconciler.report.history import is_journal, parse_journal

    data = _read_saved(path)
    return parse_journal(data) if is_journal(data) else None


def _read_saved(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PlanFileError(
            f"The file {path} cannot be read: {error.strerror or error}.",
            hint="Make a plan with `reconciler plan --out FILE`.",
        ) from None


def of_this_shop(saved: "SavedPlan | Plan", store: Store) -> Plan:
    """The plan to carry out; OtherShop if it is for another endpoint or store."""
    # A Plan from this process knows only its store; one from a file also has its endpoint.
    if isinstance(saved, Plan):
        made, endpoint = saved, store.endpoint
    else:
        made, endpoint = saved.plan, saved.api_url or "no remote"
    # Before the endpoints: a wrong store explains a wrong endpoint.
    check_store(made, store.name)
    if endpoint != store.endpoint:
        raise OtherShop(
            f"Nothing was changed: the plan is for {endpoint}, and the store {store.name!r} is "
            f"at {store.endpoint} now.",
            hint="Apply it with the settings that it was made with, or make a plan of this shop.",
        )
    return made


def check_store(made: Plan, store: str) -> None:
    """Raise OtherShop if a plan is not for the store called `store`."""
    if made.store != store:
        sandbox = is_sandbox(made.store)
        raise OtherShop(
            f"Nothing was changed: the plan is for the store {made.store!r}, not for {store!r}.",
            hint="Apply it with --sandbox, or make a plan of this store."
            if sandbox
            else "Apply it with the settings that it was made with; it needs no --store.",
        )


def applied_commit(ledger: Ledger) -> str | None:
    """The commit that was applied last, as the ledger knows it, or None."""
    return next((applied.commit for applied in reversed(ledger.applied) if applied.commit), None)


def check_age(made: Plan, ledger: Ledger, store: Store, *, allow_older: bool) -> list[Finding]:
    """Raise OlderCommit if a plan's commit is an ancestor of the one that was applied last.

    Returns a warning if that is not known. With `allow_older` nothing is checked.
    """
    commit, last = made.catalog.commit, applied_commit(ledger)
    # A ledger in a file is not shared, so it may not know the last apply.
    if allow_older or store.settings.ledger != "git" or commit is None or last is None:
        return []
    remote = store.settings.ledger_remote
    older = is_older(store.catalog, commit, last, remote=remote)
    if older is None:
        return [
            warning(
                Code.AGE_UNKNOWN,
                f"Whether the commit {commit[:12]} is older than {last[:12]}, which was applied "
                "last, is not known: git does not have both in one history.",
            )
        ]
    if older:
        raise OlderCommit(
            f"Nothing was changed: the commit {commit[:12]} is older than {last[:12]}, which was "
            "applied last.",
            hint="Run the pipeline of the newest commit. To go back on purpose, revert in git, or "
            "apply with --allow-older.",
        )
    return []


def already_applied(made: Plan, ledger: Ledger, listing: Listing, store: Store) -> Report | None:
    """The report of a saved plan that was applied before and still fits, or None."""
    # Only an apply needs it, and most runs are plans.
    from reconciler.applying.stale import holds

    # Being applied once is not enough: the remote may have been changed back since.
    before = [applied for applied in ledger.applied if applied.digest == made.digest]
    if not before or not holds(made, listing, ledger):
        return None
    now = stamp(store.client.clock.utc())
    done = warning(
        Code.ALREADY_APPLIED,
        f"This plan was already applied, {before[-1].at}, and the remote still agrees, so "
        "nothing was sent.",
    )
    # Only the list was read, so only its calls can be in the account (P6).
    calls = {method: store.client.calls[method] for method in ("GET", "retries")}
    return Report(
        store=made.store,
        plan_digest=made.digest,
        started_at=now,
        finished_at=now,
        requests=calls,
        converged=True,
        warnings=(done,),
        partial=True,
    )
