"""A sale's payments through every stage."""

from uuid import uuid4

from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop
from ventas.models import Pago


def test_mixed_payments_through_every_stage(pipeline: Pipeline) -> None:
    shop = open_shop(products=2, precios=("12.50",))
    till, key = pipeline.till(shop), uuid4()
    body = {
        "items": [{"producto_id": str(shop.products[0]), "cantidad": 3, "precio": 12.5}],
        "pagos": [
            {"metodo": "EFECTIVO", "importe": 30, "recibido": 50},
            {"metodo": "TARJETA", "importe": 7.5, "referencia": "VOUCHER Q7"},
        ],
    }

    sold = till.call("POST", "ventas/checkout", body=body, headers={"Idempotency-Key": str(key)})

    assert (sold.status, sold.body["metodo_pago"], sold.body["total"]) == (201, "MIXTO", 37.5)
    shop.settle_down(ventas=1)
    again = till.call("POST", "ventas/checkout", body=body, headers={"Idempotency-Key": str(key)})
    assert (again.status, again.body["estado"]) == (201, "PERSISTIDA")
    other = {**body, "pagos": [{"metodo": "TARJETA", "importe": 37.5}]}
    refused = till.call("POST", "ventas/checkout", body=other, headers={"Idempotency-Key": str(key)})
    assert (refused.status, refused.body["codigo"]) == (422, "clave_reutilizada")
    assert till.follow(key).body["pagos"] == [
        {"metodo": "EFECTIVO", "importe": 30.0, "recibido": 50.0, "referencia": ""},
        {"metodo": "TARJETA", "importe": 7.5, "recibido": None, "referencia": "VOUCHER Q7"},
    ]
    assert Pago.objects.filter(venta__tienda=shop.tienda_id).count() == 2
    assert "VOUCHER" not in pipeline.web.log_text + pipeline.worker.log_text
    shop.assert_exact()
