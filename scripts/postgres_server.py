"""A private PostgreSQL."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg

from scripts import binaries
from scripts.ports import LOOPBACK
from scripts.service import Service, ServiceError

DATABASE = "blend_pos"
USER = "blend_pos"
SETTINGS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "max_connections": "200"}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class Postgres(Service):
    name = "PostgreSQL"
    stop_signal = "INT"  # its fast shutdown: sessions are ended, data is written

    def __init__(
        self,
        *,
        folder: Path,
        port: int,
        password: str,
        fsync: bool = True,
        settings: Mapping[str, str] | None = None,
        remedy: str = "",
    ) -> None:
        """`settings` are further lines of postgresql.conf."""
        super().__init__(folder=folder, ports=[port], remedy=remedy)
        self.port = port
        self._password = password
        self._settings = {**SETTINGS, **({} if fsync else NOT_DURABLE), **(settings or {})}

    @property
    def url(self) -> str:
        return self.database_url(DATABASE)

    def database_url(self, database: str) -> str:
        return f"postgres://{USER}:{quote(self._password, safe='')}@{LOOPBACK}:{self.port}/{database}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def prepare(self) -> list[str]:
        version = self.data / "PG_VERSION"
        programs = binaries.postgres_folder(major=version.read_text().strip() if version.exists() else None)
        nobody = binaries.as_nobody()
        if not version.exists():
            self._make_cluster([*nobody, str(programs / "initdb")], changes_user="setpriv" in nobody)
        self._forget_dead_postmaster()
        settings = {**self._settings, "port": str(self.port)}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return [*nobody, str(programs / "postgres"), "-D", str(self.data), *options]

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.database_url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def start(self) -> None:
        super().start()
        with psycopg.connect(self.database_url("postgres"), connect_timeout=5, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _make_cluster(self, initdb: list[str], *, changes_user: bool) -> None:
        """Make the data beside its place and move it there whole: an initdb that was cut short leaves nothing."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        password_file.chmod(0o600)
        if changes_user:
            os.chown(unfinished, binaries.NOBODY, binaries.NOBODY)
        sync = [] if self._settings.get("fsync") != "off" else ["--no-sync"]
        options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={password_file}", "--encoding=UTF8"]
        done = subprocess.run(
            [*initdb, "-D", str(unfinished), "--locale=C.UTF-8", *options, *sync],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        password_file.unlink()
        if done.returncode != 0:
            raise ServiceError(f"initdb ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        unfinished.rename(self.data)

    def _forget_dead_postmaster(self) -> None:
        """Remove the pid file of a postmaster that is no more; its number may be another program's by now."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text().split("\n", 1)[0].strip()
        command = Path("/proc") / pid / "cmdline"
        if pid and command.exists() and str(self.data).encode() in command.read_bytes():
            raise ServiceError(f"a PostgreSQL still runs on {self.data} (process {pid}): stop it first")
        pid_file.unlink()
