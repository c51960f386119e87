"""Messages that wait at a worker, and what it makes of them."""

from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop
from tests.pipeline.till import assert_created
from ventas.models import Venta


def test_messages_that_wait_share_a_transaction(pipeline: Pipeline) -> None:
    shop = open_shop(products=3, stock=100)
    with pipeline.worker_aside():
        carts = [[(shop.products[n % 3], 1)] for n in range(40)]
        assert_created(pipeline.till(shop).sell_many(carts, at_once=1))
        assert pipeline.host.ready("queue.sales.created") == 40

    shop.settle_down(ventas=40)

    moments = Venta.objects.filter(tienda_id=shop.tienda_id).values_list("persistida", flat=True)
    assert len(set(moments)) < 20  # the time of their transaction
    shop.assert_exact()
    pipeline.host.wait_empty()
