"""What is installed is what was locked: every dependency by its version and the hash of each of its files."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==[^\s;]+( ; .+)?", re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)


def requirements(name: str) -> list[str]:
    """Each requirement of a lock on one line, without its comments."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.strip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def unlocked(lines: list[str]) -> list[str]:
    """Those that are not pinned, or have something else than hashes behind."""
    bad = []
    for line in lines:
        what, *hashes = re.split(r" (?=--)", line)
        if not (PINNED.fullmatch(what) and hashes and all(HASH.fullmatch(each) for each in hashes)):
            bad.append(line)
    return bad


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_locked_with_its_hashes(lock: str) -> None:
    locked = requirements(lock)
    assert unlocked(locked) == []
    names = {line.partition("==")[0].partition("[")[0].lower() for line in locked}
    asked = {name.lower() for name in NAME.findall((ROOT / lock).with_suffix(".in").read_text())}
    assert asked
    assert asked - names == set()


@pytest.mark.parametrize(
    "line",
    [
        "amqp",
        "amqp==5.4.2",
        "amqp>=5 --hash=sha256:" + "0" * 64,
        "amqp==5.4.2 --hash=md5:" + "0" * 32,
        "amqp @ https://example.org/amqp.whl --hash=sha256:" + "0" * 64,
        "-e git+https://example.org/amqp --hash=sha256:" + "0" * 64,
        "--extra-index-url https://example.org/simple",
    ],
)
def test_what_is_not_locked_is_noticed(line: str) -> None:
    assert unlocked([line]) == [line]


def test_whoever_installs_asks_for_the_hashes() -> None:
    scripts = [ROOT / "Makefile", *(ROOT / ".ci").iterdir(), *(ROOT / "scripts").glob("*.sh"), *ROOT.glob("*ockerfile")]
    installs = [
        line
        for script in scripts
        for line in script.read_text().replace("\\\n", " ").splitlines()
        if re.search(r"\bpip3? install\b", line)
    ]
    assert installs
    assert [line for line in installs if "--require-hashes" not in line] == []


def test_the_tills_packages_have_their_integrity() -> None:
    packages = json.loads((ROOT / "till" / "package-lock.json").read_text())["packages"]
    outside = {name: package for name, package in packages.items() if name and not package.get("inBundle")}
    assert len(outside) > 100
    assert [n for n, package in outside.items() if not package.get("integrity", "").startswith("sha512-")] == []
    hosts = {
        re.sub(r"(https?://[^/]+/).*", r"\1", package["resolved"])
        for package in outside.values()
        if "resolved" in package
    }
    assert hosts <= {"https://registry.npmjs.org/"}
    assert '"ci"' in (ROOT / "scripts" / "till.py").read_text(), "npm ci: what is locked, or an error"
