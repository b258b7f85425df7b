"""The values that all parts of the tool share: frozen, small, and free of I/O.

All of them can be imported from here.
"""

from reconciler.model.desired import (
    COLUMN_BITS,
    Catalog,
    Finding,
    Location,
    Product,
    Severity,
    first_line,
    pack_location,
    unpack_location,
)
from reconciler.model.fields import (
    FIELDS,
    INDEX,
    KEYS,
    READABLE,
    WRITE_ONLY,
    Body,
    Field,
    Kind,
    Value,
    Values,
    canonical_tags,
)
from reconciler.model.ledger import (
    MOST_APPLIED,
    NOTHING,
    Applied,
    Entries,
    Entry,
    Kept,
    Known,
    Ledger,
    LedgerKind,
    Sent,
    State,
    slot,
)
from reconciler.model.names import Names
from reconciler.model.remote import Listing, Record, RemoteProduct, finite_number, whole_number
from reconciler.model.removed import Removed

__all__ = [
    "COLUMN_BITS",
    "FIELDS",
    "INDEX",
    "KEYS",
    "MOST_APPLIED",
    "NOTHING",
    "READABLE",
    "WRITE_ONLY",
    "Applied",
    "Body",
    "Catalog",
    "Entries",
    "Entry",
    "Field",
    "Finding",
    "Kept",
    "Kind",
    "Known",
    "Ledger",
    "LedgerKind",
    "Listing",
    "Location",
    "Names",
    "Product",
    "Record",
    "RemoteProduct",
    "Removed",
    "Sent",
    "Severity",
    "State",
    "Value",
    "Values",
    "canonical_tags",
    "finite_number",
    "first_line",
    "pack_location",
    "slot",
    "unpack_location",
    "whole_number",
]
