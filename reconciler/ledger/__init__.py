"""Where the Ledger is kept between two runs, and how one apply at a time holds it."""

from reconciler.ledger.codec import decode, encode
from reconciler.ledger.file import FileLedger
from reconciler.ledger.git import GitLedger
from reconciler.ledger.holder import Holder
from reconciler.ledger.open import LedgerKind, move, open_ledger
from reconciler.ledger.stores import HeldLedger, LedgerStore, Revision

__all__ = [
    "FileLedger",
    "GitLedger",
    "HeldLedger",
    "Holder",
    "LedgerKind",
    "LedgerStore",
    "Revision",
    "decode",
    "encode",
    "move",
    "open_ledger",
]
