"""A dump of PostgreSQL put back as docs/deploy.md says: what it holds is not sold twice, and nothing is oversold."""

import os
import subprocess
from pathlib import Path

from django.db import connection, connections

from cache_stock import scripts
from scripts.binaries import postgres_folder
from scripts.services import Services
from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop
from tests.pipeline.test_redis_lost import arm
from tests.pipeline.till import assert_created

TIMEOUT_S = 120


def run(services: Services, program: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs, on the tests' database's server."""
    server = connections["default"].settings_dict
    environment = {
        **os.environ,
        "PGHOST": str(server["HOST"]),
        "PGPORT": str(services.postgres.port),
        "PGUSER": str(server["USER"]),
        "PGPASSWORD": str(server["PASSWORD"]),
    }
    path = str(postgres_folder() / program)
    done = subprocess.run(
        [path, *arguments], env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_dump_is_put_back(pipeline: Pipeline, services: Services, tmp_path: Path) -> None:
    database, dump = str(connection.settings_dict["NAME"]), str(tmp_path / "blend.dump")
    shop = open_shop(stock=1_000)
    cart = [(shop.products[0], 1)]
    before = pipeline.till(shop).sell_many([cart] * 10)
    assert_created(before)
    shop.come_to_rest(pipeline.host)
    run(services, "pg_dump", "-Fc", f"--file={dump}", database)
    assert_created(pipeline.till(shop).sell_many([cart] * 7))  # these will be gone
    shop.come_to_rest(pipeline.host)

    for process in (pipeline.web, pipeline.worker, pipeline.maintenance):
        process.stop()
    connections.close_all()
    run(services, "dropdb", "--force", "--maintenance-db=postgres", database)
    run(services, "createdb", "--maintenance-db=postgres", database)
    run(services, "pg_restore", "--exit-on-error", f"--dbname={database}", dump)
    scripts.stock_client().flushall()
    pipeline.start()
    arm(shop, pipeline)

    till = pipeline.till(shop)
    assert till.sell(cart, key=before[0].key).status == 201  # the same sale, known
    assert_created(till.sell_many([cart] * 5))
    shop.come_to_rest(pipeline.host)
    assert len(shop.written()) == 15
    assert shop.stock()[shop.products[0]] == 985_000
    shop.assert_exact()
