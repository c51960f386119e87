"""Search the Spin model of the protocol whole, and see that each rule taken out of it is missed: `make model`.

Fails where the protocol breaks, where a search did not come to its end, or where nothing breaks without a rule.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.binaries import MissingBinary
from scripts.install import CannotInstall, asked, install

MODEL = Path(__file__).parents[1] / "model" / "reserva.pml"
PACKAGES = {"spin": "spin", "gcc": "gcc", "cpp": "cpp"}
MEMORY_MB = 4_000
LIMIT_S = 900
PROTOCOL_NAME = "protocol"  # in --only: all that must hold
DEEPEST = 1_000_000
STORED = re.compile(r"^ *([\d.e+]+) states, stored", re.MULTILINE)
USED = re.compile(r"^ *([\d.]+)\s+total actual memory usage", re.MULTILINE)
BROKE = re.compile(r"^pan:\d+: (.*?) \(at depth", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Search:
    """One run: the faults that are allowed, and the rule that is taken out of it, if any."""

    name: str
    flags: tuple[str, ...]
    without: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a search came to."""

    search: Search
    states: int
    memory_mb: float
    seconds: float
    broke: str
    complete: bool

    @property
    def good(self) -> bool:
        """The protocol holds everywhere; without a rule it breaks."""
        return bool(self.broke) if self.search.without else self.complete and not self.broke

    @property
    def says(self) -> str:
        if self.broke:
            return f"breaks: {self.broke}"
        return "holds" if self.complete else "NOT COMPLETE"


def _flags(text: str) -> tuple[str, ...]:
    return tuple(f"-D{flag}" for flag in text.split())


# What is searched whole.
PROTOCOL = {
    "no loss: two workers, a sale asked twice, a death, a warmup, an early sweep": "W=2 CRASH=1 WARM=1 DUP=1",
    "a loss: a worker, a death, a warmup, an early sweep": "W=1 CRASH=1 WARM=1 DUP=1 NODOUBLE LOSS",
    "a loss: two workers, a death, an early sweep": "W=2 CRASH=1 WARM=0 DUP=1 NODOUBLE LOSS",
    "a loss: a worker, a sale asked twice, an early sweep": "W=1 CRASH=0 WARM=0 DUP=1 LOSS",
    "a loss: a worker, a sale asked twice, a death": "W=1 CRASH=1 WARM=0 DUP=0 LOSS",
    "a loss, two cold starts at once, an early sweep": "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS COLDS=2",
    "two losses, two cold starts at once": "W=1 CRASH=0 WARM=0 DUP=0 NODOUBLE LOSS LOSSES=2 COLDS=2",
    "failing: one sale, two decisions, a death, an early sweep": "W=1 CRASH=1 WARM=0 DUP=1 NODOUBLE FAILS=1 SUPER=2",
    "failing: a sale asked twice, a decision": "W=1 CRASH=0 WARM=0 DUP=0 FAILS=1 SUPER=1",
    "failing and a loss: one sale, two decisions, an early sweep": (
        "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS FAILS=1 SUPER=2"
    ),
}
WARM = "W=1 CRASH=0 WARM=1 DUP=0 ONLY_OVERSELL"
PLAIN = "W=1 CRASH=0 WARM=0 DUP=1"
DEATH = "W=1 CRASH=1 WARM=0 DUP=1 NODOUBLE"
LOSS = "W=1 CRASH=0 WARM=0 DUP=1 LOSS"
FAIL = "W=1 CRASH=0 WARM=0 DUP=1 FAILS=1 SUPER=1"
FAIL_LOSS = "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS FAILS=1 SUPER=1"
# Each rule, and the faults among which it is missed.
BROKEN = {
    "WARM_BLIND": WARM,
    "WARM_NAIVE": WARM,
    "WARM_PENDFIRST": WARM,
    "BAL_BEFORE": f"{PLAIN} ONLY_OVERSELL",
    "ROLLBACK_UNKNOWN": PLAIN,
    "REPLY_503": DEATH,
    "NO_INTENT": PLAIN,
    "NO_SWEEP_INTENT": PLAIN,
    "SWEEP_RELEASE": f"{PLAIN} ONLY_OVERSELL",
    "SWEEP_CANCEL": PLAIN,
    "ANS_EARLY": PLAIN,
    "NO_UNIQUE": PLAIN,
    "NO_NONCE": LOSS,
    "RELEASE_UNARMED": LOSS,
    "RESERVE_UNARMED": LOSS,
    "SWEEP_UNARMED": LOSS,
    "NO_FENCE": LOSS,
    "ACK_EARLY": "W=1 CRASH=1 WARM=0 DUP=1 LOSS",
    "NO_EPOCH": LOSS,
    "COLD_NODRAIN": LOSS,
    "NO_TOKEN": "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS COLDS=2",
    "NO_SERVER": "W=1 CRASH=0 WARM=0 DUP=0 NODOUBLE LOSS LOSSES=2 COLDS=1",
    "COLD_NODLQ": FAIL_LOSS,
    "COLD_FORGETS": FAIL_LOSS,
    "FAIL_RELEASE": FAIL,
    "NO_TOMB": FAIL,
    "RELEASE_FIRST": FAIL,
    "RETRY_UNHELD": "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS FAILS=1 SUPER=2",
    "RETRY_EPOCH": "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS FAILS=1 SUPER=2",
    "LAP_HELD": "W=1 CRASH=0 WARM=0 DUP=1 NODOUBLE LOSS FAILS=2 SUPER=2",
}


def searches() -> list[Search]:
    """All of them, the long ones first."""
    whole = [Search(name, _flags(faults)) for name, faults in PROTOCOL.items()]
    return whole + [Search(rule, _flags(faults), rule) for rule, faults in BROKEN.items()]


def run(search: Search) -> Result:
    """Generate, compile, search. Raises subprocess.CalledProcessError where the model itself is wrong."""
    with tempfile.TemporaryDirectory(prefix="blend-pos-model-") as folder:
        call = partial(subprocess.run, cwd=folder, check=True, capture_output=True, text=True)
        rule = [f"-D{search.without}"] if search.without else []
        call(["spin", "-a", *search.flags, *rule, str(MODEL)])
        call(
            [
                "gcc",
                "-O2",
                "-w",
                "-DSAFETY",
                "-DCOLLAPSE",
                "-DVECTORSZ=2048",
                f"-DMEMLIM={MEMORY_MB}",
                "-o",
                "pan",
                "pan.c",
            ]
        )
        started = time.monotonic()
        try:
            out = call(["./pan", f"-m{DEEPEST}", "-w24"], check=False, timeout=LIMIT_S).stdout
        except subprocess.TimeoutExpired:
            out = "Search not completed"
        seconds = time.monotonic() - started
    stored, used, broke = STORED.search(out), USED.search(out), BROKE.search(out)
    return Result(
        search,
        int(float(stored.group(1))) if stored else 0,
        float(used.group(1)) if used else 0.0,
        seconds,
        broke.group(1) if broke and "max search depth" not in broke.group(1) else "",
        complete=stored is not None and "not completed" not in out and "max search depth too small" not in out,
    )


def show(result: Result) -> str:
    """A line of the table."""
    name = f"without {result.search.without}" if result.search.without else result.search.name
    flags = " ".join(flag.removeprefix("-D") for flag in result.search.flags)
    figures = f"{result.states:,} | {result.seconds:.1f} | {result.memory_mb:,.0f}"
    return f"| {name} | `{flags}` | {figures} | {result.says} |"


def need_programs() -> None:
    """spin and a C compiler, installed where INSTALL=1 asks for it. Raises MissingBinary, CannotInstall."""
    lacking = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if lacking and asked():
        install([*lacking, "libc6-dev"])
        lacking = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if lacking:
        raise MissingBinary(lack=f"{' and '.join(lacking)} was not found", package=" ".join([*lacking, "libc6-dev"]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make model", description=__doc__)
    parser.add_argument("--only", default="", help="names of rules, parted by commas; 'protocol' is all that must hold")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked_for = parser.parse_args(arguments)
    only = set(asked_for.only.split(",")) - {""}
    names = [PROTOCOL_NAME, *(search.without for search in searches() if search.without)]
    if strange := only.difference(names):
        parser.error(f"no rule is called {', '.join(sorted(strange))}; there are:\n  " + "\n  ".join(names))
    try:
        need_programs()
    except (MissingBinary, CannotInstall) as problem:
        print(problem, file=sys.stderr)
        return 1
    wanted = [s for s in searches() if not only or (s.without or PROTOCOL_NAME) in only]
    started = time.monotonic()
    print("| search | faults | states | seconds | MB | result |\n|---|---|---:|---:|---:|---|", flush=True)
    bad = 0
    with ThreadPoolExecutor(asked_for.jobs) as threads:
        for result in threads.map(run, wanted):
            print(show(result), flush=True)
            bad += not result.good
    print(f"\n{len(wanted)} searches in {time.monotonic() - started:.0f} s; {bad} not as they must be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
