"""deploy/systemd as data."""

import shlex
import shutil
import subprocess
from pathlib import Path

from scripts import binaries
from scripts.processes import ROOT

FOLDER = ROOT / "deploy" / "systemd"
INSTALLED = "/opt/blend"
PYTHON = f"{INSTALLED}/.venv/bin/python"
MOST_EXPOSED_TENTHS = 20  # as `systemd-analyze security` reckons, where 100 is everything
Setting = tuple[str, str, str]  # section, name, value


def read(name: str) -> list[Setting]:
    """Each setting of a unit, in order; a name may come more than once."""
    section, settings = "", []
    for line in (FOLDER / name).read_text().replace("\\\n", " ").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            settings.append((section, key, value))
    return settings


def values(name: str, key: str) -> list[str]:
    return [value for _, found, value in read(name) if found == key]


def command(name: str) -> list[str]:
    """The words that systemd starts: it reads a single % as the beginning of something of its own."""
    (line,) = values(name, "ExecStart")
    assert "%" not in line.replace("%%", ""), line
    assert "$" not in line, line
    return shlex.split(line.replace("%%", "%"))


def copied(folder: Path) -> list[Path]:
    """The units as they would be, were `folder` the machine's: every program that they name is there."""
    installed = folder / "opt"
    python = installed / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")
    shutil.copytree(FOLDER, installed / "deploy" / "systemd")
    found = []
    for unit in sorted(FOLDER.glob("blend*")):
        copy = folder / unit.name
        copy.write_text(unit.read_text().replace(INSTALLED, str(installed)))
        found.append(copy)
    return found


def verified(units: list[Path]) -> str:
    """What systemd has against them: empty where nothing. An unknown setting is only said, and not in the status."""
    command = [str(binaries.systemd_analyze()), "verify", "--man=no", *map(str, units)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


def exposed(unit: Path) -> str:
    """What systemd says of one from whose process too much of the machine is in reach; else nothing."""
    threshold = f"--threshold={MOST_EXPOSED_TENTHS}"
    command = [str(binaries.systemd_analyze()), "security", "--no-pager", "--offline=yes", threshold, str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr if done.returncode else ""
