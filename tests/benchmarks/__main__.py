"""Measure: `python -m tests.benchmarks [--times N] [--only GROUP,...] [--scale] [--json FILE]`.

Prints one table and writes it as JSON; exits with 1 where a figure misses its line.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from compileall import compile_dir
from dataclasses import asdict
from pathlib import Path
from sysconfig import get_path

from tests.benchmarks.figures import GROUPS, Bench
from tests.benchmarks.measure import STORE, Figure
from tests.project import ROOT

_WIDTH = 62


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _row(figure: Figure) -> str:
    measured = "-" if figure.measured is None else f"{figure.measured:,.2f} {figure.unit}".strip()
    line = "-"
    if figure.line is not None:
        line = f"{'<=' if figure.at_most else '>='} {figure.line:g} {figure.unit}".strip()
    row = f"{figure.name:{_WIDTH}} {measured:>12} {line:>12}  {figure.verdict:8} {figure.note}"
    return row.rstrip()


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--times", type=int, default=3, help="how often each thing is run")
    parser.add_argument("--only", default="", help=f"groups of {', '.join(GROUPS)}")
    parser.add_argument("--scale", action="store_true", help="plan a million products, too")
    parser.add_argument("--json", type=Path, default=STORE / "results.json", help="the results")
    given = parser.parse_args()
    chosen = given.only.split(",") if given.only else [name for name in GROUPS if name != "scale"]
    if given.scale:
        chosen.append("scale")
    # What is measured is an installed tool, which pip has compiled, and its packages too.
    for place in (ROOT / "reconciler", get_path("purelib")):
        compile_dir(place, quiet=2)
    figures: list[Figure] = []
    _say(f"{'figure':{_WIDTH}} {'measured':>12} {'line':>12}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), given.times)
        for name in dict.fromkeys(chosen):
            for figure in GROUPS[name](bench):
                figures.append(figure)
                _say(_row(figure))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "times": given.times,
        "figures": [{**asdict(figure), "verdict": figure.verdict} for figure in figures],
    }
    given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    _say(f"Written to {given.json}.")
    return int(any(figure.verdict == "FAIL" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
