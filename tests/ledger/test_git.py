"""The ledger in a ref of the remote, over real repositories."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from reconciler.errors import LedgerError, LedgerNotWritten, Locked
from reconciler.ledger.git import GitLedger
from reconciler.ledger.gitcommand import LedgerGit
from reconciler.ledger.holder import Holder
from reconciler.model import Known, Ledger
from tests.ledger.worlds import LEDGER, QuickClock, clone, dead, elsewhere, git, me, other_run
from tests.model.making import entries

REF = "refs/reconciler/default"


@pytest.fixture
def checkout(origin: Path, tmp_path: Path) -> Path:
    """A shallow clone with a detached HEAD, as pipelines make them."""
    folder = clone(origin, tmp_path / "checkout", "--depth=1")
    git(folder, "checkout", "--quiet", "--detach")
    return folder


@pytest.fixture
def store(checkout: Path) -> GitLedger:
    """The git ledger of that clone."""
    return GitLedger(checkout, store="default", clock=QuickClock())


def ledger_of(*ids: str) -> Ledger:
    """A ledger that knows these products."""
    return Ledger({id: Known(f"s{id}", entries(type="top")) for id in ids})


def apply(store: GitLedger, ledger: Ledger, message: str = "Apply") -> None:
    """A whole apply: doubts first, then the rest."""
    with store.hold(timeout=0, holder=me()) as held:
        held.save(held.load(), message="In doubt")
        held.save(ledger, message=message, last=True)


def leave(store: GitLedger, holder: Holder) -> None:
    """Leave the ledger as a run of `holder` does that was killed after its first save."""
    tip = store.ref.read()
    files: dict[str, bytes | str] = {
        "ledger.jsonl": tip.files["ledger.jsonl"],
        "holder.json": holder.encode(),
    }
    assert store.push(tip.commit, store.ref.commit(tip.commit, files, "In doubt"))


def snapshot(folder: Path) -> dict[str, str]:
    """Everything of a checkout that people and tools look at, but the ledger's own ref."""
    refs = git(folder, "for-each-ref").splitlines()
    top = Path(git(folder, "rev-parse", "--absolute-git-dir"))
    return {
        "refs": "\n".join(line for line in refs if not line.endswith(REF)),
        "HEAD": git(folder, "rev-parse", "HEAD"),
        "head": (top / "HEAD").read_text(encoding="utf-8"),
        "config": (top / "config").read_text(encoding="utf-8"),
        "shallow": git(folder, "rev-parse", "--is-shallow-repository"),
        "depth": git(folder, "rev-list", "--count", "HEAD"),
        "files": " ".join(sorted(path.name for path in top.iterdir())),
    }


def test_missing_ref_is_empty(store: GitLedger, checkout: Path) -> None:
    """Reading a ledger that was never written gives an empty one and leaves nothing behind."""
    before = snapshot(checkout), git(checkout, "count-objects")
    assert store.load() == Ledger()
    assert not store.exists()
    assert store.history(5) == ()
    assert store.break_lock() is None
    assert (snapshot(checkout), git(checkout, "count-objects")) == before


def test_next_fresh_clone_reads_what_was_saved(
    store: GitLedger, origin: Path, tmp_path: Path
) -> None:
    """What one pipeline saved the next one loads, in another fresh shallow clone."""
    apply(store, LEDGER)
    apply(store, ledger_of("1"))
    other = GitLedger(clone(origin, tmp_path / "next", "--depth=1"), store="default")
    assert other.load() == ledger_of("1")
    assert other.exists()
    apply(other, ledger_of("1", "2"))
    assert store.load() == ledger_of("1", "2")
    assert store.describe() == "refs/reconciler/default of the git remote 'origin'"


@pytest.mark.parametrize(
    "options",
    [(), ("--depth=2",), ("--config=remote.origin.mirror=true",), ("--filter=blob:none",)],
)
def test_any_clone_will_do(
    options: tuple[str, ...], store: GitLedger, origin: Path, tmp_path: Path
) -> None:
    """Full, shallow, mirrored and partial clones read and write, and keep nothing else."""
    git(origin, "config", "uploadpack.allowFilter", "true")
    apply(store, ledger_of("1"))
    apply(store, ledger_of("1", "2"))
    folder = clone(origin, tmp_path / "any", *options)
    before = snapshot(folder)
    ledger = GitLedger(folder, store="default")
    assert ledger.load() == ledger_of("1", "2")
    apply(ledger, ledger_of("3"))
    assert ledger.load() == ledger_of("3")
    if "--filter=blob:none" not in options:
        assert snapshot(folder) == before
    assert git(origin, "branch", "--list") == "* main"


def test_a_bare_folder_is_refused(store: GitLedger, origin: Path, tmp_path: Path) -> None:
    """P4: a branch can bring a bare repository, whose settings name commands: it is not used."""
    apply(store, LEDGER)
    folder = clone(origin, tmp_path / "any", "--bare")
    with pytest.raises(LedgerError) as caught:
        GitLedger(folder, store="default").load()
    assert f"{folder} holds the files of a bare git repository" in (caught.value.hint or "")


def test_worktree_and_subfolder(store: GitLedger, checkout: Path, tmp_path: Path) -> None:
    """A linked worktree, and a folder below the top, are working folders like any other."""
    git(checkout, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    below = tmp_path / "tree" / "shop"
    below.mkdir()
    apply(GitLedger(below, store="default"), LEDGER)
    assert store.load() == LEDGER
    assert git(below, "status", "--porcelain") == ""


def test_dirty_work_is_not_touched(store: GitLedger, checkout: Path) -> None:
    """Staged, changed and untracked files are as they were after a whole apply."""
    (checkout / "shirt.yaml").write_text("name: changed\n", encoding="utf-8")
    (checkout / "staged.yaml").write_text("name: staged\n", encoding="utf-8")
    git(checkout, "add", "staged.yaml")
    (checkout / "new.yaml").write_text("name: new\n", encoding="utf-8")
    before = git(checkout, "status", "--porcelain"), snapshot(checkout)
    apply(store, LEDGER)
    store.load()
    assert (git(checkout, "status", "--porcelain"), snapshot(checkout)) == before


def test_configuration_does_not_interfere(store: GitLedger, checkout: Path, origin: Path) -> None:
    """Hooks, pruning, followed tags and signing belong to people's own pushes."""
    hook = checkout / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    for setting in ("fetch.prune", "push.followTags", "commit.gpgSign", "log.showSignature"):
        git(checkout, "config", setting, "true")
    git(checkout, "tag", "-a", "mine", "-m", "mine")
    apply(store, LEDGER)
    assert store.load() == LEDGER
    assert git(origin, "tag") == "v1"
    assert "mine" in git(checkout, "tag")


def test_one_commit_a_save(store: GitLedger, origin: Path) -> None:
    """The ref's log at the remote is the history: one commit a save, with its message."""
    apply(store, ledger_of("1"), "Apply 1 create\n\nPlan: abc\nCatalogue: def")
    apply(store, ledger_of("1", "2"), "Apply ümlaut")
    log = git(origin, "log", "--format=%s", REF).splitlines()
    assert log == ["Apply ümlaut", "In doubt", "Apply 1 create", "In doubt"]
    first, _, third = store.history(3)
    assert first.subject == "Apply ümlaut"
    assert third.body == "Plan: abc\nCatalogue: def"
    assert third.author == "Test"
    assert third.commit == git(origin, "rev-parse", f"{REF}~2")
    assert third.time == git(origin, "log", "-1", "--format=%aI", f"{REF}~2")


def test_history_of_a_fresh_shallow_clone(store: GitLedger, origin: Path, tmp_path: Path) -> None:
    """A fresh shallow clone sees as much of the history as is asked for, empty bodies included."""
    for number in range(3):
        apply(store, ledger_of(str(number)), f"Apply {number}")
    other = GitLedger(clone(origin, tmp_path / "next", "--depth=1"), store="default")
    assert other.load() == ledger_of("2")
    assert [revision.subject for revision in other.history(3)] == ["Apply 2", "In doubt", "Apply 1"]
    assert len(other.history(99)) == 6


def test_small_change_is_a_small_push(store: GitLedger, origin: Path) -> None:
    """One change in a large ledger costs the remote a small delta."""
    products = {
        f"{number:08x}": Known(
            str(number), entries(image_url=f"https://cdn.shop/{number * 7919 % 5003}")
        )
        for number in range(5000)
    }
    apply(store, Ledger(products))
    git(origin, "repack", "-adq")
    git(origin, "config", "receive.unpackLimit", "1")
    before = {path.name for path in origin.glob("objects/pack/*.pack")}
    apply(store, Ledger(products | {"new": Known("new")}))
    packs = [path for path in origin.glob("objects/pack/*.pack") if path.name not in before]
    listed = "\n".join(
        git(origin, "verify-pack", "-v", str(path.with_suffix(".idx"))) for path in packs
    ).splitlines()
    blob = git(origin, "rev-parse", f"{REF}:ledger.jsonl")
    [columns] = [line.split() for line in listed if line.startswith(blob)]
    size, depth = int(columns[3]), columns[5:]
    assert depth, "a delta has a depth and a base"
    assert size < 1000


def test_nothing_to_do_leaves_no_trace(store: GitLedger, origin: Path) -> None:
    """An apply that found nothing to remember pushes nothing."""
    apply(store, LEDGER)
    before = git(origin, "rev-parse", REF)
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Nothing", last=True)
    with store.hold(timeout=0, holder=me()):
        pass
    assert git(origin, "rev-parse", REF) == before


def test_neutral_identity(store: GitLedger, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configured identity the commits get a neutral one; a configured one is used."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    apply(store, LEDGER)
    assert git(origin, "log", "-1", "--format=%an <%ae> %cn", REF) == (
        "reconciler <reconciler@localhost> reconciler"
    )
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@shop.example")
    apply(store, Ledger())
    assert git(origin, "log", "-1", "--format=%an %cn", REF) == "Ann reconciler"


def test_first_save_is_the_lock(store: GitLedger, checkout: Path) -> None:
    """While an apply runs, another one learns who holds the store; afterwards it is free."""
    other = GitLedger(checkout, store="default")
    with store.hold(timeout=0, holder=me("alice")) as held:
        held.save(LEDGER, message="In doubt")
        with (
            pytest.raises(Locked, match="held by alice on ") as caught,
            other.hold(timeout=0, holder=me("bob")),
        ):
            pytest.fail("the lock was taken twice")
        assert "reconciler unlock" in str(caught.value.hint)
        assert other.load() == LEDGER
        held.save(ledger_of("1"), message="Apply", last=True)
    with other.hold(timeout=0, holder=me("bob")) as held:
        assert held.broke is None
        assert held.load() == ledger_of("1")


def test_two_runs_side_by_side(store: GitLedger, origin: Path, tmp_path: Path) -> None:
    """Of two runs that read the same ledger one goes on; the other stops before its first write."""
    other = GitLedger(clone(origin, tmp_path / "other", "--depth=1"), store="default")
    with store.hold(timeout=0, holder=me("alice")) as first:
        with other.hold(timeout=0, holder=me("bob")) as second:
            first.save(ledger_of("1"), message="In doubt")
            with pytest.raises(Locked, match="held by alice"):
                second.save(ledger_of("2"), message="In doubt")
        first.save(ledger_of("1"), message="Apply", last=True)
    assert other.load() == ledger_of("1")


def test_another_run_came_and_went(store: GitLedger, origin: Path, tmp_path: Path) -> None:
    """A run whose ledger is out of date by its first save stops, though nobody holds the lock."""
    apply(store, LEDGER)
    other = GitLedger(clone(origin, tmp_path / "other"), store="default")
    with store.hold(timeout=0, holder=me()) as held:
        apply(other, ledger_of("1"))
        with pytest.raises(Locked, match="since this one began") as caught:
            held.save(ledger_of("2"), message="In doubt")
    assert "--lock-timeout" in str(caught.value.hint)
    assert store.load() == ledger_of("1")


def test_wait_for_the_other_run(store: GitLedger, origin: Path, tmp_path: Path) -> None:
    """With a timeout a run waits for the other, holds the lock from then on, and frees it."""
    folder = clone(origin, tmp_path / "other", "--depth=1")
    with store.hold(timeout=0, holder=elsewhere()) as held:
        held.save(ledger_of("1"), message="In doubt")

        def end() -> None:
            held.save(ledger_of("1", "2"), message="Apply", last=True)

        clock = QuickClock(end)
        other = GitLedger(folder, store="default", clock=clock)
        with other.hold(timeout=60, holder=me("alice")) as second:
            assert clock.waits == 1
            assert second.load() == ledger_of("1", "2")
            with (
                pytest.raises(Locked, match="held by alice"),
                store.hold(timeout=0, holder=me("bob")),
            ):
                pytest.fail("the lock was taken twice")
    assert store.break_lock() is None
    assert [revision.subject for revision in other.history(9)] == ["Apply", "In doubt"]


def test_exception_frees_the_lock_and_keeps_the_doubts(store: GitLedger, origin: Path) -> None:
    """An apply that fails between its saves leaves its doubts, and no holder."""

    def fail() -> None:
        with store.hold(timeout=0, holder=me()) as held:
            held.save(LEDGER, message="In doubt")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert git(origin, "ls-tree", "--name-only", REF) == "ledger.jsonl"
    assert store.load() == LEDGER


def test_after_kill_9(store: GitLedger, origin: Path, checkout: Path) -> None:
    """After `kill -9` the next apply of this machine goes on by itself, with the doubts kept."""
    with other_run("git", checkout) as process:
        with pytest.raises(Locked, match="the other run"), store.hold(timeout=0, holder=me()):
            pytest.fail("the lock was taken twice")
        with pytest.raises(Locked):
            store.break_lock()
        process.kill()
        process.wait()
        assert "holder.json" in git(origin, "ls-tree", "--name-only", REF)
        with store.hold(timeout=0, holder=me()) as held:
            assert held.broke is not None
            assert held.broke.who == "the other run"
            assert list(held.load().products) == ["x"]
            held.save(held.load(), message="Apply", last=True)
    assert git(origin, "ls-tree", "--name-only", REF) == "ledger.jsonl"


def test_holder_on_another_machine(store: GitLedger, origin: Path) -> None:
    """A lock left by another machine is not guessed about: `unlock` frees it, and says whose."""
    apply(store, LEDGER)
    leave(store, elsewhere())
    with pytest.raises(Locked, match="bob on build-7"), store.hold(timeout=0, holder=me()):
        pytest.fail("another machine's lock was taken")
    broken = store.break_lock()
    assert broken is not None
    assert broken.who == "bob"
    assert git(origin, "ls-tree", "--name-only", REF) == "ledger.jsonl"
    assert store.load() == LEDGER
    assert store.break_lock() is None


def test_dead_holder_is_freed_by_a_last_save(store: GitLedger, origin: Path) -> None:
    """An apply with nothing to do still clears away the name of a dead run."""
    apply(store, LEDGER)
    leave(store, dead())
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Nothing to do", last=True)
    assert git(origin, "ls-tree", "--name-only", REF) == "ledger.jsonl"


def test_taken_over_in_the_middle(store: GitLedger, origin: Path, tmp_path: Path) -> None:
    """A run whose lock was broken cannot overwrite what the next run saved, nor free its lock."""
    other = GitLedger(clone(origin, tmp_path / "other"), store="default")
    with store.hold(timeout=0, holder=elsewhere()) as held:
        held.save(ledger_of("1"), message="In doubt")
        assert other.break_lock() is not None
        with other.hold(timeout=0, holder=me()) as second:
            second.save(ledger_of("1", "2"), message="In doubt")
            with pytest.raises(LedgerNotWritten, match="while this one was running"):
                held.save(ledger_of("1"), message="Apply", last=True)
            assert "holder.json" in git(origin, "ls-tree", "--name-only", REF)
    assert store.load() == ledger_of("1", "2")


def test_server_refuses(store: GitLedger, origin: Path) -> None:
    """A push that the server refuses ends the apply before its first write, and says the remedy."""
    hook = origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not you' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    with (
        pytest.raises(LedgerNotWritten, match="not you") as caught,
        store.hold(timeout=0, holder=me()) as held,
    ):
        held.save(LEDGER, message="In doubt")
    assert "contents: write" in str(caught.value.hint)
    assert not store.exists()


def test_remote_out_of_reach(store: GitLedger, origin: Path) -> None:
    """Without its remote the ledger is an error for plan and apply alike, never an empty one."""
    origin.rename(origin.with_suffix(".away"))
    with pytest.raises(LedgerError, match="cannot be read from the remote 'origin'"):
        store.load()
    with pytest.raises(LedgerError), store.hold(timeout=0, holder=me()):
        pytest.fail("the lock was taken")


def test_remote_lost_before_the_first_save(checkout: Path, origin: Path) -> None:
    """A remote that goes away before the first save stops the apply, after a few more tries."""
    clock = QuickClock()
    store = GitLedger(checkout, store="default", clock=clock)

    def begin() -> None:
        with store.hold(timeout=0, holder=me()) as held:
            origin.rename(origin.with_suffix(".away"))
            held.save(LEDGER, message="In doubt")

    with pytest.raises(LedgerNotWritten, match="was not written") as caught:
        begin()
    assert clock.waits == 2
    assert "could not be freed" in caught.value.__notes__[0]


def test_remote_lost_before_the_last_save(store: GitLedger, origin: Path) -> None:
    """An apply that was told that its last save failed ends in peace, though the lock stays."""
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        origin.rename(origin.with_suffix(".away"))
        with pytest.raises(LedgerNotWritten):
            held.save(ledger_of("1"), message="Apply", last=True)
    origin.with_suffix(".away").rename(origin)
    assert store.load() == LEDGER
    assert "holder.json" in git(origin, "ls-tree", "--name-only", REF)


def test_lock_that_cannot_be_freed(store: GitLedger, origin: Path) -> None:
    """A lock that stays is an error where no failed save has told of it."""

    def run() -> None:
        with store.hold(timeout=0, holder=me()) as held:
            held.save(LEDGER, message="In doubt")
            origin.rename(origin.with_suffix(".away"))

    with pytest.raises(LedgerError, match="cannot be read from the remote"):
        run()


def test_remote_comes_back(checkout: Path, origin: Path) -> None:
    """A remote that is away for a moment costs a second try, not the apply."""
    away = origin.with_suffix(".away")
    store = GitLedger(checkout, store="default", clock=QuickClock(lambda: _rename(away, origin)))
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        origin.rename(away)
        held.save(ledger_of("1"), message="Apply", last=True)
    assert store.load() == ledger_of("1")


def _rename(old: Path, new: Path) -> None:
    old.rename(new)


def test_lost_answer(store: GitLedger) -> None:
    """A push that landed although git said that it failed counts as landed."""
    commit = store.ref.commit(None, {"ledger.jsonl": b""}, "Apply")
    assert store.push(None, commit)
    assert store.push(None, commit)


def test_remote_by_another_name(origin: Path, tmp_path: Path) -> None:
    """The remote's name can be set, and is looked up before anything is written."""
    folder = clone(origin, tmp_path / "named", "--origin=upstream")
    apply(GitLedger(folder, store="default", remote="upstream"), LEDGER)
    assert GitLedger(folder, store="default", remote="upstream").load() == LEDGER
    with pytest.raises(LedgerError, match="'origin'"):
        GitLedger(folder, store="default").load()


def test_not_a_repository(tmp_path: Path) -> None:
    """A folder outside any repository, or that is not there, is an error with its remedy."""
    folder = tmp_path / "plain"
    with pytest.raises(LedgerError, match="cannot be run"):
        GitLedger(folder, store="default").load()
    folder.mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        GitLedger(folder, store="default").load()


def test_damaged_ledger_is_named(store: GitLedger) -> None:
    """A damaged ledger is named by its ref and its line."""
    commit = store.ref.commit(None, {"ledger.jsonl": b"nonsense\n"}, "Apply")
    assert store.push(None, commit)
    with pytest.raises(LedgerError, match=rf"^{REF}:ledger\.jsonl, line 1: "):
        store.load()


def test_a_command_has_an_end(checkout: Path) -> None:
    """A git command that does not answer is ended with all that it started."""
    git(checkout, "config", "alias.hang", "!sleep 600")
    with pytest.raises(LedgerError, match=r"no answer within 0\.2 seconds"):
        LedgerGit(checkout, timeout=0.2).run("hang")


def test_passwords_are_not_repeated(checkout: Path) -> None:
    """A password in a remote's URL appears in no error."""
    git(checkout, "remote", "set-url", "origin", "http://me:hunter2@127.0.0.1:9/shop.git")
    with pytest.raises(LedgerError) as caught:
        GitLedger(checkout, store="default", stop=Event()).load()
    assert "hunter2" not in str(caught.value)


def test_nothing_prompts(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traces are dropped from the environment, and no terminal is left to ask on."""
    monkeypatch.setenv("GIT_TRACE", "1")
    answer = LedgerGit(checkout).run("ls-remote", "origin")
    assert answer.complaint == ""
    git(checkout, "config", "alias.ask", "!read answer </dev/tty")
    assert LedgerGit(checkout).run("ask").code != 0


def test_other_stores_and_foreign_refs(store: GitLedger, checkout: Path, origin: Path) -> None:
    """Each store has its own ref, and a ref that only ends alike is another one."""
    git(checkout, "push", "--quiet", "origin", f"HEAD:refs/mirror/{REF}")
    assert not store.exists()
    outlet = GitLedger(checkout, store="outlet")
    apply(outlet, ledger_of("1"))
    assert not store.exists()
    assert subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", "refs/reconciler/outlet"],
        cwd=origin,
        check=False,
        capture_output=True,
    ).stdout


def test_many_stores_of_one_shallow_clone(origin: Path, tmp_path: Path) -> None:
    """The stores of a fleet read and write their refs side by side in one shallow checkout."""
    seed = clone(origin, tmp_path / "first")
    names = [f"store-{number}" for number in range(8)]
    for name in names:
        apply(GitLedger(seed, store=name), ledger_of(name))
    folder = clone(origin, tmp_path / "fleet", "--depth=1")

    def run(name: str) -> Ledger:
        store = GitLedger(folder, store=name)
        before = store.load()
        apply(store, ledger_of(name, "more"))
        return before

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, names)) == [ledger_of(name) for name in names]
    assert GitLedger(seed, store="store-7").load() == ledger_of("store-7", "more")
