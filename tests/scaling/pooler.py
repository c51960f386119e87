"""pgbouncer with the configuration that ships, in front of the tests' PostgreSQL."""

import configparser
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import psycopg

from scripts import binaries
from scripts.ports import LOOPBACK
from scripts.processes import ROOT
from scripts.service import Service

EXAMPLE = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"
SESSIONS = 3  # of PostgreSQL, for all clients together


class Pgbouncer(Service):
    """`database_url`: what it stands before. Only addresses, names and the pool's size are not the example's."""

    name: ClassVar[str] = "pgbouncer"
    stop_signal: ClassVar[str] = "INT"

    def __init__(self, *, folder: Path, port: int, database_url: str) -> None:
        super().__init__(folder=folder, ports=[port])
        self._behind = urlsplit(database_url)

    @property
    def url(self) -> str:
        who = f"{self._behind.username}:{self._behind.password}"
        return self._behind._replace(netloc=f"{who}@{LOOPBACK}:{self.ports[0]}").geturl()

    def prepare(self) -> list[str]:
        example = configparser.RawConfigParser(inline_comment_prefixes=None)
        example.read_string(EXAMPLE.read_text())
        behind, database = self._behind, self._behind.path[1:]
        where = example.get("databases", "blend")
        where = where.replace("port=5432 dbname=blend", f"port={behind.port} dbname={database}")
        users = self.folder / "userlist.txt"
        users.write_text(f'"{behind.username}" "{behind.password}"\n')
        own = {"listen_port": str(self.ports[0]), "auth_file": str(users), "default_pool_size": str(SESSIONS)}
        settings = {**dict(example.items("pgbouncer")), **own}
        lines = [f"{name} = {value}" for name, value in settings.items()]
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text("\n".join(["[databases]", f"{database} = {where}", "[pgbouncer]", *lines, ""]))
        for path in (self.folder, users, configuration):
            path.chmod(0o755 if path.is_dir() else 0o644)  # whom it runs as may read them
        return [*binaries.as_nobody(), str(binaries.pgbouncer()), str(configuration)]

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False
