"""The steps of a cold start that know nothing of sales: claim, raise the epoch, clear, load, hold again, arm.

Whoever calls load_and_arm has drained every queue first; a tienda that was never armed needs no drain. Each step
refuses another token and another server, so that of two cold starts at once one arms and the other stops.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F

from blend_pos.tiendas.locks import own_tienda, read_timeline
from blend_pos.tiendas.models import Tienda
from cache_stock import carrying, figures, keys, reservation, scripts
from cache_stock.rows import PRODUCTS_A_CALL, Snapshot, as_arguments
from inventario.selectors import OVERLAP, settled_until

logger = logging.getLogger(__name__)

MEMBERS_A_CALL = 500
NEW_LEASE_MS = 10_000
NEW = "new-"  # how the token begins of who arms a tienda that never was


class LeftToAnother(Exception):
    """Another cold start has the claim, or has raised the epoch, or the server is another since."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One cold start's claim on a tienda, and the server that it saw."""

    tienda_id: UUID
    token: str
    run_id: str
    master_replid: str
    lease_ms: int

    @property
    def arguments(self) -> list[str | int]:
        """What every script of the cold start is told first."""
        return [self.token, self.run_id, self.master_replid]


@dataclass(frozen=True, slots=True)
class FailedHold:
    """What an open failed sale holds; `lines` as reservation.format_lines writes them."""

    venta_id: UUID
    huella: str
    pedido: str
    lines: str


@dataclass(frozen=True, slots=True)
class Armed:
    """What a cold start did: its epoch, the products that it loaded and those of them that are sold."""

    epoch: int
    products: int
    active: int


@dataclass(frozen=True, slots=True)
class _Truth:
    """What one transaction saw as nobody else wrote."""

    epoch: int
    timeline: str
    settled: datetime
    products: Snapshot
    failed: list[FailedHold]


FailedHolds = Callable[[UUID], Iterable[FailedHold]]
Answers = Callable[[UUID], Iterable[reservation.SettledSale]]


def claim(*, tienda_id: UUID, token: str, now_ms: int, lease_ms: int) -> Claim | None:
    """Claim a tienda that is not armed, or renew the claim; None where it is armed or claimed. Raises a StockError."""
    server = scripts.begin(keys=[keys.meta(tienda_id)], arguments=[token, now_ms, lease_ms])
    return Claim(tienda_id, token, *server, lease_ms) if server is not None else None


def first_is_under_way(*, tienda_id: UUID) -> bool:
    """Whether somebody arms a tienda that never was, just now: no queue is drained for it. Raises a StockError."""
    token, lease_end = scripts.fields(key=keys.meta(tienda_id), names=["token", "lease"])
    return token is not None and token.startswith(NEW) and int(lease_end or 0) > time.time() * 1000


def arm_new(*, tienda_id: UUID, progress: carrying.Progress | None = None) -> Armed | None:
    """Arm a tienda that never was; None where another does so, or has done. Raises a StockError."""
    now_ms = int(time.time() * 1000)
    claimed = claim(tienda_id=tienda_id, token=NEW + uuid4().hex, now_ms=now_ms, lease_ms=NEW_LEASE_MS)
    if claimed is None:
        return None
    return load_and_arm(claim=claimed, seen_epoch=0, now_ms=now_ms, progress=progress)


def load_and_arm(
    *,
    claim: Claim,
    seen_epoch: int,
    now_ms: int,
    failed_holds: FailedHolds = lambda _tienda_id: (),
    answers: Answers = lambda _tienda_id: (),
    progress: carrying.Progress | None = None,
) -> Armed | None:
    """Raise the epoch from `seen_epoch`, load Redis with what PostgreSQL has, and arm it; None where left to another.

    `failed_holds` is called inside the transaction, `answers` after it, both with the tienda. Raises a StockError; then
    nothing is armed, and the epoch may have been raised: the next cold start raises it once more.
    """
    try:
        _renew(claim, now_ms)
        truth = _read_truth(claim.tienda_id, seen_epoch, failed_holds)
        _clear(claim)
        _forget_answers(claim, truth)
        active = _load(claim, truth.products, now_ms, progress)
        _hold_again(claim, truth, now_ms)
        _remember(claim.tienda_id, answers(claim.tienda_id))
        if not scripts.arm(
            keys=[keys.meta(claim.tienda_id)], arguments=[*claim.arguments, truth.epoch, truth.timeline]
        ):
            raise LeftToAnother
    except LeftToAnother:
        return None
    _carry_the_rest(claim.tienda_id, truth.settled, now_ms)
    return Armed(truth.epoch, len(truth.products), active)


def _renew(claimed: Claim, now_ms: int) -> None:
    again = claim(tienda_id=claimed.tienda_id, token=claimed.token, now_ms=now_ms, lease_ms=claimed.lease_ms)
    if again != claimed:
        raise LeftToAnother


def _read_truth(tienda_id: UUID, seen_epoch: int, failed_holds: FailedHolds) -> _Truth:
    with transaction.atomic(durable=True):
        if own_tienda(tienda_id=tienda_id) is None:
            raise LeftToAnother
        if not Tienda.objects.filter(id=tienda_id, epoch=seen_epoch).update(epoch=F("epoch") + 1):
            raise LeftToAnother
        settled = settled_until()
        products = Snapshot.read(tienda_id=tienda_id)
        return _Truth(seen_epoch + 1, read_timeline(), settled, products, list(failed_holds(tienda_id)))


def _clear(claim: Claim) -> None:
    """Delete the journal and the old stock, piece by piece; nothing comes back while nothing is armed."""
    tienda_id, before = claim.tienda_id, 0
    names = [keys.meta(tienda_id), keys.journal(tienda_id), keys.loaded(tienda_id)]
    prefixes = [keys.stock_prefix(tienda_id), keys.hold_prefix(tienda_id)]
    clear = partial(scripts.clear, keys=names, arguments=[*claim.arguments, *prefixes, MEMBERS_A_CALL])
    while left := carrying.insist(clear):
        if left < 0 or 0 < before <= left:
            raise LeftToAnother
        before = left


def _forget_answers(claim: Claim, truth: _Truth) -> None:
    """Where PostgreSQL is another, or at an earlier moment, it may not have a sale that was answered for. Those that it
    has are told again. A tienda that was never armed has none."""
    meta, first = keys.meta(claim.tienda_id), truth.epoch == 1
    if not first and scripts.fields(key=meta, names=["timeline"]) != [truth.timeline]:
        scripts.delete_prefixed(prefix=keys.answer_prefix(claim.tienda_id))


def _load(claim: Claim, products: Snapshot, now_ms: int, progress: carrying.Progress | None) -> int:
    """Load all products, renewing the claim; how many of them are sold."""
    tienda_id, active, started, renewed_ms = claim.tienda_id, 0, time.monotonic(), now_ms
    for page in products.pages():
        names = [keys.meta(tienda_id), keys.loaded(tienda_id), *carrying.stock_keys(tienda_id, page)]
        arguments = [*claim.arguments, now_ms, *as_arguments(page)]
        if not carrying.insist(partial(scripts.load, keys=names, arguments=arguments)):
            raise LeftToAnother
        passed_ms = now_ms + int((time.monotonic() - started) * 1000)
        if passed_ms - renewed_ms > claim.lease_ms // 3:
            _renew(claim, passed_ms)
            renewed_ms = passed_ms
        active += sum(row.activo for row in page)
        if progress is not None:
            progress(len(page))
    return active


def _hold_again(claim: Claim, truth: _Truth, now_ms: int) -> None:
    tienda_id = claim.tienda_id
    for failed in truth.failed:
        names = [keys.meta(tienda_id), keys.journal(tienda_id), keys.hold(tienda_id, failed.venta_id)]
        hold: list[str | int] = [str(failed.venta_id), failed.huella, truth.epoch, now_ms, failed.pedido, failed.lines]
        arguments: list[str | int] = [*claim.arguments, keys.stock_prefix(tienda_id), *hold]
        if not carrying.insist(partial(scripts.rehold, keys=names, arguments=arguments)):
            raise LeftToAnother


def _remember(tienda_id: UUID, answers: Iterable[reservation.SettledSale]) -> None:
    """Keep the answers of sales that are written. They are a cache: what does not fit is left out.

    They come from a cursor of PostgreSQL's, which is closed here. Left to the garbage collector, that would close it in
    the middle of some other query, and wait for the lock of its own connection for ever.
    """
    remaining = iter(answers)
    try:
        while chunk := list(islice(remaining, PRODUCTS_A_CALL)):
            _remember_some(tienda_id, chunk)
    finally:
        if isinstance(remaining, Generator):
            remaining.close()


def _remember_some(tienda_id: UUID, answers: Sequence[reservation.SettledSale]) -> None:
    pipe = scripts.stock_client().pipeline(transaction=False)
    for sale in answers:
        pipe.set(keys.answer(tienda_id, sale.venta_id), f"{sale.huella} {sale.answer}", ex=settings.ANSWER_TTL_S)
    refused = sum(outcome is not True for outcome in scripts.guarded(partial(pipe.execute, raise_on_error=False)))
    if refused:
        logger.warning("tienda %s: %d answers of written sales did not fit into Redis", tienda_id, refused)


def _carry_the_rest(tienda_id: UUID, settled: datetime, now_ms: int) -> None:
    """What was committed after the balances were read, and was refused by Redis because it was not armed yet."""
    try:
        carrying.carry_tienda(tienda_id=tienda_id, now_ms=now_ms, changed_since=settled - OVERLAP, rests=False)
        figures.note_warmed(tienda_id=tienda_id, at_ms=now_ms)
    except (carrying.ColdStartNeeded, scripts.StockError):
        logger.warning("tienda %s is armed; what changed meanwhile waits for its next warmup", tienda_id, exc_info=True)
