"""Plan JSON: the saved plan, and what scripts read ("Plan JSON" in the interface).

Beyond the documented keys a plan carries what makes it whole again when it is read: per update
`seen`, the remote product it was made from, and of a rename `place` and `moves_from`; per create
`absent`; per delete `record`; `in_doubt` in a field; `adoptions`; and `released`. `seen` leaves out
the id, which is the change's own.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.errors import PlanFileError
from reconciler.model import FIELDS, Finding, Location, RemoteProduct, Value
from reconciler.planning.plan import Change, Delete, FieldChange, Plan, Update
from reconciler.report.json_text import json_text

if TYPE_CHECKING:
    from pydantic import ValidationError

FORMAT = "reconciler.plan/1"
_VERSION = 1
_FORMAT_NAME = re.compile(r"reconciler\.plan/([0-9]{1,9})")
_AGAIN = "Make the plan again: reconciler plan --out FILE."


def plan_json(
    plan: Plan, *, tool: str, created_at: str, operations: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The plan as JSON text, one line a change; `read_plan` gives an equal Plan back."""
    return json_text(plan_document(plan, tool=tool, created_at=created_at, operations=operations))


def plan_document(
    plan: Plan, *, tool: str, created_at: str, operations: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The plan as plain JSON values; `operations` stand in it for reading only."""
    return {
        "format": FORMAT,
        "tool": tool,
        "store": plan.store,
        "created_at": created_at,
        "digest": plan.digest,
        "catalog": plan.catalog._asdict(),
        "remote": {"products": plan.remote_products},
        "summary": plan.summary._asdict(),
        "changes": [_change(change) for change in plan.changes],
        "operations": list(operations),
        "blocked": [
            {"store_id": blocked.store_id, "ids": list(blocked.ids), "reason": blocked.reason}
            for blocked in plan.blocked
        ],
        "adoptions": [
            {
                "id": adoption.id,
                "store_id": adoption.store_id,
                "assumed": {key: _value(value) for key, value in adoption.assumed.items()},
            }
            for adoption in plan.adoptions
        ],
        "released": [[link._asdict() for link in ring.links] for ring in plan.released],
        "warnings": [warning_document(warning) for warning in plan.warnings],
        "refusals": [refusal._asdict() for refusal in plan.refusals],
    }


def warning_document(warning: Finding) -> dict[str, Any]:
    """A warning of a plan or a report as plain JSON values."""
    return {
        "code": warning.code,
        "message": warning.message,
        "source": _source(warning.location),
    }


def _change(change: Change) -> dict[str, Any]:
    """One change, with what its kind needs to be read back."""
    document: dict[str, Any] = {
        "action": change.action,
        "store_id": change.store_id,
        "id": change.id,
        "name": change.name,
        "source": _source(change.source),
        "origin": change.origin,
        "fields": {key: _field(field) for key, field in change.fields.items()},
    }
    if isinstance(change, Update):
        document["seen"] = {**_seen(change.seen), "image_md": change.image_md}
        for key, value in (("place", change.place), ("moves_from", change.moves_from)):
            if value is not None:
                document[key] = value
    elif isinstance(change, Delete):
        document["record"] = dict(change.record)
    elif change.absent is not None:
        document["absent"] = change.absent
    return document


def _field(field: FieldChange) -> dict[str, Any]:
    """One field's change; the two marks stand in it only where they are true."""
    document: dict[str, Any] = {"before": _value(field.before), "after": _value(field.after)}
    if field.write_only:
        document["write_only"] = True
    if field.in_doubt:
        document["in_doubt"] = True
    return document


def _seen(product: RemoteProduct) -> dict[str, Any]:
    """The readable values of the remote product that an update was made from."""
    return {
        field.key: _value(value)
        for field, value in zip(FIELDS, product.values, strict=True)
        if field.readable
    }


def _value(value: Value | None) -> str | list[str] | None:
    """A field's value as JSON knows it."""
    return list(value) if isinstance(value, tuple) else value


def _source(location: Location | None) -> dict[str, Any] | None:
    """A place as JSON knows it."""
    return location._asdict() if location else None


def read_plan(data: bytes, *, store: str | None, file: str = "the plan file") -> Plan:
    """The Plan that `data` holds; `file` names it in errors, `store` is the one it must be for.

    With `store` None any store's plan is read, as for showing it. Raises PlanFileError where the
    data is damaged, its changes do not match its digest, it is another store's, or its format is
    newer than this tool.
    """
    document = _parse(data, file)
    _check_format(document.get("format"), file)

    from pydantic import ValidationError  # pydantic takes long to load; most commands read no plan

    from reconciler.report.plan_schema import PlanDocument, UnknownNameError

    try:
        read = PlanDocument.model_validate(document)
        plan = read.plan()
    except ValidationError as error:
        raise PlanFileError(
            f"{_capital(file)} is damaged: {_first_fault(error)}.", hint=_AGAIN
        ) from error
    except UnknownNameError as error:
        raise PlanFileError(f"{_capital(file)} is damaged: {error}.", hint=_AGAIN) from error
    if store is not None and plan.store != store:
        raise PlanFileError(
            f'{_capital(file)} is for the store "{plan.store}", not for "{store}".',
            hint=f"Apply it with --store {plan.store}, or make a plan of this store.",
        )
    if plan.digest != read.digest:
        raise PlanFileError(
            f"{_capital(file)} is damaged: its changes do not match its digest, so it was edited"
            " or cut after it was made.",
            hint=_AGAIN,
        )
    return plan


def _parse(data: bytes, file: str) -> dict[str, Any]:
    """The JSON object in `data`."""
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise PlanFileError(f"{_capital(file)} is not JSON{where}.", hint=_AGAIN) from error
    if not isinstance(document, dict):
        raise PlanFileError(f"{_capital(file)} is JSON, but not a plan.", hint=_AGAIN)
    return document


def _check_format(name: object, file: str) -> None:
    """Refuse what is no plan, or one of a format that came after this tool."""
    if name == FORMAT:
        return
    version = _FORMAT_NAME.fullmatch(name) if isinstance(name, str) else None
    if version and int(version[1]) > _VERSION:
        raise PlanFileError(
            f"{_capital(file)} has the format {name}; this tool reads {FORMAT}.",
            hint="Upgrade reconciler to the version that made the plan, or make it again here.",
        )
    raise PlanFileError(
        f'{_capital(file)} is not a plan: its "format" is not {FORMAT}.',
        hint="Name a file that `reconciler plan --out FILE` wrote.",
    )


def _first_fault(error: "ValidationError") -> str:
    """The first thing that a damaged plan lacks or has wrong, and how many more there are."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    where = ".".join(str(step) for step in faults[0]["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {faults[0]['msg'].rstrip('.')}{more}"


def _capital(file: str) -> str:
    """`file` as a sentence begins: "The plan file", while a path stays as it is."""
    return "The" + file[3:] if file.startswith("the ") else file
