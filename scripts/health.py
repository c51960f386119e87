"""Whether web, or beat, does what it is there for: the health checks of the containers.

`python -m scripts.health web`: it answers HTTP. `python -m scripts.health beat`: it has sent a task lately. The worker
and maintenance answer for themselves: `celery inspect ping`.
"""

import http.client
import os
import sys
from collections.abc import Callable, Sequence
from http import HTTPStatus

import psycopg

PORT = 8000
PATH = "/caja/"  # costs nothing and says nothing of anybody; under HTTPS=true it answers where to go instead
TIMEOUT_S = 5
LATELY_MIN = 10  # beat writes down every three minutes what it has sent
SENT = (
    "SELECT count(*) FROM django_celery_beat_periodictask"
    " WHERE enabled AND last_run_at > now() - make_interval(mins => %s)"
)


def web(*, port: int = PORT) -> bool:
    """Whether it answers, and not with an error of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status < HTTPStatus.BAD_REQUEST
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def beat(*, database_url: str) -> bool:
    """Whether some task of the schedule was sent lately. What it cannot write down it may have sent all the same."""
    try:
        with psycopg.connect(database_url, connect_timeout=TIMEOUT_S) as connection:
            found = connection.execute(SENT, [LATELY_MIN]).fetchone()
    except psycopg.Error:
        return False
    return bool(found and found[0])


CHECKS: dict[str, Callable[[], bool]] = {
    "web": web,
    "beat": lambda: beat(database_url=os.environ["DATABASE_URL"]),
}


def main(arguments: Sequence[str]) -> int:
    match arguments:
        case [name] if name in CHECKS:
            return 0 if CHECKS[name]() else 1
    print(f"name one of {', '.join(CHECKS)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
