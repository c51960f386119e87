"""What becomes of each sale of a batch: to be written, written already, or never."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from ventas.messages import SaleItem, SaleMessage
from ventas.models import MotivoFalla
from ventas.persistence import SaleKey, judge, sale_key

TIENDA, OTHER = UUID(int=1), UUID(int=2)
NOW_EPOCH = 5
HUELLA, OTHER_HUELLA = "a" * 64, "b" * 64
SALE = SaleMessage(
    tienda_id=TIENDA,
    venta_id=UUID(int=10),
    huella=HUELLA,
    epoch=NOW_EPOCH,
    fecha=datetime.now(UTC),
    cajero_id=1,
    terminal_id=UUID(int=20),
    metodo_pago="EFECTIVO",
    total_centavos=100,
    items=(SaleItem(UUID(int=30), 1_000, 100, 1_600, 100),),
)
OLD = replace(SALE, epoch=NOW_EPOCH - 1)
NEW = replace(SALE, epoch=NOW_EPOCH + 1)
TAMPERED = replace(SALE, huella=OTHER_HUELLA)
KEY = sale_key(SALE)


def verdict(
    *sales: SaleMessage, known: dict[SaleKey, str] | None = None, tombstones: set[tuple[SaleKey, str]] | None = None
) -> tuple[list[SaleMessage], list[SaleMessage], list[tuple[SaleMessage, MotivoFalla]]]:
    found = judge(sales=sales, epochs={TIENDA: NOW_EPOCH, OTHER: 1}, known=known or {}, tombstones=tombstones or set())
    return found.fresh, found.known, found.failed


def test_a_new_sale_is_to_be_written() -> None:
    assert verdict(SALE) == ([SALE], [], [])


def test_copies_are_one() -> None:
    assert verdict(SALE, SALE, SALE) == ([SALE], [], [])


@pytest.mark.parametrize("epoch", [0, NOW_EPOCH - 1, NOW_EPOCH + 1])
def test_another_epoch_was_never_promised(epoch: int) -> None:
    stale = replace(SALE, epoch=epoch)

    assert verdict(stale) == ([], [], [(stale, MotivoFalla.EPOCA)])


@pytest.mark.parametrize("order", [(OLD, SALE), (SALE, OLD)])
def test_of_two_copies_the_newest_epoch_counts(order: tuple[SaleMessage, SaleMessage]) -> None:
    assert verdict(*order) == ([SALE], [], [])


@pytest.mark.parametrize("copy", [SALE, OLD, NEW])
def test_a_written_sale_is_written_whatever_its_epoch(copy: SaleMessage) -> None:
    assert verdict(copy, known={KEY: HUELLA}) == ([], [copy], [])


@pytest.mark.parametrize("copy", [TAMPERED, replace(TAMPERED, epoch=1)])
def test_a_written_key_with_another_content_is_never_a_silent_nothing(copy: SaleMessage) -> None:
    assert verdict(copy, known={KEY: HUELLA}) == ([], [], [(copy, MotivoFalla.HUELLA)])


def test_one_key_with_two_contents_in_a_batch_is_one_sale_and_one_failure() -> None:
    fresh, known, failed = verdict(SALE, TAMPERED)

    assert len(fresh) == 1
    assert not known
    assert [motivo for _sale, motivo in failed] == [MotivoFalla.HUELLA]
    assert {fresh[0].huella, failed[0][0].huella} == {HUELLA, OTHER_HUELLA}


@pytest.mark.parametrize("copy", [SALE, OLD])
def test_a_discarded_sale_is_not_written(copy: SaleMessage) -> None:
    assert verdict(copy, tombstones={(KEY, HUELLA)}) == ([], [], [(copy, MotivoFalla.LAPIDA)])


def test_a_tombstone_is_of_one_content() -> None:
    assert verdict(SALE, tombstones={(KEY, OTHER_HUELLA)}) == ([SALE], [], [])


def test_a_sale_that_is_written_has_no_tombstone() -> None:
    assert verdict(SALE, known={KEY: HUELLA}, tombstones={(KEY, HUELLA)}) == ([], [SALE], [])


def test_the_same_key_of_two_tiendas_is_two_sales() -> None:
    other = replace(SALE, tienda_id=OTHER, epoch=1)

    assert verdict(SALE, other) == ([SALE, other], [], [])


def test_fresh_sales_are_in_the_order_of_the_locks() -> None:
    sales = [replace(SALE, venta_id=UUID(int=number)) for number in (9, 3, 7, 1)]
    sales.append(replace(SALE, tienda_id=OTHER, venta_id=UUID(int=2), epoch=1))

    fresh, _known, _failed = verdict(*sales)

    assert [sale_key(sale) for sale in fresh] == sorted(sale_key(sale) for sale in sales)
