"""The story of what was: the catalogue's revisions, the applies so far, and what is remembered.

It stands beside `reconcile`, which tells what is: nothing here asks the API, so no key is needed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.catalog.read import load_catalog
from reconciler.catalog.revision import load_revision, merge_base, revision_of
from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import CatalogError, LedgerError, PlanFileError, UsageError
from reconciler.ledger.holder import Holder
from reconciler.ledger.open import LedgerKind, move, open_ledger
from reconciler.ledger.stores import LedgerCommit, LedgerStore
from reconciler.linting.registry import linted
from reconciler.model import Catalog, Finding, Ledger, Removed
from reconciler.planning.diff import diff
from reconciler.planning.guard import judge
from reconciler.planning.hints import OF_REMOTE
from reconciler.planning.insync import in_sync
from reconciler.planning.plan import Plan
from reconciler.reconcile.store import DATA, SANDBOX
from reconciler.report.journal_text import read_journal
from reconciler.report.log_text import LogEntry

if TYPE_CHECKING:
    from reconciler.settings import Settings

_COUNTS: Final = r"\d+ created, \d+ updated, \d+ deleted"
_BEGUN: Final = re.compile(rf"Begin ({_COUNTS})")
_ENDED: Final = re.compile(rf"Apply ({_COUNTS}): (\d+ of \d+ done)")
_UNFINISHED: Final = "unfinished"
_NOT_REMOVED: Final = ("not sent", Code.REJECTED, Code.KEY_REFUSED)
"""How the result of a delete begins that surely removed nothing."""


def diff_revisions(
    settings: "Settings",
    revisions: str,
    *,
    store: str | None = None,
    catalog: Path | None = None,
    select: Sequence[str] = (),
) -> Plan:
    """What the catalogue changes between git revisions: the plan for a remote equal to the first.

    `revisions` is `REV` (compared with the work tree), `REV..REV`, or `REV...REV` (from the newest
    commit that both have in their past). Offline: ids are not known, so each product has its first
    store_id for its id. Raises GitError if git lacks a revision, and CatalogError for faults of
    either catalogue.
    """
    name = settings.store_name(store)
    folder = settings.folder / catalog if catalog else settings.store(name).catalog
    before, after = _both_sides(settings, folder, revisions)
    remote, ledger = in_sync(before)
    changes = diff(
        after,
        remote,
        ledger,
        store=name,
        prune=settings.prune,
        protected=settings.protected,
        select=select,
    )
    # What follows from the remote not having something would be said of a remote nobody asked.
    warnings = tuple(found for found in changes.warnings if found.code not in OF_REMOTE)
    made = replace(changes, warnings=warnings)
    made = linted(made, after, remote, settings.lint_levels(), listed=False)
    return judge(made, settings.limits.for_guard())


def _both_sides(settings: "Settings", folder: Path, revisions: str) -> tuple[Catalog, Catalog]:
    working, lint = settings.folder, settings.lint_levels()
    first, dots, second = _split(revisions)
    if not dots:
        before = load_revision(folder, first, working_folder=working)
        after = load_catalog(folder, working_folder=working, lint=lint)
        return before, revision_of(folder).of(after)
    start = merge_base(folder, first, second) if dots == "..." else first
    before = load_revision(folder, start, working_folder=working)
    after = load_revision(folder, second, working_folder=working, lint=lint)
    if not before.files and not after.files:
        message = f"Neither {first} nor {second} has files in the catalogue folder {folder.name}."
        raise CatalogError(
            [Finding("error", Code.NO_CATALOG, message)],
            hint="Name the folder with --catalog, or look whether these are the right revisions.",
        )
    return before, after


def _split(revisions: str) -> tuple[str, str, str]:
    """The two sides and the dots between them; a side left out is HEAD, as in git."""
    for dots in ("...", ".."):
        first, found, second = revisions.partition(dots)
        if found:
            return first or "HEAD", dots, second or "HEAD"
    return revisions, "", ""


def open_memory(
    settings: "Settings", store: str | None = None, *, sandbox: bool = False
) -> LedgerStore:
    """The ledger of a store, where the settings keep it; of the embedded sandbox in its place."""
    # The sandbox is held under its own name, which is what the error of a held lock shows.
    if sandbox or store == SANDBOX:
        return _ledger(settings, "file", SANDBOX)
    return _ledger(settings, settings.ledger, settings.store_name(store))


def _ledger(settings: "Settings", kind: LedgerKind, store: str) -> LedgerStore:
    return open_ledger(kind, store=store, folder=settings.folder, remote=settings.ledger_remote)


def removed(memory: LedgerStore, journal: Path | None = None) -> Sequence[Removed]:
    """What deletes removed, the oldest first: as the ledger keeps it, or as one journal tells it.

    Of a journal that are the deletes that took effect, or may have. Raises LedgerError if the
    ledger cannot be read, and PlanFileError if the journal cannot.
    """
    if journal is None:
        return memory.removed()
    try:
        calls = read_journal(journal.read_bytes()).calls
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
        and not (call.result or "").startswith(_NOT_REMOVED)
    ]


def move_ledger(
    settings: "Settings", source: LedgerKind, target: LedgerKind, store: str | None = None
) -> tuple[Ledger, LedgerStore]:
    """Carry what is remembered of a store to the other kind of ledger; returns it, and its place.

    Raises LedgerError if there is nothing to carry, or another ledger at the target.
    """
    if source == target:
        raise UsageError(
            f"The ledger cannot move from {source} to {target}: that is the same place.",
            hint="Type `reconciler ledger move file git`, or `git file`.",
        )
    name = settings.store_name(store)
    place = _ledger(settings, target, name)
    return move(_ledger(settings, source, name), place, holder=Holder.here()), place


def log(settings: "Settings", memory: LedgerStore, *, limit: int) -> tuple[LogEntry, ...]:
    """The last `limit` applies of a store, newest first.

    They are read from the history of its ledger, and if that has none (a file) from the
    journals. Raises LedgerError if the history cannot be reached.
    """
    # Each apply is up to two commits: its doubts, and its end.
    history = memory.history(2 * limit + 1)
    if history:
        return tuple(_of_history(history))[:limit]
    folder = settings.folder / DATA / "journal"
    names = sorted(folder.glob(f"*-{memory.store}.jsonl"), reverse=True)
    # A name is year-month-day…-store, and a store may be called like the end of another.
    mine = [path for path in names if path.stem.split("-", 3)[3:] == [memory.store]]
    return tuple(_of_journal(path) for path in mine[:limit])


def _of_history(history: Iterable[LedgerCommit]) -> Iterator[LogEntry]:
    """The applies that the commits of a ledger tell of, newest first."""
    ended = None
    for revision in history:
        digest, commit = _trailer(revision, "Plan-Digest"), _trailer(revision, "Catalogue-Commit")
        summary, result = revision.subject, None
        if found := _ENDED.fullmatch(summary):
            summary, result = found.groups()
        elif begun := _BEGUN.fullmatch(summary):
            if digest is not None and digest == ended:
                ended = None
                continue
            summary, result = begun[1], _UNFINISHED
        ended = digest if found else None
        yield LogEntry(
            time=stamp(datetime.fromisoformat(revision.time)),
            by=revision.author,
            summary=summary,
            result=result,
            plan_digest=digest,
            catalog_commit=None if commit == "none" else commit,
            source=revision.commit,
        )


def _trailer(revision: LedgerCommit, key: str) -> str | None:
    """What a line `key: value` of a commit's message says."""
    found = re.search(rf"(?m)^{key}: (\S+)$", revision.body)
    return found[1] if found else None


def _of_journal(path: Path) -> LogEntry:
    """The apply that a journal tells of."""
    try:
        journal = read_journal(path.read_bytes())
    except OSError as error:
        raise LedgerError(
            f"The journal {path} cannot be read: {error.strerror or error}.",
            hint="Make it a file that this user may read.",
        ) from None
    except PlanFileError as error:
        return LogEntry(path.stem, None, error.message, None, None, None, path.name)
    header, calls = journal.header, journal.calls
    counts = header.get("summary") or {}
    done = sum(1 for call in calls if call.result == "ok")
    cut = any(call.result is None for call in calls)
    return LogEntry(
        time=str(header.get("time", "")),
        by=header.get("host"),
        summary=f"{counts.get('create', 0)} created, {counts.get('update', 0)} updated, "
        f"{counts.get('delete', 0)} deleted",
        result=_UNFINISHED if cut else f"{done} of {len(calls)} calls done",
        plan_digest=header.get("plan_digest"),
        catalog_commit=header.get("commit"),
        source=path.name,
    )
