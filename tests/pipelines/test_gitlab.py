"""The GitLab template's scripts against the sandbox, with a small GitLab on this machine."""

import json
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from tests.pipelines.conftest import KEY, Repository
from tests.project import ROOT

TEMPLATE = ROOT / "reconciler" / "templates" / "ci" / "gitlab" / ".gitlab-ci.yml"
ME, OTHER = {"id": 5}, {"id": 6}


class GitLab(ThreadingHTTPServer):
    """Notes of one merge request and issues of one project, one entry a page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.notes: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []


class _Calls(BaseHTTPRequestHandler):
    """The five calls that the template makes."""

    server: GitLab

    def do_GET(self) -> None:
        """The user, or one page of a list."""
        if self.path == "/user":
            self._answer(ME)
            return
        entries = self._entries()
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        more = str(page + 1) if page < len(entries) else ""
        self._answer(entries[page - 1 : page], more)

    def do_POST(self) -> None:
        """A new entry."""
        entries = self._entries()
        entries.append({"id": len(entries), "iid": len(entries), "author": ME, **self._body()})
        self._answer(entries[-1])

    def do_PUT(self) -> None:
        """An entry changed."""
        entry = self._entries()[int(self.path.rsplit("/", 1)[1])]
        entry.update(self._body())
        self._answer(entry)

    def _entries(self) -> list[dict[str, Any]]:
        if "/merge_requests/7/notes" in self.path:
            return self.server.notes
        if self.command == "GET":
            return [issue for issue in self.server.issues if not closed(issue)]
        return self.server.issues

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, value: object, next_page: str = "") -> None:
        assert self.headers["PRIVATE-TOKEN"] == "gitlab-token"
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("X-Next-Page", next_page)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def closed(issue: dict[str, Any]) -> bool:
    """Whether an issue was closed."""
    return issue.get("state_event") == "close"


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    """A GitLab that answers until the test ends."""
    with GitLab() as server:
        # Asked to end it looks every so often, and the test waits for that.
        serve = partial(server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        yield server
        server.shutdown()


def run(
    repository: Repository, gitlab: GitLab, job: str, *, code: int = 0, **variables: str
) -> str:
    """Run the scripts of one job as GitLab's runner does, and return what they printed."""
    pipeline = _pipeline()
    lines: list[str] = []
    for entry in pipeline[job]["script"]:
        lines += pipeline[entry[0]][entry[1]] if isinstance(entry, list) else [entry]
    environ = {
        **repository.environ,
        "CI_API_V4_URL": f"http://127.0.0.1:{gitlab.server_port}",
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "origin/main",
        "GITLAB_TOKEN": "gitlab-token",
        "ROBOSIZE_API_KEY": KEY,
        **pipeline[job].get("variables", {}),
        **variables,
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=repository.folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def _pipeline() -> Any:
    """The template, with each `!reference` as the list that it holds."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("!reference ", "")
    return YAML(typ="safe").load(text)


def read(repository: Repository, name: str) -> Any:
    """One JSON artefact."""
    return json.loads((repository.folder / name).read_text(encoding="utf-8"))


def test_a_merge_request_has_one_note(repository: Repository, gitlab: GitLab) -> None:
    """Each push updates one note, beside somebody else's; the counts are in the report."""
    gitlab.notes.append({"id": 0, "author": OTHER, "body": "<!-- reconciler:default -->\nmine"})
    run(repository, gitlab, "plan")
    repository.write("catalog/hat.yaml", "store_id: '3'\nname: Hat\ntype: hat\nimage_url: ''\n")
    run(repository, gitlab, "plan")
    other, note = gitlab.notes
    assert other["body"].endswith("mine")
    assert note["body"].startswith("<!-- reconciler:default -->\n")
    assert "3 to create" in note["body"]
    assert read(repository, "changes.json") == {"create": 3, "update": 0, "delete": 0}


def test_without_secrets_the_catalogue_is_compared(repository: Repository, gitlab: GitLab) -> None:
    """Without a key and a token there is the catalogue's own difference, and no note."""
    repository.write("catalog/hat.yaml", "store_id: '3'\nname: Hat\ntype: hat\nimage_url: ''\n")
    log = run(repository, gitlab, "plan", ROBOSIZE_API_KEY="", GITLAB_TOKEN="")
    assert "No GITLAB_TOKEN" in log
    assert read(repository, "changes.json") == {"create": 1, "update": 0, "delete": 0}
    assert gitlab.notes == []


def test_main_applies_and_drift_has_one_issue(repository: Repository, gitlab: GitLab) -> None:
    """The default branch applies; drift opens an issue, updates it, and its end closes it."""
    run(repository, gitlab, "validate")
    assert read(repository, "findings.json") == []
    run(repository, gitlab, "apply")
    assert repository.names() == {"1": "Shirt", "2": "Coat"}
    store = repository.sandbox.store
    coat = store.row("2")
    assert coat is not None
    for name in ("Coat in red", "Coat in blue"):
        store.update([str(coat.id)], {"name": name})
        run(repository, gitlab, "drift")
        (issue,) = gitlab.issues
        assert name in issue["description"]
        assert not closed(issue)
    store.update([str(coat.id)], {"name": "Coat"})
    run(repository, gitlab, "drift")
    assert closed(gitlab.issues[0])


HAT = "store_id: '3'\nname: Hat\ntype: hat\nimage_url: ''\n"
OF_A_MERGE: dict[str, Any] = {
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_COMMIT_SHA": "4ead4ead",
    "CI_JOB_URL": "https://gitlab.example/-/jobs/9",
}


def test_a_branch_behind_is_compared_as_it_would_be_merged(
    repository: Repository, gitlab: GitLab
) -> None:
    """Products that main has gained since the branch began are no deletes of the branch."""
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("catalog/hat.yaml", HAT)
    repository.push("topic")
    repository.git("checkout", "--quiet", "main")
    repository.write("catalog/cap.yaml", HAT.replace("3", "4").replace("Hat", "Cap"))
    repository.push("main")
    run(repository, gitlab, "apply")
    assert repository.names()["4"] == "Cap"
    for key in (KEY, ""):
        repository.git("checkout", "--quiet", "--force", "--detach", "topic")
        run(repository, gitlab, "plan", ROBOSIZE_API_KEY=key, **OF_A_MERGE)
        assert read(repository, "changes.json") == {"create": 1, "update": 0, "delete": 0}
    repository.git("checkout", "--quiet", "--force", "topic")
    repository.write("catalog/cap.yaml", HAT)
    repository.push("topic")
    log = run(repository, gitlab, "plan", code=1, **OF_A_MERGE)
    assert "cannot be merged into main" in log


def test_a_stale_note_says_what_is_wrong(repository: Repository, gitlab: GitLab) -> None:
    """After a push that breaks the catalogue, or a failed plan, no old plan stands in the note."""
    run(repository, gitlab, "plan", **OF_A_MERGE)
    (note,) = gitlab.notes
    for part in ("2 to create", "Commit 4ead4ead, 20", "jobs/9/artifacts/file/"):
        assert part in note["body"]
    run(repository, gitlab, "plan", code=1, ROBOSIZE_API_URL="http://127.0.0.1:9/", **OF_A_MERGE)
    (note,) = gitlab.notes
    assert "The plan could not be made" in note["body"]
    assert "2 to create" not in note["body"]
    repository.write("catalog/coat.yaml", "store_id: '2'\nnmae: Coat\n")
    run(repository, gitlab, "validate", code=1, **OF_A_MERGE)
    (note,) = gitlab.notes
    assert note["body"].startswith("<!-- reconciler:default -->\n")
    assert "catalog/coat.yaml:2:1" in note["body"]
    assert "Commit 4ead4ead" in note["body"]
    run(repository, gitlab, "validate", code=1, **OF_A_MERGE, GITLAB_TOKEN="")


def test_a_long_complaint_that_is_cut_within_a_letter_is_told(
    repository: Repository, gitlab: GitLab, tmp_path: Path
) -> None:
    """P6: whatever of a failure's text fits, the old plan does not stand in the note."""
    run(repository, gitlab, "plan", **OF_A_MERGE)
    talker = tmp_path / "talker" / "reconciler"
    talker.parent.mkdir()
    talker.write_text(
        "#!/bin/sh\nprintf x\nprintf 'ü%.0s' $(seq 20000)\nexit 1\n", encoding="utf-8"
    )
    talker.chmod(0o755)
    path = f"{talker.parent}:{repository.environ['PATH']}"
    run(repository, gitlab, "validate", code=1, PATH=path, **OF_A_MERGE)
    (note,) = gitlab.notes
    assert "The catalogue has faults" in note["body"]
    assert "2 to create" not in note["body"]


def test_a_tag_called_like_the_target_is_not_compared_with(
    repository: Repository, gitlab: GitLab
) -> None:
    """P6: whoever may push a tag must not choose what a merge request is compared with."""
    repository.git("tag", "main")
    repository.git("push", "--quiet", "origin", "refs/tags/main")
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("catalog/cap.yaml", HAT.replace("3", "4").replace("Hat", "Cap"))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Cap")
    repository.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    repository.write("catalog/hat.yaml", HAT)
    run(repository, gitlab, "plan", ROBOSIZE_API_KEY="", **OF_A_MERGE)
    assert read(repository, "changes.json") == {"create": 1, "update": 0, "delete": 0}


def test_python_takes_no_module_of_the_project(repository: Repository, gitlab: GitLab) -> None:
    """P4: a file of the branch called like a module of Python's is not run beside the token."""
    repository.write("json.py", "raise SystemExit('taken')\n")
    run(repository, gitlab, "plan", **OF_A_MERGE)
    assert len(gitlab.notes) == 1


def test_what_others_did_is_left_to_the_drift_job(repository: Repository, gitlab: GitLab) -> None:
    """P4: what was added by hand since the last apply stays, and the schedule tells of it."""
    run(repository, gitlab, "apply")
    product = {"store_id": "h", "name": "Hand", "tags": [], "image_url": "", "type": ""}
    repository.sandbox.store.seed([product])
    log = run(repository, gitlab, "apply")
    assert "1 product left as it is" in log
    assert repository.names()["h"] == "Hand"
    run(repository, gitlab, "drift")
    (issue,) = gitlab.issues
    assert "1 to delete" in issue["description"]


def test_no_artefact_holds_records() -> None:
    """Artefacts are public where the project is: the plan itself is in none."""
    jobs = [job for job in _pipeline().values() if isinstance(job, dict)]
    kept = [path for job in jobs for path in job.get("artifacts", {}).get("paths", [])]
    names = {path.removeprefix("{{below}}") for path in kept}
    assert names == {"plan.md", "plan.html", "report.json"}


def test_the_artefacts_are_what_the_scripts_make() -> None:
    """Every file that a job keeps is one that its scripts write."""
    for name, job in _pipeline().items():
        if not isinstance(job, dict) or "artifacts" not in job:
            continue
        kept = [*job["artifacts"].get("paths", []), *job["artifacts"].get("reports", {}).values()]
        script = str(job["script"])
        names = [Path(file.removeprefix("{{below}}")).name for file in kept]
        assert [file for file in names if file not in script] == [], name
