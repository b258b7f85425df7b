"""The container image: no rights, and a tool that works."""

import shutil
import subprocess

import pytest

from reconciler.version import version_text
from tests.project import ROOT

FILE = ROOT / ".github" / "Dockerfile"
NAME = "reconciler-test"


def builder() -> str | None:
    """A builder of images that works here; None if there is none."""
    for name in ("podman", "docker"):
        if shutil.which(name):
            answer = subprocess.run([name, "info"], capture_output=True, check=False)
            if answer.returncode == 0:
                return name
    return None


def test_the_image_runs_without_rights() -> None:
    """Its last stage names a user that is not root, and what it copies is in the repository."""
    last = FILE.read_text(encoding="utf-8").split("\nFROM ")[-1]
    users = [line.split()[1] for line in last.splitlines() if line.startswith("USER ")]
    assert users
    assert users[-1] not in ("0", "root")
    assert 'ENTRYPOINT ["reconciler"]' in last
    copied = [
        word
        for line in FILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert all((ROOT / word).exists() for word in copied)


def test_the_image_is_built_and_runs() -> None:
    """Where there is a builder: the image tells the version, as a user that is not root."""
    tool = builder()
    if tool is None:
        pytest.skip("there is no builder of images that works")
    build = [tool, "build", "--quiet", "--tag", NAME, "--file", str(FILE), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=600)
    try:
        ran = [tool, "run", "--rm", "--network", "none"]
        told = subprocess.check_output([*ran, NAME, "--version"], text=True)
        user = subprocess.check_output([*ran, "--entrypoint", "id", NAME, "-u"], text=True)
        plan = [
            *ran,
            "--tmpfs",
            "/shop:mode=1777",
            NAME,
            "sandbox",
            "--seed",
            "empty",
            "--seed-only",
        ]
        assert subprocess.run(plan, check=False).returncode == 0
    finally:
        subprocess.run([tool, "rmi", "--force", NAME], check=False, capture_output=True)
    assert told.startswith(f"reconciler {version_text().split()[0]}")
    assert user.strip() == "10001"
