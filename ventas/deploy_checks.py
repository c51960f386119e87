"""For Django's `check --deploy`: what it cannot know of, the servers' addresses, and a name that is everybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

SHORTEST = 12
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def register_all() -> None:
    """Once, as the app is ready."""
    for check in (check_passwords, check_hosts):
        register(check, Tags.security, deploy=True)


@dataclass(frozen=True, slots=True)
class Login:
    """How a server is entered."""

    scheme: str
    host: str
    user: str
    password: str

    @classmethod
    def of(cls, url: str) -> "Login":
        """What an address says."""
        parts = urlsplit(url)
        return cls(parts.scheme, parts.hostname or "", unquote(parts.username or ""), unquote(parts.password or ""))

    @property
    def is_guessed(self) -> bool:
        """Whether who reaches the server gets in by guessing: guest, postgres, blend. PostgreSQL at a socket asks the
        kernel who it is, and a Redis of this machine alone may have none."""
        if not self.password:
            at_socket = not self.host or self.host.startswith("/")
            return not at_socket and not (self.scheme.startswith("redis") and self.host in LOOPBACK)
        return len(self.password) < SHORTEST or self.password == self.user


def guessed() -> list[str]:
    """The settings that name a server which is entered by guessing."""
    database = settings.DATABASES["default"]
    words = (str(database.get(name) or "") for name in ("HOST", "USER", "PASSWORD"))
    logins = {
        "DATABASE_URL": Login("postgres", *words),
        "REDIS_URL": Login.of(settings.REDIS_URL),
        "CACHE_URL": Login.of(settings.CACHE_URL),
        "RABBITMQ_URL": Login.of(settings.RABBITMQ_URL),
        "RABBITMQ_MANAGEMENT_URL": Login.of(settings.RABBITMQ_MANAGEMENT_URL),
    }
    return [name for name, login in logins.items() if login.is_guessed]


def check_passwords(*, app_configs: Sequence[Any] | None, **_more: Any) -> list[CheckMessage]:
    """Each server is entered with a password that was made for it."""
    names = guessed()
    if not names:
        return []
    return [
        checks.Warning(
            f"{', '.join(names)}: no password, or one that is guessed: fewer than {SHORTEST} characters, the user's.",
            hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(24))'",
            id="blend.W001",
        )
    ]


def check_hosts(*, app_configs: Sequence[Any] | None, **_more: Any) -> list[CheckMessage]:
    """Links and redirects are made of the name that was asked for: it is one of the shop's."""
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [checks.Warning("ALLOWED_HOSTS lets any name in.", hint="Name the shop's own.", id="blend.W002")]
