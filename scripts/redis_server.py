"""A private Redis (or Valkey, which is the same to a client)."""

from collections.abc import Mapping
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from scripts import binaries
from scripts.ports import LOOPBACK
from scripts.service import Service

SETTINGS = {
    "bind": LOOPBACK,
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
}


class Redis(Service):
    name = "Redis"

    def __init__(
        self,
        *,
        folder: Path,
        port: int,
        password: str,
        settings: Mapping[str, str] | None = None,
        remedy: str = "",
    ) -> None:
        """`settings` are further lines of redis.conf."""
        super().__init__(folder=folder, ports=[port], remedy=remedy)
        self.port = port
        self._password = password
        self._settings = {**SETTINGS, **(settings or {})}

    @property
    def url(self) -> str:
        """Database 0: the stock."""
        return self.database_url(0)

    def database_url(self, database: int) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def data(self) -> Path:
        """The append-only file's folder; take it away or put an older one there while the server is stopped."""
        return self.folder / "data"

    def prepare(self) -> list[str]:
        self.data.mkdir(exist_ok=True, mode=0o700)
        settings = {**self._settings, "port": str(self.port), "dir": f'"{self.data}"', "requirepass": self._password}
        configuration = self.folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return [str(binaries.redis_server()), str(configuration)]

    def answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        finally:
            client.close()
