"""The five commands of a cold start, called as they are, and what makes them refuse."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import pytest

from cache_stock import keys, reservation, scripts
from cache_stock.reservation import HeldProduct
from tests.lua.stocked import HUELLA, NOW_MS, StockedTienda

Claim = Sequence[str]


def clear(tienda: StockedTienda, claim: Claim, *, most: int = 100) -> int:
    prefixes = [keys.stock_prefix(tienda.tienda_id), keys.hold_prefix(tienda.tienda_id)]
    names = [tienda.meta, tienda.journal, tienda.loaded]
    return scripts.clear(keys=names, arguments=[*claim, *prefixes, most])


def load(tienda: StockedTienda, claim: Claim, balances: Mapping[UUID, tuple[int, int]]) -> bool:
    """`balances`: producto -> saldo, version."""
    names = [tienda.meta, tienda.loaded, *map(tienda.stock_key, balances)]
    rows: list[str | int] = []
    for producto, (saldo, version) in balances.items():
        rows += [str(producto), saldo, version, 1050, 1600, 1, 1]
    return scripts.load(keys=names, arguments=[*claim, NOW_MS, *rows])


def rehold(tienda: StockedTienda, claim: Claim, venta_id: UUID, quantities: Mapping[UUID, int]) -> bool:
    lines = reservation.format_lines([HeldProduct(producto, n, 1050, 1600, 1) for producto, n in quantities.items()])
    return scripts.rehold(
        keys=[tienda.meta, tienda.journal, tienda.hold_key(venta_id)],
        arguments=[
            *claim,
            *(keys.stock_prefix(tienda.tienda_id), str(venta_id), HUELLA, 2, NOW_MS, "pedido", lines),
        ],
    )


def arm(tienda: StockedTienda, claim: Claim, *, epoch: int = 2, timeline: str = "1:1") -> bool:
    return scripts.arm(keys=[tienda.meta], arguments=[*claim, epoch, timeline])


def another_token(_tienda: StockedTienda, claim: Claim) -> Claim:
    return ["another", *claim[1:]]


def another_run_id(_tienda: StockedTienda, claim: Claim) -> Claim:
    return [claim[0], "0" * 40, claim[2]]


def another_replication(_tienda: StockedTienda, claim: Claim) -> Claim:
    return [*claim[:2], "0" * 40]


def claimed_by_another_since(tienda: StockedTienda, claim: Claim) -> Claim:
    assert tienda.begin("another", now_ms=NOW_MS + 10_000) is not None
    return claim


def forgotten(tienda: StockedTienda, claim: Claim) -> Claim:
    """The claim is gone, as after a FLUSHALL."""
    tienda.client.delete(tienda.meta)
    return claim


def armed_meanwhile(tienda: StockedTienda, claim: Claim) -> Claim:
    assert arm(tienda, claim)
    return claim


REFUSALS = [another_token, another_run_id, another_replication, claimed_by_another_since, forgotten, armed_meanwhile]
refused_claim = pytest.mark.parametrize("spoil", REFUSALS)
Spoil = Callable[[StockedTienda, Claim], Claim]
