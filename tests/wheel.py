"""Build wheel and sdist, check that they hold the whole package, and run them: `make package`.

It is run as pipx and uvx do, from a fresh environment; the packages that it needs are borrowed from
this one, so that nothing is downloaded.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
ENTRY_POINT = "reconciler = reconciler.cli:main"


def faults(names: Iterable[str], entry_points: str, package: Path) -> list[str]:
    """What is wrong with a wheel of these file names, seen from the source folder `package`."""
    built = {name for name in names if ".dist-info/" not in name}
    source = {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = [f"missing in the wheel: {name}" for name in sorted(source - built)]
    found += [f"too much in the wheel: {name}" for name in sorted(built - source)]
    if f"{package.name}/py.typed" not in built:
        found.append("no py.typed: type checkers would not see the annotations")
    if ENTRY_POINT not in entry_points.splitlines():
        found.append(f"no command in entry_points.txt: {ENTRY_POINT}")
    if not any(name.startswith(f"{package.name}/templates/ci/") for name in built):
        found.append("no templates: `init` would have no pipelines to give")
    return found


def fresh(folder: Path, wheel: Path) -> Path:
    """The command as it is installed from `wheel` into an environment of its own."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    purelib = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    install = ("pip", "--python", str(folder), "install", "--quiet", "--no-deps", str(wheel))
    subprocess.run([sys.executable, "-m", *install], check=True)
    borrowed = sysconfig.get_path("purelib")
    # A path alone: the .pth files in it, such as that of an editable install, are not followed.
    (purelib / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return Path(sysconfig.get_path("scripts", vars={"base": str(folder)})) / "reconciler"


def failures(command: Path, shop: Path) -> list[str]:
    """What the installed command cannot do in `shop`, an empty folder."""
    found = []
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "TEMP") if name in os.environ}
    for arguments in (
        ("--version",),
        ("init", "--ci", "github"),
        ("validate",),
        ("plan", "--sandbox", "--format", "html"),
    ):
        done = subprocess.run(
            [command, *arguments],
            cwd=shop,
            env=environ,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode or not done.stdout:
            found.append(f"reconciler {' '.join(arguments)}: {done.stderr.strip()}")
    return found


def failed_tests(folder: Path, sdist: Path) -> list[str]:
    """What a handful of the sdist's own tests, run from it in `folder`, say if they fail."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    tests = ("test_repository.py", "test_public.py", "pipelines/test_files.py", "model")
    pytest = [sys.executable, "-m", "pytest", *(f"tests/{name}" for name in tests)]
    done = subprocess.run(pytest, cwd=root, capture_output=True, text=True, check=False)
    return [f"the sdist's tests: {done.stdout.strip()[-2000:]}"] if done.returncode else []


def main() -> int:
    """Build, check, run, tell; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "build", "--wheel", "--sdist", "--outdir", folder, str(ROOT)]
        done = subprocess.run(build, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout + done.stderr, file=sys.stderr)
            return 1
        wheel = next(Path(folder).glob("*.whl"))
        with ZipFile(wheel) as archive:
            names = archive.namelist()
            listed = next(name for name in names if name.endswith("/entry_points.txt"))
            entry_points = archive.read(listed).decode()
        found = faults(names, entry_points, ROOT / "reconciler")
        shop = Path(folder) / "shop"
        shop.mkdir()
        found = found or failures(fresh(Path(folder) / "venv", wheel), shop)
        sdist = next(Path(folder).glob("*.tar.gz"))
        found = found or failed_tests(Path(folder) / "sdist", sdist)
    print("\n".join(found) or f"{wheel.name}: {len(names)} files, whole; it runs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
