"""The commands against a real sandbox: results, streams and exit codes."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.errors import OutputError
from reconciler.ledger.holder import Holder
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.cli.run import COMMAND, Ended, environment, shop

KEY = "hush-hush-key"
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes stdin the terminal that controls the process, so that Ctrl-C becomes a signal."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two products, where commands run without a key."""
    monkeypatch.chdir(tmp_path)
    return shop(tmp_path, "Shirt", "Coat")


@pytest.fixture
def remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A remote of its own process's making, which the environment points to."""
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        yield sandbox


class Here:
    """Runs commands in this process and keeps what they wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        """Run one command."""
        code = run(arguments)
        return Ended(code, *self._capsys.readouterr())


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Commands of this process."""
    return Here(capsys)


def methods(remote: Sandbox) -> set[str]:
    """The methods of the calls that reached the remote."""
    return {call.method for call in remote.store.calls()}


def test_a_warning_with_a_place_is_called_one_once(
    folder: Path, remote: Sandbox, here: Here
) -> None:
    """A line of stderr says what it is, then where and what; not what it is once more."""
    (folder / "catalog" / "0003.yaml").write_text("store_id: '3'\nname: Cap\n", encoding="utf-8")
    lines = here("plan", "--quiet").err.splitlines()
    assert "warning: catalog/0003.yaml:1:1: 3 " in " ".join(lines)
    assert all(line.count("warning:") <= 1 for line in lines)


def test_plan_prints_and_writes_nothing(folder: Path, remote: Sandbox, here: Here) -> None:
    """The plan is on stdout; neither remote nor working folder is touched; 2 only if asked."""
    done = here("plan")
    assert (done.code, done.err) == (0, "")
    assert "2 to create" in done.out
    assert here("plan", "--detailed-exitcode").code == 2
    assert methods(remote) == {"GET"}
    assert {path.name for path in folder.iterdir()} == {"catalog"}


def test_apply_makes_the_remote_equal(folder: Path, remote: Sandbox, here: Here) -> None:
    """Apply --yes shows plan and account, writes the report, and the next plan is empty."""
    done = here("apply", "--yes", "--report", "report.json", "--detailed-exitcode")
    assert done.code == 2
    assert "2 to create" in done.out
    assert "Applied 2 of 2 changes" in done.out
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["applied"] == 2
    assert {row.store_id for row in remote.store.rows()} == {"0001", "0002"}
    assert here("plan", "--detailed-exitcode").code == 0
    assert here("apply", "--yes", "--detailed-exitcode").code == 0


def test_a_saved_plan_is_shown_and_applied(folder: Path, remote: Sandbox, here: Here) -> None:
    """The plan of --out is private, shows in any format without a key, and applies unasked once."""
    assert here("plan", "--out", "plan.json").code == 0
    assert (folder / "plan.json").stat().st_mode & 0o777 == 0o600
    shown = here("show", "plan.json", "--format", "gitlab")
    assert json.loads(shown.out) == {"create": 2, "update": 0, "delete": 0}
    assert here("apply", "plan.json").code == 0
    again = here("apply", "plan.json")
    assert again.code == 0
    assert "already applied" in again.err
    assert len(list(remote.store.rows())) == 2


def test_a_saved_plan_is_not_narrowed(folder: Path, here: Here) -> None:
    """An option that would change a saved plan is refused before anything is read."""
    done = here("apply", "plan.json", "--select", "0001")
    assert done.code == 1
    assert "--select has no effect on a saved plan" in done.err


def test_output_goes_to_the_file_alone(folder: Path, remote: Sandbox, here: Here) -> None:
    """With --output stdout is empty, the file has the format, and stderr sums it up."""
    done = here("plan", "--format", "json", "--output", "p.json")
    assert (done.code, done.out) == (0, "")
    assert "Plan: 2 to create" in done.err
    assert json.loads((folder / "p.json").read_text(encoding="utf-8"))["summary"]["create"] == 2
    assert here("plan", "--format", "json", "-q", "--output", "p.json").err == ""
    clash = here("plan", "--out", "p.json", "--output", "p.json")
    assert clash.code == 1
    assert "name the same file" in clash.err
    assert here("plan", "--output", "no/folder/p").code == 1


def test_a_dry_run_prints_the_calls_and_makes_none(
    folder: Path, remote: Sandbox, here: Here
) -> None:
    """Each call is a line with method, path and body, in order; only the list is called."""
    remote.store.seed([{"store_id": "0001", "name": "Old"}, {"store_id": "gone", "name": "x"}])
    done = here("apply", "--dry-run", "--detailed-exitcode")
    assert done.code == 2
    patch, post, delete = done.out.splitlines()
    ids = {row.store_id: row.id for row in remote.store.rows()}
    assert patch.startswith('PATCH /api/v1/product/ {"products": ["' + str(ids["0001"]))
    assert '"name": "Shirt"' in patch
    assert post.startswith('POST /api/v1/product/ {"store_id": "0002"')
    assert delete == f"DELETE /api/v1/product/?hash={ids['gone']}"
    assert methods(remote) == {"GET"}
    assert here("apply", "--dry-run", "--report", "r.json").code == 1


def test_a_guard_stops_apply_and_not_plan(folder: Path, remote: Sandbox, here: Here) -> None:
    """Too many deletes: plan is 0 and names the flag, apply is 3, the flag lets it through."""
    remote.store.seed([{"store_id": f"x{n}", "name": "x"} for n in range(9)])
    planned = here("plan")
    assert planned.code == 0
    assert "--allow-deletes 9" in planned.out
    assert "--allow-deletes 9" in here("plan", "--format", "json").err
    assert "--allow-deletes 9" in here("apply", "--dry-run").err
    refused = here("apply", "--yes")
    assert refused.code == 3
    assert "--allow-deletes 9" in refused.err
    assert methods(remote) == {"GET"}
    assert here("apply", "--yes", "--allow-deletes", "9").code == 0


def test_apply_asks_or_is_told(folder: Path, remote: Sandbox, here: Here) -> None:
    """Without a terminal, --yes or a plan file nothing is applied, and the hint says what to do."""
    done = here("apply")
    assert (done.code, done.out) == (1, "")
    assert "--yes" in done.err
    assert methods(remote) == set()


def test_a_report_that_cannot_be_written_stops_apply(
    folder: Path, remote: Sandbox, here: Here
) -> None:
    """A missing folder, a full disk: told before the first call, and nothing is left behind."""
    full = ("/dev/full",) if Path("/dev/full").exists() else ()
    for report in ("missing/report.json", *full):
        done = here("apply", "--yes", "--report", report)
        assert done.code == 1
        assert f"Cannot write {report}" in done.err
        assert "Nothing was applied." in done.err
        assert methods(remote) == set()
    assert {path.name for path in folder.iterdir()} == {"catalog"}


def test_a_report_that_was_there_outlives_a_refusal(
    folder: Path, remote: Sandbox, here: Here
) -> None:
    """Trying whether a report can be written changes none, makes none, and leaves nothing."""
    assert here("apply", "missing.json", "--report", "report.json").code == 1
    assert not (folder / "report.json").exists()
    (folder / "report.json").write_text("old")
    assert here("apply", "missing.json", "--report", "report.json").code == 1
    assert (folder / "report.json").read_text() == "old"
    assert {path.name for path in folder.iterdir()} == {"catalog", "report.json"}


def test_a_partial_apply_is_5_with_a_report(folder: Path, remote: Sandbox, here: Here) -> None:
    """One refused create: exit 5, and report and text tell both outcomes."""
    remote.misbehave(Fault("status", method="POST", nth=(1,), status=400))
    done = here("apply", "--yes", "--report", "report.json")
    assert done.code == 5
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert (report["summary"]["applied"], report["summary"]["failed"]) == (1, 1)
    assert KEY not in done.out + done.err


@pytest.mark.parametrize("lost", ["write_file", "write_stdout"])
@pytest.mark.parametrize(("faults", "code"), [((), 1), ((400,), 5)])
def test_an_account_that_is_lost_is_told(
    folder: Path,
    remote: Sandbox,
    here: Here,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
    faults: tuple[int, ...],
    code: int,
) -> None:
    """A report or text that cannot be written is told, is never a 0, and hides no worse code."""

    def full(*_: object, **__: object) -> None:
        raise OutputError("No space left.")

    for status in faults:
        remote.misbehave(Fault("status", method="POST", nth=(1,), status=status))
    monkeypatch.setattr("reconciler.cli.showing.write_stdout", lambda text, hint: None)
    monkeypatch.setattr(f"reconciler.report.output.{lost}", full)
    done = here("apply", "--yes", "--report", "report.json")
    assert done.code == code
    assert "No space left." in done.err
    count = "1 of 2" if faults else "All"
    assert f"{count} changes were applied all the same." in done.err
    assert "reconciler log" in done.err
    assert ("Applied" in done.out) is (lost == "write_file")
    assert (folder / "report.json").exists() is (lost == "write_stdout")


def test_a_wrong_key_is_told_without_it(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused key is exit 1 with a remedy; -v and JSON logs do not show it either."""
    monkeypatch.setenv("ROBOSIZE_API_KEY", "wrong-key-here")
    for flags in ([], ["-v"], ["--log-format", "json"]):
        done = here("plan", *flags)
        assert done.code == 1
        assert "refused the API key" in done.err
        assert "wrong-key" not in done.err


def test_the_embedded_sandbox_needs_no_key(folder: Path, here: Here) -> None:
    """--sandbox plans, applies and converges on its own file, which `sandbox` can seed."""
    assert here("plan").code == 1
    assert here("sandbox", "--seed", "drifted", "--seed-only").code == 0
    assert (folder / ".reconciler" / "sandbox.sqlite3").exists()
    assert here("plan", "--sandbox", "--detailed-exitcode").code == 2
    assert here("apply", "--sandbox", "--yes").code == 0
    assert here("plan", "--sandbox", "--detailed-exitcode").code == 0
    assert here("sandbox", "--seed", "catalog", "--seed-only").code == 0
    assert "2 unconfirmed" in here("plan", "--sandbox").out
    assert here("sandbox", "--seed", "empty", "--seed-only").code == 0
    assert "2 to create" in here("plan", "--sandbox").out
    assert here("apply", "--sandbox", "--dry-run").out.startswith("POST /api/v1/product/")


def test_what_the_sandbox_cannot_do_is_told(folder: Path, here: Here) -> None:
    """Seeding nothing, or what is forgotten at once, and unusable files are errors."""
    assert here("sandbox", "--seed-only").code == 1
    assert here("sandbox", "--seed", "empty", "--seed-only", "--db", ":memory:").code == 1
    (folder / "file").touch()
    assert here("sandbox", "--db", "file/x/y.sqlite3").code == 1
    (folder / "faults.json").write_text("[", encoding="utf-8")
    assert here("sandbox", "--db", ":memory:", "--faults", "faults.json").code == 1


def test_validate_tells_every_place(folder: Path, here: Here) -> None:
    """Faults are findings on stdout in each format with exit 1; a sound catalogue is 0."""
    assert here("validate") == (0, "2 products in 2 files: no findings.\n", "")
    (folder / "catalog" / "bad.yaml").write_text("store_id: a\nnmae: b\n", encoding="utf-8")
    done = here("validate")
    assert done.code == 1
    assert "catalog/bad.yaml:2:1: error: " in done.out
    findings = json.loads(here("validate", "--format", "json").out)["findings"]
    assert {"severity", "code", "file", "line", "column", "message"} == set(findings[0])
    assert "file=catalog/bad.yaml,line=2" in here("validate", "--format", "github").out
    assert json.loads(here("validate", "--format", "gitlab").out)
    assert here("validate", "catalog/0001.yaml").code == 0
    assert here("validate", "catalog/bad.yaml").code == 1
    assert here("validate", "elsewhere.yaml").code == 1
    assert here("validate", "--catalog", "nowhere").code == 1


def test_validate_reads_the_catalogue_of_every_store(folder: Path, here: Here) -> None:
    """Without a path every store's catalogue is read; a path is looked for in its own."""
    settings = "stores: {a: {catalog: catalog}, b: {catalog: other}, c: {catalog: catalog}}\n"
    (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
    (folder / "other").mkdir()
    (folder / "other" / "x.yaml").write_text("name: x\n", encoding="utf-8")
    assert here("validate").out.count("other/x.yaml:1:1: error") == 1
    assert here("validate", "catalog").code == 0
    assert here("validate", "other/x.yaml").code == 1


def test_a_catalogue_error_ends_plan_with_its_places(
    folder: Path, remote: Sandbox, here: Here
) -> None:
    """Plan names every fault on stderr and prints no result."""
    (folder / "catalog" / "bad.yaml").write_text("store_id: a\nnmae: b\n", encoding="utf-8")
    done = here("plan")
    assert (done.code, done.out) == (1, "")
    assert "catalog/bad.yaml:2:1: error: " in done.err


def test_unlock_asks_nothing(folder: Path, here: Here) -> None:
    """Where no lock is, for a store or the sandbox, unlock says so and is done."""
    for arguments in ((), ("--sandbox",), ("--store", "sandbox")):
        assert here("unlock", *arguments) == (0, "There was no lock to free.\n", "")
    assert here("unlock", "--store", "defualt").code == 1


def test_unlock_names_whose_lock_it_freed(folder: Path, here: Here) -> None:
    """A note that a run on another machine left stops apply, and unlock frees it."""
    note = folder / ".reconciler" / "lock" / "sandbox.json"
    note.parent.mkdir(parents=True)
    note.write_bytes(Holder("ada", "elsewhere", 7, "yesterday").encode())
    held = here("apply", "--sandbox", "--yes")
    assert held.code == 1
    assert "reconciler unlock --store sandbox" in held.err
    assert here("unlock", "--store", "sandbox").out.startswith("Freed the lock of ada on elsewhere")
    assert here("apply", "--sandbox", "--yes").code == 0


def test_links_need_a_pipeline() -> None:
    """The repository's address comes from the variables of GitHub or GitLab."""
    from reconciler.cli.showing import repository_url

    assert repository_url({}) is None
    assert repository_url({"CI_PROJECT_URL": "https://git.test/a"}) == "https://git.test/a"
    environ = {"GITHUB_SERVER_URL": "https://hub.test", "GITHUB_REPOSITORY": "a/b"}
    assert repository_url(environ) == "https://hub.test/a/b"


def started(folder: Path, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
    """A command that runs beside the test."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_told(tmp_path: Path, number: signal.Signals) -> None:
    """It prints its URL and an export line that works, and a signal ends it with 0."""
    shop(tmp_path, "Shirt")
    with started(tmp_path, "sandbox", "--port", "0", "--seed", "empty") as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        export = server.stdout.readline()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/v1/product/", url)
        assert export == f"export ROBOSIZE_API_URL={url} ROBOSIZE_API_KEY=sandbox\n"
        plan = started(tmp_path, "plan", ROBOSIZE_API_URL=url, ROBOSIZE_API_KEY="sandbox")
        out, err = plan.communicate(timeout=60)
        assert (plan.returncode, err) == (0, "")
        assert "1 to create" in out
        server.send_signal(number)
        assert server.wait(timeout=60) == 0


def test_an_interrupted_apply_finishes_its_calls(tmp_path: Path) -> None:
    """A signal after the first write: calls under way end, exit 130, the report tells it all."""
    shop(tmp_path, *(f"Shirt {n}" for n in range(40)))
    (tmp_path / "reconciler.yaml").write_text("requests: {concurrency: 1}\n", encoding="utf-8")
    with Sandbox(tmp_path / "remote.sqlite3", api_key=KEY, latency_ms=40) as remote:
        environ = {"ROBOSIZE_API_URL": remote.url, "ROBOSIZE_API_KEY": KEY}
        with started(tmp_path, "apply", "--yes", "--report", "r.json", **environ) as apply:
            while not remote.store.calls("POST") and apply.poll() is None:
                continue
            apply.send_signal(signal.SIGTERM)
            _, err = apply.communicate(timeout=60)
        created = sum(1 for call in remote.store.calls("POST") if call.status == 201)
    assert apply.returncode == 130
    assert "finishing the calls in flight" in err
    summary = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["summary"]
    assert summary["applied"] == created
    assert summary["not_attempted"] == 40 - created > 0


def test_an_interrupted_plan_is_130(tmp_path: Path) -> None:
    """A signal while the remote is slow to list ends the plan with 130 and no result."""
    shop(tmp_path, "Shirt")
    with Sandbox(tmp_path / "remote.sqlite3", faults=[Fault("hang", seconds=1)]) as remote:
        environ = {"ROBOSIZE_API_URL": remote.url, "ROBOSIZE_API_KEY": KEY}
        with started(tmp_path, "plan", **environ) as plan:
            while not remote.store.calls() and plan.poll() is None:
                continue
            plan.send_signal(signal.SIGINT)
            out, err = plan.communicate(timeout=60)
    assert (plan.returncode, out) == (130, "")
    assert "Interrupted" in err


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [(b"y\n", 0, "Applied 2 of 2"), (b"\n", 1, "Not confirmed"), (b"\x03", 130, "Interrupted")],
)
def test_a_person_is_asked(folder: Path, answer: bytes, code: int, told: str) -> None:
    """On a terminal apply shows the plan and asks; only yes goes on."""
    leader, follower = pty.openpty()
    environ = {**environment(), "TERM": "xterm"}
    arguments = [sys.executable, "-c", TAKE_TERMINAL, *COMMAND, "apply", "--sandbox"]
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env=environ,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    ) as apply:
        os.close(follower)
        text = b""
        while b"[y/N]" not in text:
            text += os.read(leader, 4096)
        os.write(leader, answer)
        while chunk := _read(leader):
            text += chunk
    os.close(leader)
    assert apply.returncode == code
    assert told in text.decode()


def test_each_kind_of_warning_has_a_few_lines(folder: Path, here: Here) -> None:
    """Of many warnings of one kind stderr shows the first, and counts the others."""

    def declare(prefix: str) -> None:
        lines = [f"- {{store_id: {prefix}{n}, name: Coat {n}}}\n" for n in range(20)]
        (folder / "catalog" / "many.yaml").write_text(f"products:\n{''.join(lines)}")

    declare("old")
    assert here("sandbox", "--seed", "catalog", "--seed-only").code == 0
    declare("new")
    told = here("plan", "--sandbox").err.splitlines()
    assert sum("[looks_like_rename]" in line for line in told) == 6
    assert "warning: 15 more like this [looks_like_rename]" in told


def test_a_summary_is_text_or_markdown(folder: Path, here: Here) -> None:
    """`--summary` counts the products, and is refused where it would change nothing."""
    brief = here("plan", "--sandbox", "--summary")
    assert "+ 2 to create\n" in brief.out
    assert "+ 1" not in brief.out
    refused = here("plan", "--sandbox", "--summary", "--format", "json")
    assert (refused.code, "no effect on the format json" in refused.err) == (1, True)


def test_annotations_are_the_only_place_of_warnings(folder: Path, here: Here) -> None:
    """In a pipeline's log each warning stands once: on stdout as an annotation."""
    (folder / "catalog" / "bare.yaml").write_text("store_id: 9\nname: Hat\n")
    plan = here("plan", "--sandbox", "--format", "github")
    assert plan.out.count("[create_without_type]") == 1
    assert "create_without_type" not in plan.err


def _read(descriptor: int) -> bytes:
    """What the terminal shows next; nothing once the process has gone."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@pytest.mark.parametrize(
    "command",
    [
        "validate",
        "fmt --diff",
        "explain",
        "schema",
        "log",
        "status",
        "plan",
        "plan --format json",
        "apply --yes",
        "apply --dry-run",
        "ledger show",
        "pull",
        "unlock",
        "--help",
    ],
)
def test_the_hint_of_a_lost_result_is_true(
    command: str, folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where stdout is lost, --output is named only by commands that have it."""
    (folder / "catalog" / "0001.yaml").write_text("name: A\nstore_id: '0001'\n", encoding="utf-8")
    remote.store.seed([{"store_id": "9", "name": "Scarf"}])
    has_output = "--output" in here(*command.split(), "--help").out

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reconciler.report.output._write", full)
    monkeypatch.setattr("reconciler.report.output.abandon", lambda _: None)
    done = here(*command.split())
    assert done.code == 1
    assert ("--output FILE" in done.err) is has_output
    assert ("with stdout in a file" in done.err) is not has_output
    assert methods(remote) <= {"GET"}
