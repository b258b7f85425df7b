"""The composite action, run by hand: each step's script in bash, as GitHub's runner would."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML

from tests.project import ROOT

FOLDER: Final = ROOT / ".github" / "actions" / "reconcile"
_EXPRESSION: Final = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_CONDITION: Final = re.compile(r"([\w.-]+) (==|!=) '([^']*)'")


def loaded(file: Path) -> Any:
    """A YAML file as plain values."""
    return YAML(typ="safe").load(file)


class Step(NamedTuple):
    """How one step ended."""

    name: str
    code: int
    log: str


class Run:
    """One use of the action: its inputs, what the runner knows, and what the steps put out."""

    def __init__(
        self,
        folder: Path,
        temporary: Path,
        inputs: Mapping[str, str],
        event: Mapping[str, str],
        environ: Mapping[str, str],
    ) -> None:
        self.folder, self.temporary = folder, temporary
        temporary.mkdir(parents=True)
        action = loaded(FOLDER / "action.yml")
        self.values = {
            f"inputs.{name}": inputs.get(name, str(declared.get("default", "")))
            for name, declared in action["inputs"].items()
        }
        unknown = set(inputs) - set(action["inputs"])
        if unknown:
            raise ValueError(f"The action has no inputs {unknown}.")
        self.values |= {"github.token": "gh-token", **event}
        self.values["inputs.token"] = "gh-token"
        self._environ = environ
        self._steps = action["runs"]["steps"]

    def steps(self, *, skip: tuple[str, ...] = ("Install",)) -> list[Step]:
        """Run the scripts of the action in order, to the first that fails."""
        done: list[Step] = []
        for step in self._steps:
            name = step.get("name", step.get("uses"))
            if "run" not in step or name in skip:
                continue
            failed = any(step.code for step in done)
            if self._wanted(step.get("if"), failed=failed):
                done.append(self._script(step, name))
        return done

    def _wanted(self, condition: str | None, *, failed: bool) -> bool:
        """Whether a step runs: its condition is comparisons with `&&` between.

        After a step that failed only one that says `always()` does.
        """
        parts = [part for part in (condition or "").split("&&") if part.strip()]
        if failed and "always()" not in [part.strip() for part in parts]:
            return False
        for part in parts:
            if part.strip() == "always()":
                continue
            match = _CONDITION.fullmatch(part.strip())
            if match is None:
                raise ValueError(f"A condition that this runner does not know: {part}")
            name, operator, value = match.groups()
            if (self.values.get(name, "") == value) != (operator == "=="):
                return False
        return True

    def _script(self, step: Mapping[str, Any], name: str) -> Step:
        output = self.temporary / "output"
        output.write_text("", encoding="utf-8")
        environ = {
            **self._environ,
            **{key: self._value(value) for key, value in step.get("env", {}).items()},
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTION_PATH": str(FOLDER),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_PATH": str(self.temporary / "path"),
            "GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"),
        }
        done = subprocess.run(
            # As GitHub starts `shell: bash`.
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        if "id" in step:
            for line in output.read_text(encoding="utf-8").splitlines():
                key, value = line.split("=", 1)
                self.values[f"steps.{step['id']}.outputs.{key}"] = value
        return Step(name, done.returncode, done.stdout)

    def _value(self, text: str) -> str:
        """A value of `env` with its expressions filled in."""
        return _EXPRESSION.sub(lambda found: self.values.get(found[1], ""), text)

    def result(self, name: str) -> str:
        """One file that the steps made."""
        return (self.temporary / "reconciler" / name).read_text(encoding="utf-8")

    @property
    def summary(self) -> str:
        """The job's summary."""
        return (self.temporary / "summary.md").read_text(encoding="utf-8")
