"""A stand-in for GitHub's `gh`: keeps comments and issues in a file and records every call.

It knows the calls that the action makes and refuses all others. What `--jq` asks is answered by jq.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

import jq  # type: ignore[import-not-found]  # compiled, without stubs

STATE: Final = "GH_STATE"
"""The variable that names the file."""

EMPTY: Final[dict[str, Any]] = {"comments": [], "issues": [], "calls": []}


class Refused(Exception):
    """What `gh` says when it fails."""


def options(arguments: list[str]) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """(plain arguments, options, fields): of --field and --raw-field there may be several."""
    plain: list[str] = []
    given: dict[str, str] = {}
    fields: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if argument in ("--field", "--raw-field"):
            name, value = next(rest).split("=", 1)
            if argument == "--field" and value.startswith("@"):
                value = Path(value[1:]).read_text(encoding="utf-8")
            fields[name] = value
        elif argument in ("--paginate", "--silent"):
            given[argument] = ""
        elif argument.startswith("--"):
            given[argument] = next(rest)
        else:
            plain.append(argument)
    return plain, given, fields


def answer(arguments: list[str], state: dict[str, Any]) -> str:
    """What `gh` prints for these arguments, once it has done what they say to `state`."""
    plain, given, fields = options(arguments)
    body = Path(given["--body-file"]).read_text(encoding="utf-8") if "--body-file" in given else ""
    if len(body) > 65_536:
        raise Refused("Body is too long (maximum is 65536 characters)")
    match plain:
        case ["api", "graphql"]:
            return found(fields, state, given["--jq"])
        case ["api", path] if given["--method"] == "PATCH":
            entry = by_id(
                state["comments"], path.removeprefix("repos/shop/catalog/issues/comments/")
            )
            entry["body"] = fields["body"]
        case ["pr", "comment", number]:
            comments = state["comments"]
            comments.append(
                {"id": len(comments) + 1, "number": int(number), "mine": True, "body": body}
            )
        case ["issue", "create"]:
            issues = state["issues"]
            issues.append(
                {"id": len(issues) + 1, "title": given["--title"], "mine": True, "body": body}
            )
        case ["issue", "edit", number]:
            by_id(state["issues"], number)["body"] = body
        case ["issue", "close", number]:
            by_id(state["issues"], number)["closed"] = given["--comment"]
        case _:
            raise Refused(f"unknown call: {arguments}")
    return ""


def by_id(entries: list[dict[str, Any]], id: str) -> dict[str, Any]:
    """The entry with this id, which there must be."""
    return next(entry for entry in entries if str(entry["id"]) == id)


def found(fields: dict[str, str], state: dict[str, Any], question: str) -> str:
    """The answer to one of the two GraphQL queries, as `--jq` prints it."""
    if (fields["owner"], fields["name"]) != ("shop", "catalog"):
        raise Refused("Could not resolve to a Repository")
    number = fields.get("number")
    entries = [
        {"id": entry["id"], "body": entry["body"], "viewerDidAuthor": entry["mine"]}
        for entry in (state["comments"] if number else state["issues"])
        if not entry.get("closed") and (not number or entry["number"] == int(number))
    ]
    nodes = {"found": {"pageInfo": {"hasNextPage": False}, "nodes": entries}}
    repository = {"pullRequest": nodes} if number else nodes
    lines = jq.compile(question).input_value({"data": {"repository": repository}})
    return "".join(f"{line}\n" for line in lines)


def call(arguments: list[str]) -> tuple[int, str, str]:
    """One call of `gh`, in the environment of this process: exit code, and what it prints."""
    file = Path(os.environ[STATE])
    state = json.loads(file.read_text(encoding="utf-8"))
    state["calls"].append(arguments[:2])
    try:
        if not os.environ.get("GH_TOKEN") or os.environ.get("GH_BROKEN"):
            raise Refused("HTTP 403: Resource not accessible by integration")
        return 0, answer(arguments, state), ""
    except Refused as refused:
        return 1, "", f"{refused}\n"
    finally:
        file.write_text(json.dumps(state), encoding="utf-8")
