"""The JSON Schemas of plans and reports: the models' shapes, with a description of each key."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from reconciler.report.plan_schema import PlanDocument
from reconciler.report.report_schema import ReportDocument

WORDS: Final[Mapping[str, tuple[str, Any]]] = {
    "PlanDocument.format": ("The format and its version.", "reconciler.plan/1"),
    "ReportDocument.format": ("The format and its version.", "reconciler.report/1"),
    "tool": ("The version of reconciler that wrote it.", "1.0.0"),
    "store": ("The store's name in the settings.", "default"),
    "created_at": ("When the plan was made, in UTC.", "2024-05-01T09:30:00Z"),
    "PlanDocument.digest": (
        "SHA-256 of the changes alone: equal for plans with the same changes.",
        "9f86d081884c7d65",
    ),
    "plan_digest": ("The digest of the plan that was applied.", "9f86d081884c7d65"),
    "PlanDocument.catalog": ("The declared side.", {"products": 24}),
    "remote": ("The remote side.", {"products": 23}),
    "api_url": ("The endpoint, without a key; null if no remote was asked.", "https://…/"),
    "seal": ("SHA-256 of all the rest: an edited file is refused.", "9f86d081884c7d65"),
    "PlanDocument.summary": ("The plan in numbers.", {"create": 1, "update": 2}),
    "ReportDocument.summary": ("The outcomes in numbers.", {"applied": 3, "failed": 0}),
    "changes": ("What would be done, sorted by action and store_id.", []),
    "operations": ("The calls this takes; for reading, an apply derives its own.", []),
    "PlanDocument.blocked": ("What is left untouched, and why.", []),
    "warnings": ("What may be a mistake; `reconciler explain CODE` tells more.", []),
    "refusals": ("What apply refuses, and the flag that allows it.", []),
    "partial": ("Whether edits were left out, by --select or --only.", False),
    "rehearsal": (
        "How it went on a copy of the remote, with --rehearse.",
        {"calls": 31, "converges": True},
    ),
    "calls": ("How many calls the copy got, the list's included.", 31),
    "converges": ("Whether a second plan was empty.", True),
    "adoptions": ("What a successful apply will remember as assumed.", []),
    "products": ("How many products there are.", 24),
    "CatalogDocument.digest": ("SHA-256 of the catalogue's files.", "2c26b46b68ffc68f"),
    "commit": ("The git commit of the catalogue, if there is one.", "4b825dc"),
    "dirty": ("Whether files differ from that commit.", False),
    "SummaryDocument.create": ("Products to be created.", 1),
    "SummaryDocument.update": ("Products to be updated or renamed.", 2),
    "SummaryDocument.delete": ("Products to be deleted.", 1),
    "unchanged": ("Declared products that are equal at the remote.", 20),
    "SummaryDocument.blocked": ("Products that are left untouched.", 0),
    "unconfirmed": ("Products with write-only values that are not confirmed.", 0),
    "kept": ("Products at which the server keeps another value than was sent.", 0),
    "undeclared": ("Remote products that nothing declares and that stay all the same.", 0),
    "action": ("What is done.", "update"),
    "store_id": ("The product's id in the shop; null if the remote has none.", "10391"),
    "id": ("The product's id at Robosize; null if none is known.", "5f2c"),
    "name": ("The product's name.", "Wool coat"),
    "source": (
        "The location at which it is declared.",
        {"file": "catalog/coats.yaml", "line": 14, "column": 5},
    ),
    "origin": ("Whose change it is, with --base: this branch's, the remote's, or both.", "edit"),
    "fields": ("What becomes of each field.", {"name": {"before": "Coat", "after": "Wool coat"}}),
    "seen": ("The remote product that the plan was made from.", {"store_id": "10391"}),
    "type": ("The declared type, for showing.", "top"),
    "sent_as": ("What the store_id was sent as, if the server keeps another one.", None),
    "came_from": ("The `renamed_from` that is declared.", "9001"),
    "notes": ("The shop's own keys of the product, which are never sent.", {"x-owner": "anna"}),
    "outdated": ("Fields for which it forgets what the server kept.", ["name"]),
    "record": ("Everything that the remote holds and the delete destroys.", {"id": "5f2c"}),
    "before": ("The value so far; null if there is none, or it is not known.", ["autumn"]),
    "after": ("The value afterwards; null if a delete takes it away.", ["winter"]),
    "write_only": ("Whether the API never returns this field.", True),
    "in_doubt": ("Whether it was sent before and the answer never seen.", False),
    "tags": ("The tags at the remote.", ["autumn"]),
    "image_md": ("The service's own rendition of the image.", None),
    "file": ("The file, relative to the working folder.", "catalog/coats.yaml"),
    "line": ("The line, from 1.", 14),
    "column": ("The column in characters, from 1.", 5),
    "ids": ("The ids at Robosize.", ["5f2c"]),
    "reason": ("The code that says why.", "duplicate_remote"),
    "assumed": ("Values by field, taken as given.", {"type": "top"}),
    "code": ("The stable name of what it is about.", "unconfirmed"),
    "message": ("What to know, in words.", "The plan would delete 40 products of 100."),
    "allow": ("The flag that allows it.", "--allow-deletes 40"),
    "started_at": ("When the apply began, in UTC.", "2024-05-01T09:30:00Z"),
    "finished_at": ("When it ended, in UTC.", "2024-05-01T09:31:00Z"),
    "requests": ("The calls that were made.", {"GET": 2, "PATCH": 1}),
    "GET": ("Pages read.", 2),
    "POST": ("Products sent to be created.", 1),
    "PATCH": ("Calls that update.", 1),
    "DELETE": ("Calls that delete.", 1),
    "retries": ("Calls that were repeated.", 0),
    "converged": (
        "Whether a plan made right after is empty, for a saved plan or a selection as far as that "
        "goes; null if that is unknown.",
        True,
    ),
    "interrupted": ("Whether the apply was asked to stop.", False),
    "error": ("What went wrong, if anything did.", None),
    "outcomes": ("Every change with what became of it.", []),
    "outcome": ("What became of the change.", "applied"),
    "applied": ("Changes that took effect.", 3),
    "failed": ("Changes that did not.", 0),
    "not_attempted": ("Changes that were not tried.", 0),
    "unknown": ("Changes that took effect or not: nobody knows.", 0),
}
"""A description and an example for each property, by its name or by `Model.name`."""


def plan_schema() -> dict[str, Any]:
    """The schema of a plan."""
    return _told(PlanDocument, "A plan of reconciler")


def report_schema() -> dict[str, Any]:
    """The schema of an apply report."""
    return _told(ReportDocument, "A report of reconciler")


def _told(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The model's schema with words for every property."""
    schema = model.model_json_schema()
    _tell(model.__name__, schema)
    for name, definition in schema["$defs"].items():
        _tell(name, definition)
    return {**schema, "title": title}


def _tell(model: str, schema: dict[str, Any]) -> None:
    for key, definition in schema.get("properties", {}).items():
        # The model's own word first: `summary` of a plan and of a report count different things.
        words = WORDS.get(f"{model}.{key}", WORDS.get(key))
        if words is not None:
            definition["description"], example = words
            definition["examples"] = [example]
