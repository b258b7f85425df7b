"""Stories about the past: catalogue revisions, earlier applies, and the content of the ledger.

Nothing here calls the API, so no key is needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.catalog.read import load_catalog
from reconciler.catalog.revision import load_revision, merge_base
from reconciler.catalog.worktrees import WorkTrees
from reconciler.codes import Code
from reconciler.errors import CatalogError, LedgerError, PlanFileError, UsageError
from reconciler.ledger.holder import Holder
from reconciler.ledger.open import move, open_ledger
from reconciler.ledger.stores import LedgerStore
from reconciler.model import Catalog, Finding, Ledger, LedgerKind, Removed
from reconciler.planning.diff import diff
from reconciler.planning.guard import with_refusals
from reconciler.planning.hints import OF_REMOTE
from reconciler.planning.insync import in_sync
from reconciler.planning.plan import Plan
from reconciler.policy.guard_rule import guarded
from reconciler.policy.plan_rule import linted
from reconciler.reconcile.store import DATA, SANDBOX
from reconciler.report.history import LogEntry, applies_of, apply_of, parse_journal
from reconciler.settings.model import is_sandbox

if TYPE_CHECKING:
    from reconciler.settings import Settings

# Prefixes of the result of a delete that certainly removed nothing.
_NOT_REMOVED: Final = ("not sent", Code.REJECTED, Code.KEY_REFUSED)


def diff_revisions(
    settings: "Settings",
    revisions: str,
    *,
    store: str | None = None,
    catalog: Path | None = None,
    select: Sequence[str] = (),
) -> Plan:
    """The changes between two catalogue revisions, as a plan for a remote equal to the first.

    `revisions` is `REV` (compared with the work tree), `REV..REV`, or `REV...REV` (from the newest
    commit that is an ancestor of both). Offline: Robosize's ids are not known, so a product's first
    store_id stands for its id. Raises GitError if git lacks a revision, and CatalogError for errors
    in either catalogue.
    """
    name = settings.store_name(store)
    folder = settings.folder / catalog if catalog else settings.store(name).catalog
    settings = settings.for_store(name)
    before, after = _both_sides(settings, folder, revisions)
    # A remote that is equal to the first revision makes the plan the difference of the two.
    remote, ledger = in_sync(before)
    changes = diff(
        after,
        remote,
        ledger,
        store=name,
        prune=settings.prune,
        protected=settings.protected,
        select=select,
        ignore=settings.left_alone(),
    )
    # The remote was not read, so warnings about what it lacks would be wrong.
    warnings = tuple(found for found in changes.warnings if found.code not in OF_REMOTE)
    made = replace(changes, warnings=warnings)
    ruleset = settings.ruleset()
    made = linted(made, after, remote, ruleset, listed=False)
    made = with_refusals(made, settings.limits.for_guard())
    return guarded(made, remote, ledger, ruleset)


def _both_sides(settings: "Settings", folder: Path, revisions: str) -> tuple[Catalog, Catalog]:
    working, lint = settings.folder, settings.ruleset()
    first, dots, second = _split(revisions)
    if not dots:
        before = load_revision(folder, first, working_folder=working)
        after = load_catalog(folder, working_folder=working, lint=lint)
        return before, WorkTrees().revision(folder).of(after)
    start = merge_base(folder, first, second) if dots == "..." else first
    before = load_revision(folder, start, working_folder=working)
    after = load_revision(folder, second, working_folder=working, lint=lint)
    if not before.files and not after.files:
        message = f"Neither {first} nor {second} has files in the catalogue folder {folder.name}."
        raise CatalogError(
            [Finding("error", Code.NO_CATALOG, message)],
            hint="Name the folder with --catalog, or check that these are the right revisions.",
        )
    return before, after


def _split(revisions: str) -> tuple[str, str, str]:
    """The two revisions and the dots between them; a missing one is HEAD, as in git."""
    # The longer one first, since it contains the shorter.
    for dots in ("...", ".."):
        first, found, second = revisions.partition(dots)
        if found:
            return first or "HEAD", dots, second or "HEAD"
    return revisions, "", ""


def ledger_store(
    settings: "Settings", store: str | None = None, *, sandbox: bool = False
) -> LedgerStore:
    """The ledger of a store as the settings keep it, or of the embedded sandbox."""
    # "sandbox" counts as a name too, since the error for a held lock shows it after --store.
    if store is not None and is_sandbox(store):
        return _ledger(settings, "file", store)
    if sandbox:
        return _ledger(settings, "file", SANDBOX)
    return _ledger(settings, settings.ledger, settings.store_name(store))


def _ledger(settings: "Settings", kind: LedgerKind, store: str) -> LedgerStore:
    return open_ledger(kind, store=store, folder=settings.folder, remote=settings.ledger_remote)


def removed_products(kept: LedgerStore, journal: Path | None = None) -> Sequence[Removed]:
    """The removed products, the oldest first, from the ledger's archive or from one journal.

    From a journal these are the deletes that took effect or may have. Raises LedgerError if the
    ledger cannot be read, and PlanFileError if the journal cannot.
    """
    if journal is None:
        return kept.removed()
    try:
        calls = parse_journal(journal.read_bytes()).calls
    except OSError as error:
        raise PlanFileError(
            f"The journal {journal} cannot be read: {error.strerror or error}.",
            hint="Journals are in .reconciler/journal of the folder that applied.",
        ) from None
    return [
        Removed(str(call.ids[0]), str(call.store_ids[0]), call.at, call.record, {})
        for call in calls
        if isinstance(call.record, Mapping)
        and call.ids
        and call.store_ids
        # A lost answer counts as removed: a copy too many does no harm, one too few loses data
        # (P3).
        and not (call.result or "").startswith(_NOT_REMOVED)
    ]


def move_ledger(
    settings: "Settings", source: LedgerKind, target: LedgerKind, store: str | None = None
) -> tuple[Ledger, LedgerStore]:
    """Move the ledger of a store to the other kind; return the ledger and its new LedgerStore.

    Raises LedgerError if there is no ledger, or a different one at the target.
    """
    # A move ends by removing the source, which would be the target too.
    if source == target:
        raise UsageError(
            f"The ledger cannot be moved from {source} to {target}: they are the same.",
            hint="Type `reconciler ledger move file git`, or `git file`.",
        )
    name = settings.store_name(store)
    moved_to = _ledger(settings, target, name)
    return move(_ledger(settings, source, name), moved_to, holder=Holder.here()), moved_to


def log(settings: "Settings", kept: LedgerStore, *, limit: int) -> tuple[LogEntry, ...]:
    """The last `limit` applies of a store, newest first.

    They are read from the history of its ledger, or from the journals if it has no history (a
    file). Raises LedgerError if the history cannot be read.
    """
    # An apply makes up to two commits: its doubts before the first write, and its result.
    history = kept.history(2 * limit + 1)
    if history:
        return tuple(applies_of(history))[:limit]
    folder = settings.folder / DATA / "journal"
    names = sorted(folder.glob(f"*-{kept.store}.jsonl"), reverse=True)
    # A name is year-month-day…-store, and the name of one store may be the end of another's.
    mine = [path for path in names if path.stem.split("-", 3)[3:] == [kept.store]]
    return tuple(_of_journal(path) for path in mine[:limit])


def _of_journal(path: Path) -> LogEntry:
    """The apply that a journal records."""
    try:
        journal = parse_journal(path.read_bytes())
    except OSError as error:
        raise LedgerError(
            f"The journal {path} cannot be read: {error.strerror or error}.",
            hint="Make it a file that this user may read.",
        ) from None
    # One damaged journal must not hide the others.
    except PlanFileError as error:
        return LogEntry(path.stem, None, error.message, None, None, None, path.name)
    return apply_of(journal, path.name)
