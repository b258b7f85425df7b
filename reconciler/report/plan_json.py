"""Plan JSON: the saved plan, and what scripts read ("Plan JSON" in the interface).

Beyond the documented keys a plan carries what makes it whole again when it is read: per update
`seen`, the remote product it was made from, and of a rename `sent_as`; `came_from` of what is
renamed; per update its `type`; per delete `record`; `in_doubt` in a field; `adoptions` and
`partial`. `seen` leaves out the id, which is the change's own.

A saved plan belongs to one endpoint, and is sealed: `seal` is the SHA-256 of all the rest.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler.errors import PlanFileError
from reconciler.model import FIELDS, Finding, Location, RemoteProduct, Value
from reconciler.planning.plan import Change, Delete, FieldChange, Plan, Rehearsal, Update
from reconciler.report.json_text import canonical_text, json_text

if TYPE_CHECKING:
    from pydantic import ValidationError

_FORMAT = "reconciler.plan/1"
_VERSION = 1
_FORMAT_NAME = re.compile(r"reconciler\.plan/([0-9]{1,9})")
_AGAIN = "Make the plan again: reconciler plan --out FILE."


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan from a file: which endpoint it is for, and which version made it when.

    `api_url` is None if no remote was asked, as by `diff`. `operations` are the calls that the
    file shows; an apply derives its own from the changes.
    """

    plan: Plan
    api_url: str | None
    created_at: str
    tool: str
    operations: tuple[Mapping[str, Any], ...] = ()
    rehearsal: Rehearsal | None = None


def plan_json(
    plan: Plan,
    *,
    tool: str,
    created_at: str,
    api_url: str | None = None,
    operations: Sequence[Mapping[str, Any]] = (),
    rehearsal: Rehearsal | None = None,
) -> str:
    """The plan as JSON text, one line a change; `parse_plan` gives an equal Plan back.

    `operations` are in it for reading only.
    """
    document: dict[str, Any] = {
        "format": _FORMAT,
        "tool": tool,
        "store": plan.store,
        "created_at": created_at,
        "digest": plan.digest,
        "catalog": plan.catalog._asdict(),
        "remote": {"products": plan.remote_products, "api_url": api_url},
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
                "came_from": adoption.came_from,
                "outdated": list(adoption.outdated),
            }
            for adoption in plan.adoptions
        ],
        "partial": plan.partial,
        "warnings": [warning_document(warning) for warning in plan.warnings],
        "refusals": [refusal._asdict() for refusal in plan.refusals],
    }
    if rehearsal is not None:
        document["rehearsal"] = rehearsal._asdict()
    return json_text({**document, "seal": _seal(document)})


def _seal(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document's values: the layout of its text does not count."""
    return hashlib.sha256(canonical_text(document).encode()).hexdigest()


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
        # An apply compares it with the list, and refuses what has changed since (P4).
        document["seen"] = {**_seen(change.seen), "image_md": change.image_md}
        if change.type is not None:
            document["type"] = change.type
        if change.sent_as is not None:
            document["sent_as"] = change.sent_as
    elif isinstance(change, Delete):
        document["record"] = dict(change.record)
    if not isinstance(change, Delete) and change.came_from is not None:
        document["came_from"] = change.came_from
    if change.notes:
        document["notes"] = {key: _value(value) for key, value in change.notes}
    return document


def _field(field: FieldChange) -> dict[str, Any]:
    """One field's change; the two marks stand in it only if they are true."""
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


def parse_plan(data: bytes, *, file: str = "the plan file") -> SavedPlan:
    """The plan that `data` holds; `file` names it in errors.

    Raises PlanFileError if the data is damaged or was edited, or its format is newer than this
    tool.
    """
    document = _parse(data, file)
    _check_format(document.get("format"), file)

    from pydantic import ValidationError  # pydantic takes long to load; most commands read no plan

    from reconciler.report.change_schema import UnknownNameError
    from reconciler.report.plan_schema import PlanDocument

    try:
        read = PlanDocument.model_validate(document)
        plan = read.plan()
    except ValidationError as error:
        raise _damaged(file, _first_fault(error)) from error
    except UnknownNameError as error:
        raise _damaged(file, str(error)) from error
    if plan.digest != read.digest:
        raise _damaged(file, "its changes do not match its digest, so it was edited or cut")
    # A seal cannot be part of what it seals.
    del document["seal"]
    # No signature, since whoever edits the file may seal it anew: guards never trust its figures.
    if _seal(document) != read.seal:
        raise _damaged(file, "it does not match its seal, so it was edited after it was made")
    return SavedPlan(
        plan,
        read.remote.api_url,
        read.created_at,
        read.tool,
        tuple(read.operations),
        Rehearsal(**read.rehearsal.model_dump()) if read.rehearsal else None,
    )


def _damaged(file: str, fault: str) -> PlanFileError:
    return PlanFileError(f"{_capital(file)} is damaged: {fault}.", hint=_AGAIN)


def _parse(data: bytes, file: str) -> dict[str, Any]:
    """The JSON object in `data`."""
    try:
        # Some editors begin a file with a byte-order mark, which JSON does not allow.
        document = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_distinct, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise PlanFileError(f"{_capital(file)} is not JSON{where}.", hint=_AGAIN) from error
    if not isinstance(document, dict):
        raise PlanFileError(f"{_capital(file)} is JSON, but not a plan.", hint=_AGAIN)
    return document


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; ValueError if a key stands twice, since readers differ in which one counts."""
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return read


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _check_format(name: object, file: str) -> None:
    """Refuse anything but a plan, and a plan of a format that came after this tool."""
    if name == _FORMAT:
        return
    version = _FORMAT_NAME.fullmatch(name) if isinstance(name, str) else None
    if version and int(version[1]) > _VERSION:
        raise PlanFileError(
            f"{_capital(file)} has the format {name}; this tool reads {_FORMAT}.",
            hint="Upgrade reconciler to the version that made the plan, or make it again here.",
        )
    raise PlanFileError(
        f'{_capital(file)} is not a plan: its "format" is not {_FORMAT}.',
        hint="Name a file that `reconciler plan --out FILE` wrote.",
    )


def _first_fault(error: "ValidationError") -> str:
    """The first thing that a damaged plan lacks or has wrong, and how many more there are."""
    # Without the input, which may be a whole remote record.
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    where = ".".join(str(step) for step in faults[0]["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{where}: {faults[0]['msg'].rstrip('.')}{more}"


def _capital(file: str) -> str:
    """`file` as a sentence begins: "The plan file", while a path stays as it is."""
    return "The" + file[3:] if file.startswith("the ") else file
