"""Plans without the records of their deletes, for pages that others can read."""

from dataclasses import replace

from reconciler.planning.hints import HAND_ENTERED
from reconciler.planning.plan import Delete, Plan


def bare(plan: Plan) -> Plan:
    """`plan` with only the names of the filled-in fields in the records of its deletes."""
    changes = [
        replace(
            change,
            # A record may hold comments of staff, which must not stand on a page that others read.
            record={key: "(not shown)" for key in HAND_ENTERED if change.record.get(key)},
        )
        if isinstance(change, Delete)
        else change
        for change in plan.changes
    ]
    return replace(plan, changes=tuple(changes))
