"""Removed: what a delete took away, as far as it was known."""

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.fields import Value
from reconciler.model.remote import Record


class Removed(NamedTuple):
    """One remote product that a delete removed.

    `at` is the time of the delete in UTC (ISO 8601, as `stamp` writes it); `record` is the whole
    product as it was listed; `written` holds by field what the ledger knew of write-only fields.
    """

    id: str
    store_id: str
    at: str
    record: Record
    written: Mapping[str, Value]
