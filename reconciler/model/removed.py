"""Removed: a remote product that a delete removed."""

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.fields import Value
from reconciler.model.remote import Record


class Removed(NamedTuple):
    """A remote product that a delete removed.

    `at` is the time of the delete in UTC (ISO 8601, as `stamp` writes it), `record` the whole
    product as it was listed, and `written` its write-only values by field, as the ledger knew them.
    """

    id: str
    store_id: str
    at: str
    record: Record
    written: Mapping[str, Value]
