"""PostgreSQL put back to an earlier copy of its files: the timeline does not tell; what it lost is not answered for."""

import shutil
from http import HTTPStatus

from django.db import connections

from scripts.services import Services
from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop
from tests.polling import wait_until
from ventas import cold_start


def test_a_snapshot_of_its_files(pipeline: Pipeline, services: Services) -> None:
    postgres, shop = services.postgres, open_shop()
    till, copy = pipeline.till(shop), postgres.data.parent / "older"
    till.sell([(shop.products[0], 1)])
    shop.settle_down(ventas=1)
    connections.close_all()
    postgres.stop()
    shutil.copytree(postgres.data, copy, symlinks=True)
    postgres.start()
    lost = till.sell([(shop.products[0], 1)])
    shop.settle_down(ventas=2)
    cold_start.disarm_other_histories()  # as beat does every two seconds
    assert shop.is_armed()
    connections.close_all()
    postgres.stop()
    shutil.rmtree(postgres.data)
    shutil.move(copy, postgres.data)
    postgres.start()

    cold_start.disarm_other_histories()

    assert not shop.is_armed()
    wait_until(lambda: cold_start.run() and shop.is_armed(), timeout_s=60, what="it is armed again")
    assert lost.key not in shop.written()
    again = till.sell([(shop.products[0], 1)], key=lost.key)  # as a till does that never got its answer
    assert again.status == HTTPStatus.CREATED
    shop.settle_down(ventas=2)
    assert shop.written()[lost.key] == 1
    shop.assert_exact()
