"""Say which of the programs that the tests run are missing, or install them where INSTALL=1 asks for it.

`python -m scripts.install bench`: those that the bench runs.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts import binaries

SCRIPT = Path(__file__).with_name("install.sh")
SERVERS: tuple[Callable[[], Path], ...] = (binaries.postgres_folder, binaries.redis_server, binaries.rabbitmq_server)
READERS = (binaries.shellcheck, binaries.systemd_analyze, binaries.promtool)
FINDERS = (*SERVERS, binaries.pgbouncer, binaries.chromium, *READERS, binaries.prometheus)
FOR_THE_BENCH = (*SERVERS, binaries.wrk)


class CannotInstall(Exception):
    """Packages could not be installed. The message says why."""


def missing(finders: Sequence[Callable[[], Path]] = FINDERS) -> list[binaries.MissingBinary]:
    """The programs that are nowhere on this machine."""
    found = []
    for finder in finders:
        try:
            finder()
        except binaries.MissingBinary as lack:
            found.append(lack)
    return found


def asked() -> bool:
    return os.environ.get("INSTALL") == "1"


def install(packages: Sequence[str]) -> None:
    """Install Debian packages, as root or through sudo, starting no service. Raises CannotInstall."""
    if not shutil.which("apt-get"):
        raise CannotInstall(f"there is no apt-get here: install {', '.join(packages)} by hand")
    root: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise CannotInstall(f"INSTALL=1 needs root or sudo. As root: apt-get install {' '.join(packages)}")
        root = ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    print(f"Installing {', '.join(packages)} (no system service is started)", flush=True)
    if subprocess.run([*root, "sh", str(SCRIPT), *packages], check=False).returncode != 0:
        raise CannotInstall(f"apt-get could not install {', '.join(packages)}: see above")


def main(arguments: Sequence[str]) -> int:
    finders = FOR_THE_BENCH if "bench" in arguments else FINDERS
    lacks = missing(finders)
    if lacks and asked():
        try:
            install(list(dict.fromkeys(lack.package for lack in lacks)))
        except CannotInstall as problem:
            print(problem, file=sys.stderr)
            return 1
        lacks = missing(finders)
    for lack in lacks:
        print(lack, file=sys.stderr)
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
