"""Take each rule out of the real code and see that a test misses it: `make mutants`.

First those of the protocol, by random schedules on the real Lua; then the others, each in a copy of the tree with the
tests that guard it. Prints a table; fails where a rule is not missed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.lua.protocol.mutation import PythonLine
from tests.lua.protocol.rules import PARTS, RULES, Rule
from tests.lua.protocol.simulate import simulate
from tests.mutants import in_lua, in_maintenance, in_request, in_worker
from tests.mutants.mutant import ROOT, Mutant

MUTANTS = [*in_lua.MUTANTS, *in_request.MUTANTS, *in_worker.MUTANTS, *in_maintenance.MUTANTS]
LIMIT_S = 600
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
SCHEDULES, ACTS = 4_000, 60


def copy_of_the_tree(folder: Path) -> None:
    """What git knows, and the environment beside it."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in names.stdout.splitlines():
        if name.startswith("till/") or not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to((ROOT / ".venv").resolve())


def missed(mutant: Mutant) -> str:
    """The test that fails without the rule, or '' where none does."""
    with tempfile.TemporaryDirectory(prefix="blend-pos-mutant-") as name:
        folder = Path(name)
        copy_of_the_tree(folder)
        mutant.apply(folder)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests]
        try:
            ran = subprocess.run(
                command, cwd=folder, check=False, capture_output=True, text=True, timeout=LIMIT_S, env=_environment()
            )
        except subprocess.TimeoutExpired:
            return f"{mutant.tests[0]} never ends"
    found = FAILED.search(ran.stdout)
    if ran.returncode == 1 and found:
        return found.group(1)
    if ran.returncode:  # no test failed: servers that do not start, or no Python
        raise RuntimeError(f"{mutant.rule}: pytest says {ran.returncode}\n{ran.stdout[-3000:]}{ran.stderr[-2000:]}")
    return ""


def _environment() -> dict[str, str]:
    """Without the settings of this process, which reach no server."""
    ours = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "RABBITMQ_URL", "DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def lines_of(rule: Rule) -> Iterator[str]:
    """The change, a line each; a rule that the machine stands for is SQL, or a wait."""
    for line in rule.lines:
        where = f"{line.module.__name__}.{line.function}" if isinstance(line, PythonLine) else f"{line.command}.lua"
        yield f"{where}: {line.line} → {line.instead or 'nothing'}"
    for name in sorted(rule.machine):
        yield f"the machine's stand-in: {name}"


def say(rule: str, change: str, found: str) -> None:
    print(f"| {rule} | `{change.replace('|', '¦')}` | {found or '**NOT MISSED**'} |", flush=True)


def in_schedules(processes: int, only: str) -> int:
    """How many rules of the protocol are not missed by any schedule."""
    bad = 0
    for name, rule in (RULES | PARTS).items():
        if only not in name:
            continue
        weather = rule.weather is not None
        ran, found = simulate(
            first=0, schedules=SCHEDULES, acts=rule.acts if weather else ACTS, processes=processes, without=name
        )
        bad += found is None
        after = f"{found.what}: the schedule of seed {found.seed} ({ran} before it held)" if found else ""
        say(name, "; ".join(lines_of(rule)), after)
    return bad


def in_tests(jobs: int, only: str) -> int:
    """How many of the other rules no test misses."""
    wanted = [mutant for mutant in MUTANTS if only in f"{mutant.file}: {mutant.rule}"]
    bad = 0
    with ThreadPoolExecutor(jobs) as threads:
        for mutant, found in zip(wanted, threads.map(missed, wanted), strict=True):
            bad += not found
            say(mutant.rule, f"{mutant.file}: {mutant.summary}", found)
    return bad


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", help="rules, or files, that hold this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--part", choices=("schedules", "tests", "both"), default="both")
    asked = parser.parse_args(arguments)
    names = [*RULES, *PARTS] if asked.part != "tests" else []
    names += [f"{mutant.file}: {mutant.rule}" for mutant in MUTANTS] if asked.part != "schedules" else []
    if not any(asked.only in name for name in names):
        parser.error(f"no rule holds {asked.only!r}; there are:\n  " + "\n  ".join(names))
    started = time.monotonic()
    print("| rule | taken out | missed by |\n|---|---|---|", flush=True)
    parts = {
        "schedules": partial(in_schedules, asked.jobs, asked.only),
        "tests": partial(in_tests, asked.jobs, asked.only),
    }
    bad = sum(run() for name, run in parts.items() if asked.part in {name, "both"})
    print(f"\n{bad} rules are not missed; {time.monotonic() - started:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
