"""Opens the ledger that the settings name, and moves a ledger between stores of both kinds."""

import re
from pathlib import Path
from threading import Event
from typing import Final

from reconciler.clock import Clock
from reconciler.errors import LedgerError, SettingsError
from reconciler.ledger.file import FileLedger
from reconciler.ledger.holder import Holder
from reconciler.ledger.stores import LedgerStore
from reconciler.model import Ledger, LedgerKind

_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.))*")


def open_ledger(
    kind: LedgerKind,
    *,
    store: str,
    folder: Path,
    remote: str = "origin",
    clock: Clock | None = None,
    stop: Event | None = None,
) -> LedgerStore:
    """The LedgerStore of the store `store`; nothing is read or written yet.

    `folder` is the working folder; `stop`, once set, ends a wait for the lock. Raises
    SettingsError if the name of the store or of the remote cannot be used.
    """
    # Git forbids refs that end in .lock, and x.removed.jsonl is the archive of the store x.
    if not _NAME.fullmatch(store) or store.endswith((".", ".lock", ".removed")):
        raise SettingsError(
            f"The store name {store!r} cannot name a ledger.",
            hint="Use letters, digits, `-`, `_` and single dots, without a dot at either end.",
        )
    if kind == "file":
        return FileLedger(folder, store=store, clock=clock, stop=stop)
    # Git would take such a name for an option.
    if not remote or remote.startswith("-"):
        raise SettingsError(
            f"The git remote {remote!r} is not a name.",
            hint="Name a remote that `git remote` lists; `origin` is the default.",
        )
    from reconciler.ledger.git import GitLedger  # most ledgers are files

    return GitLedger(folder, store=store, remote=remote, clock=clock, stop=stop)


def move(
    source: LedgerStore, target: LedgerStore, *, holder: Holder, timeout: float = 0.0
) -> Ledger:
    """Move the ledger and its archive from `source` to `target`; return the ledger.

    Both are held meanwhile. Raises LedgerError if the source has no ledger or the target has
    a different one, and whatever reading, writing and holding raise.
    """
    with (
        source.hold(timeout=timeout, holder=holder) as old,
        target.hold(timeout=timeout, holder=holder) as new,
    ):
        if not source.exists():
            raise LedgerError(
                f"There is no ledger to move: {source.describe()} does not exist.",
                hint="Check the direction of the move; without a ledger just change the settings.",
            )
        ledger = old.load()
        # Equal is allowed, so that a move that was interrupted can be made again.
        if new.load() not in (Ledger(), ledger):
            raise LedgerError(
                f"The ledger cannot be moved: {target.describe()} already holds another one.",
                hint="Remove that one if you do not need it any more, then move again.",
            )
        message = f"Move the ledger here from {source.describe()}"
        new.save(ledger, message=message, last=True, removed=source.removed())
        # A copy left behind would be out of date if the settings ever named it again.
        old.retire(message=f"Move the ledger away to {target.describe()}")
    return ledger
