"""The story: one short function for each thing that the tool does. The command line adds nothing.

Values flow one way: catalogue + remote + ledger -> plan -> operations -> outcomes -> report.
"""

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from reconciler.applying.journal import FileJournal
from reconciler.applying.stale import changed_since
from reconciler.catalog.read import check_catalog, load_catalog
from reconciler.catalog.revision import load_revision, with_revision
from reconciler.codes import Code
from reconciler.collection import paused
from reconciler.errors import GuardRefused, PlanFileError, StalePlan
from reconciler.ledger.holder import Holder
from reconciler.ledger.open import open_ledger
from reconciler.ledger.stores import LedgerStore
from reconciler.linting.registry import linted
from reconciler.model import Catalog, Finding, Ledger, Listing
from reconciler.planning.diff import Prune, diff
from reconciler.planning.guard import Allowances, judge
from reconciler.planning.hints import warning
from reconciler.planning.operations import as_json
from reconciler.planning.origin import with_origins
from reconciler.planning.outcome import Report
from reconciler.planning.plan import Plan
from reconciler.progress import Progress, Silent
from reconciler.report.journal_text import JournalRecord, is_journal
from reconciler.report.journal_text import read_journal as parse_journal
from reconciler.report.plan_json import read_plan as parse_plan
from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.remote.client import Client
    from reconciler.settings import Settings, StoreSettings

SANDBOX: Final = "sandbox"
"""The name of the embedded sandbox as a store: its ledger is never a real store's."""

DATA: Final = ".reconciler"
"""The folder, below the working folder, where the tool keeps what it must remember."""


@dataclass(frozen=True, slots=True)
class Options:
    """What one run asks for, beyond the settings; None leaves a setting as it is."""

    select: tuple[str, ...] = ()
    prune: Prune | None = None
    allow_deletes: int | None = None
    allow_updates: int | None = None
    allow_empty: bool = False
    resend: tuple[str, ...] = ()
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """One remote, opened: its client, its ledger, and where its catalogue is."""

    name: str
    client: "Client"
    ledger: LedgerStore
    catalog: Path
    settings: "Settings"

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.settings.folder


@contextmanager
def open_store(
    settings: "Settings",
    name: str | None = None,
    *,
    catalog: Path | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Iterator[Store]:
    """The store called `name`, ready for calls. Raises NoApiKey where there is no key for it."""
    store = settings.store(name)
    key = store.api_key.get_secret_value()
    with _opened(settings, store, store.api_url, key, catalog, progress, stop) as opened:
        yield opened


@contextmanager
def open_sandbox(
    settings: "Settings",
    name: str | None = None,
    *,
    catalog: Path | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Iterator[Store]:
    """An embedded sandbox as a store, its data in `.reconciler/sandbox.sqlite3`."""
    from reconciler.sandbox.server import Sandbox

    store = replace(settings.store(name), name=SANDBOX)
    database = settings.folder / DATA / "sandbox.sqlite3"
    database.parent.mkdir(parents=True, exist_ok=True)
    with (
        Sandbox(database) as sandbox,
        _opened(settings, store, sandbox.url, SANDBOX, catalog, progress, stop) as opened,
    ):
        yield opened


@contextmanager
def _opened(
    settings: "Settings",
    store: "StoreSettings",
    url: str,
    key: str,
    catalog: Path | None,
    progress: Progress | None,
    stop: Event | None,
) -> Iterator[Store]:
    # Commands that make no call import no HTTP.
    from reconciler.remote.client import Client

    stop = stop or Event()
    ledger = open_ledger(
        "file" if store.name == SANDBOX else settings.ledger,
        store=store.name,
        folder=settings.folder,
        remote=settings.ledger_remote,
        stop=stop,
    )
    requests = settings.requests
    bundle = requests.ca_bundle
    with Client(
        url,
        key,
        page_size=requests.page_size,
        concurrency=requests.concurrency,
        timeout=requests.timeout,
        retries=requests.retries,
        rate=requests.rate,
        proxy=requests.proxy,
        ca_bundle=str(settings.folder / bundle) if bundle else None,
        stop=stop,
        progress=progress or Silent(),
    ) as client:
        folder = settings.folder / catalog if catalog else store.catalog
        yield Store(store.name, client, ledger, folder, settings)


def validate(
    settings: "Settings", catalog: Path, paths: Sequence[Path] = ()
) -> tuple[Finding, ...]:
    """All findings about the catalogue, or about `paths` in it; offline."""
    return check_catalog(
        catalog, paths or None, working_folder=settings.folder, lint=settings.lint_levels()
    )


def plan(store: Store, options: Options | None = None) -> Plan:
    """What apply would do now. Writes nothing: not to the remote, the ledger or the catalogue."""
    with paused():
        made, _ = _plan(store, options or Options(), store.ledger.load())
    return made


def _plan(store: Store, options: Options, ledger: Ledger) -> tuple[Plan, Catalog]:
    catalog, listing, base = _read_both(store, options.base)
    made = _diff(store, options, catalog, listing, ledger)
    if base is not None:
        made = with_origins(made, base, listing, ledger, resend=options.resend)
    made = linted(made, catalog, listing, store.settings.lint_levels())
    return _judged(made, store, options), catalog


def _read_both(store: Store, base: str | None) -> tuple[Catalog, Listing, Catalog | None]:
    """The catalogue, the list, and what the catalogue was at the revision `base`, where one is.

    Read side by side: one waits for files, the other for answers.
    """
    background = ThreadPoolExecutor(1, thread_name_prefix="list")
    try:
        listing = background.submit(store.client.list)
        catalog = load_catalog(
            store.catalog, working_folder=store.folder, lint=store.settings.lint_levels()
        )
        before = None
        if base is not None:
            before = load_revision(store.catalog, base, working_folder=store.folder)
        return with_revision(catalog, store.catalog), listing.result(), before
    finally:
        # A catalogue with faults is told at once, however long the server takes to answer.
        background.shutdown(wait=False)


def _diff(
    store: Store, options: Options, catalog: Catalog, listing: Listing, ledger: Ledger
) -> Plan:
    return diff(
        catalog,
        listing,
        ledger,
        store=store.name,
        prune=options.prune or store.settings.prune,
        protected=store.settings.protected,
        select=options.select,
        resend=options.resend,
    )


def _judged(made: Plan, store: Store, options: Options) -> Plan:
    allowances = Allowances(options.allow_deletes, options.allow_updates, options.allow_empty)
    return judge(made, store.settings.limits.for_guard(), allowances)


def operations(made: Plan, settings: "Settings") -> list[dict[str, Any]]:
    """The calls that apply would make for a plan, as the plan file shows them."""
    return as_json(made, batch=settings.requests.batch)


def read_plan(path: Path, store: str | None = None) -> Plan:
    """A saved plan; PlanFileError where it is damaged, of another store, or of a newer format."""
    return parse_plan(_read_saved(path), store=store)


def read_journal(path: Path) -> JournalRecord | None:
    """A journal; None where the file is something else."""
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


def apply(
    store: Store,
    options: Options | None = None,
    *,
    saved: Plan | None = None,
    approve: Callable[[Plan], bool] = lambda _: False,
    lock_timeout: float = 0.0,
    on_write: Callable[[], None] = lambda: None,
) -> Report:
    """Make the remote equal the catalogue, or do what a `saved` plan says and nothing else.

    The store is held from before the plan is made until the last line of the ledger is written, so
    two applies never work from the same state. `approve` is shown the plan; it raises NotConfirmed
    to stop, and returns whether time went by meanwhile (somebody was asked), since then the remote
    is looked at again. `on_write` is called before the first write. Raises GuardRefused, StalePlan,
    Locked and LedgerNotWritten before anything is sent.
    """
    from reconciler.applying.apply import Means, carry_out

    options = options or Options()
    with store.ledger.hold(timeout=lock_timeout, holder=Holder.here()) as held:
        ledger = held.load()
        catalog: Catalog | None = None
        if saved is None:
            made, catalog = _plan(store, options, ledger)
        else:
            made = _judged(saved, store, options)
        asked = approve(made)
        if made.refusals:
            raise _refused(made)
        if made.changes and (asked or saved is not None):
            _refuse_stale(made, store.client.list(), ledger)

        def remains(closing: Listing, final: Ledger) -> Plan:
            again = Options(select=(), prune=options.prune)
            return _diff(store, again, catalog or Catalog.of(), closing, final)

        with _journal(store, made) as journal:
            means = Means(store.client, held, journal, store.settings.requests.batch, on_write)
            proof = remains if catalog is not None and not options.select else None
            return _with_takeover(carry_out(made, ledger, means, proof), held.broke)


def _with_takeover(report: Report, dead: Holder | None) -> Report:
    """The report, with a word about the dead run whose lock was taken over."""
    if dead is None:
        return report
    finding = warning(
        Code.BROKE_A_LOCK,
        f"A run that died held the store: {dead}. What it left in doubt was taken care of.",
    )
    return replace(report, warnings=(finding, *report.warnings))


def _refused(made: Plan) -> GuardRefused:
    reasons = " ".join(refusal.message for refusal in made.refusals)
    flags = " ".join(refusal.allow for refusal in made.refusals)
    return GuardRefused(
        f"Nothing was changed: {reasons}", hint=f"If this is meant, apply again with {flags}."
    )


def _refuse_stale(made: Plan, listing: Listing, ledger: Ledger) -> None:
    details = changed_since(made, listing, ledger)
    if details:
        raise StalePlan(
            "Nothing was changed: the remote is not what the plan was made from any more.",
            details=details,
            hint="Make a new plan, look at it, and apply that.",
        )


@contextmanager
def _journal(store: Store, made: Plan) -> Iterator[Any]:
    """The journal of an apply that changes something; nothing is written where nothing changes."""
    from reconciler.applying.journal import NoJournal

    if not made.changes:
        yield NoJournal()
        return
    header = {
        "tool": VERSION,
        "host": platform.node(),
        "plan_digest": made.digest,
        "commit": made.catalog.commit,
        "summary": made.summary._asdict(),
    }
    folder = store.folder / DATA / "journal"
    with FileJournal(
        folder, store.name, store.client.clock, header, store.settings.journal
    ) as journal:
        yield journal


def unlock(store: LedgerStore) -> Holder | None:
    """Free the lock that a dead run left; returns whose it was, None where there was none."""
    return store.break_lock()
