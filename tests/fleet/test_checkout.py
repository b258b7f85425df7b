"""The files of a worker: the run's own folder at the same commit, else a clone of its own."""

from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.fleet.checkout import checkout_of, folder_of
from reconciler.fleet.task import Checkout
from reconciler.settings import load_settings
from tests.fleet.cluster import fleet_in_git, git
from tests.git.conftest import plain_git  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("plain_git")


def test_a_worker_elsewhere_has_a_clone_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is not there, or is at another commit or edited, is fetched by its commit."""
    work = fleet_in_git(tmp_path, 1)
    checkout = checkout_of(work, None, remote="origin")
    assert folder_of(checkout) == work
    worker = tmp_path / "worker"
    worker.mkdir()
    monkeypatch.chdir(worker)
    elsewhere = Checkout(
        tmp_path / "gone", None, checkout.commit, checkout.below, "origin", checkout.address
    )
    found = folder_of(elsewhere)
    assert found.is_relative_to(worker)
    assert [*load_settings(environ={}, folder=found).stores] == ["s1"]
    assert git(found, "ls-remote", "origin", "refs/heads/main").startswith(str(checkout.commit))
    assert folder_of(elsewhere) == found
    (work / "shops" / "s1" / "catalog" / "all.yaml").write_text("products: []\n")
    assert folder_of(checkout) == found
    git(work, "commit", "--quiet", "--all", "-m", "Another")
    git(work, "push", "--quiet", "origin", "main")
    assert folder_of(checkout) == found
    newer = checkout_of(work, None, remote="origin")
    assert folder_of(Checkout(tmp_path / "gone", None, newer.commit, ".", "origin",
                              newer.address)) != found  # fmt: skip


def test_a_worker_that_cannot_get_the_commit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that was not pushed is told with the worker's name and the remedy."""
    work = fleet_in_git(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    checkout = checkout_of(work, None, remote="origin")
    absent = Checkout(tmp_path / "gone", None, "0" * 40, ".", "origin", checkout.address)
    with pytest.raises(SettingsError, match=r"The worker .* cannot get the commit") as caught:
        folder_of(absent)
    assert "Push the commit" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("written", "travels"),
    [
        ("https://oauth2:hush@git.example/a.git", "https://git.example/a.git"),
        ("https://hush@git.example/a.git", "https://git.example/a.git"),
        ("ssh://git:hush@git.example/a.git", "ssh://git@git.example/a.git"),
        ("git@git.example:a.git", "git@git.example:a.git"),
    ],
)
def test_no_token_of_the_remote_travels(tmp_path: Path, written: str, travels: str) -> None:
    """The address of the remote goes to workers without what lets one in."""
    work = fleet_in_git(tmp_path, 1)
    git(work, "remote", "set-url", "origin", written)
    assert checkout_of(work, None, remote="origin").address == travels
