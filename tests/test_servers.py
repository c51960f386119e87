"""The fixtures of conftest.py themselves."""

import subprocess

import pytest
from django.db import connection
from django_redis import get_redis_connection

from scripts import processes
from scripts.services import Services
from tests.spawning import Spawner


@pytest.mark.usefixtures("live_db")
def test_rows_are_seen_by_other_processes(process_environment: dict[str, str]) -> None:
    database = connection.settings_dict["NAME"]
    program = (
        "from django.db import connection; print(connection.settings_dict['NAME'], connection.ensure_connection())"
    )
    command = processes.manage("shell", "--no-imports", "--command", program)

    done = subprocess.run(command, env=process_environment, capture_output=True, text=True, check=True)

    assert database == "test_blend_pos"
    assert done.stdout.split() == [database, "None"]


@pytest.mark.usefixtures("live_db")
def test_a_server_left_down_is_put_right(services: Services) -> None:
    services.postgres.kill()
    services.redis.freeze()
    assert not services.postgres.running


@pytest.mark.usefixtures("live_db")
def test_after_a_server_was_left_down() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert get_redis_connection("stock").ping()


def test_a_spawned_process_says_when_it_is_ready(spawn: Spawner) -> None:
    assert spawn.worker().wait_ready().running
