"""`make mutants`: break the rules of the gate and of the loan on purpose, one small change at a time, and look on.

A change that no test notices is a hole in the tests, or changes nothing that anyone could notice; docs/mutants.md says
which. mutmut makes about eleven thousand of them, so a sample is tried; its seed is printed, and the same seed on the
same code gives the same sample. All of it happens in a copy of the tree, which is thrown away, or kept by --keep.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
MUTATED = ("duecourse/compliance/*.py", "duecourse/loans/*.py")
COPIED = ("duecourse", "workflows", "activities", "tests", "docs", "examples", "benchmarks", "pyproject.toml")
FILES = ("README.md", "starter.py", "worker.py")
# Only what needs neither server nor months; the conformity of packs says nothing of code, and is slow.
TESTS = (
    "tests/compliance",
    "tests/loans",
    "tests/outside",
    "tests/cli/test_packs.py",
    "tests/cli/test_decide.py",
    "tests/cli/test_decide_examples.py",
    "tests/cli/test_explanations.py",
)
LEFT_OUT = ("tests/compliance/test_pack_schema.py", "tests/loans/test_speed.py")
WARM_UP = "duecourse.compliance.intervals.x_contains__mutmut_1"  # any one: it makes all mutants and times all tests
ENDS = {0: "survived", 1: "killed", 3: "killed", 5: "no test", 33: "no test"}  # by the tests' exit code; else: too slow


def main() -> int:
    arguments = _arguments()
    print(f"seed {arguments.seed}, {arguments.count} mutants", flush=True)
    with TemporaryDirectory(prefix="mutants-") as folder:
        copy = arguments.keep or Path(folder) / "copy"
        if not (copy / "mutants" / "mutmut-stats.json").exists():
            _copy(copy)
            _mutmut(copy, "run", "--max-children", "1", WARM_UP)
        tested = _tested(copy)
        chosen = sample(sorted(_codes(copy)), arguments.seed, arguments.count, arguments.only)
        untested = [name for name in chosen if _function(name) not in tested]
        run = [name for name in chosen if name not in set(untested)]
        if run:
            _mutmut(copy, "run", "--max-children", str(arguments.children), *run)
        codes = _codes(copy)
        ends = {name: "not tried" if codes[name] is None else ENDS.get(codes[name] or 0, "time-out") for name in run}
        ends |= dict.fromkeys(untested, "no test")
        for name, end in sorted(ends.items()):
            if end not in ("killed", "time-out"):
                print(f"\n{end}: {name}\n{_shown(copy, name)}", flush=True)
    print("\n" + ", ".join(f"{count} {end}" for end, count in sorted(Counter(ends.values()).items())))
    return 0


def sample(names: list[str], seed: int, count: int, only: str = "") -> list[str]:
    """So many of the mutants whose name holds `only`, the same ones for the same seed."""
    fitting = [name for name in names if only in name]
    return sorted(random.Random(seed).sample(fitting, min(count, len(fitting))))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--count", type=int, default=120, help="about twenty minutes on two cores")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--only", default="", help="a part of the mutants' names, such as compliance.counting")
    parser.add_argument("--keep", type=Path, help="a folder for the copy; it is used again if it is there")
    given: argparse.Namespace = parser.parse_args()
    return given


def _copy(copy: Path) -> None:
    copy.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / name, copy / name)
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    quoted = {
        "source_paths": ["duecourse/"],
        "only_mutate": list(MUTATED),
        "also_copy": [*COPIED, *FILES],
        "pytest_add_cli_args_test_selection": list(TESTS),
        "pytest_add_cli_args": [
            "-p",
            "no:cacheprovider",
            "-k",
            "not throttle",
            *(f"--ignore={one}" for one in LEFT_OUT),
        ],
    }
    lines = ["", "[tool.mutmut]", *(f"{key} = {json.dumps(value)}" for key, value in quoted.items())]
    # A mutant in a process that once ran the real code lives on the answers that were remembered there.
    lines += ['process_isolation = "forkserver"', 'forkserver_warmup = "none"']
    # A loop that no longer ends is found by its time: more than its tests and their imports take.
    lines += ["timeout_multiplier = 2.0", "timeout_constant = 15.0", "use_git_change_detection = false", ""]
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n".join(lines))


def _mutmut(copy: Path, *arguments: str) -> None:
    with (copy / "mutmut.log").open("a", encoding="utf-8") as log:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("mutmut")), *arguments], cwd=copy, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        tail = (copy / "mutmut.log").read_text(encoding="utf-8", errors="replace")[-3000:]
        raise SystemExit(f"mutmut {arguments[0]} ended with {done.returncode}:\n{tail}")


def _codes(copy: Path) -> dict[str, int | None]:
    """The exit code of the tests under each mutant, as far as it was tried."""
    found: dict[str, int | None] = {}
    for meta in sorted((copy / "mutants" / "duecourse").rglob("*.py.meta")):
        found |= json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def _tested(copy: Path) -> set[str]:
    """The functions that at least one test runs."""
    stats = json.loads((copy / "mutants" / "mutmut-stats.json").read_text(encoding="utf-8"))
    return {name for name, tests in stats["tests_by_mangled_function_name"].items() if tests}


def _function(name: str) -> str:
    return name.rpartition("__mutmut_")[0]


def _shown(copy: Path, name: str) -> str:
    command = [str(Path(sys.executable).with_name("mutmut")), "show", name]
    said = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False).stdout
    return "\n".join(line for line in said.splitlines() if line.startswith(("-", "+", "@@")))


if __name__ == "__main__":
    raise SystemExit(main())
