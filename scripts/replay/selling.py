"""The replay itself: sell every basket, wait until all is at rest, follow what is unknown, compare."""

import operator
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import compress
from typing import NoReturn

from tqdm import tqdm

from scripts.replay.baskets import BasketFile, Product, total_centavos
from scripts.replay.evidence import Witness
from scripts.replay.identity import Evidence, Sold, count_fillable, find_drift, find_faults
from scripts.replay.report import Pace, Run, is_accepted
from scripts.replay.shop import Shop, make_orders
from scripts.replay.stack import Stack
from scripts.replay.tills import Order, Reply, follow_all, sell_all

FOLLOW_ROUNDS = 10
UNRESOLVED = "sin_resolver"
PRINT_EVERY_S = 5.0  # where nobody watches a terminal


class NeverAtRest(Exception):
    """Sales are held, and nothing persists them."""


def progress_bar(what: str, total: int) -> "tqdm[NoReturn]":
    watched = sys.stderr.isatty()
    return tqdm(total=total, desc=what, unit="", mininterval=0.1 if watched else PRINT_EVERY_S, dynamic_ncols=watched)


def wait_for_rest(witness: Witness, *, total: int) -> None:
    """Until no sale is held any more, with a progress bar. Raises NeverAtRest where nothing moves."""
    with progress_bar("persisted", total) as bar:
        if not witness.wait_for_rest(on_progress=lambda persisted: bar.update(persisted - bar.n)):
            raise NeverAtRest(
                f"Nothing is persisted any more, and {witness.live_holds()} sales are still held: does a worker run?"
            )


def settle_unknown(*, replies: list[Reply], orders: Sequence[Order], shop: Shop, witness: Witness) -> None:
    """Follow each sale that was answered 202 to its end, in place; one that is nowhere is sent again, with its key."""
    pending = [number for number, reply in enumerate(replies) if reply.status == HTTPStatus.ACCEPTED]
    for _round in range(FOLLOW_ROUNDS):
        if not pending:
            return
        states = follow_all(keys=[orders[number].key for number in pending], tills=shop.tills)
        left = []
        for number, (status, estado) in zip(pending, states, strict=True):
            if status == HTTPStatus.NOT_FOUND:
                again = shop.tills[0].sell(orders[number], due=time.perf_counter())
                replies[number] = replace(again, answered_ms=replies[number].answered_ms)
                if again.status == HTTPStatus.ACCEPTED:
                    left.append(number)
            elif estado in {"FALLIDA", "ANULADA"}:
                replies[number] = replace(replies[number], status=0, codigo=estado.lower())
            elif estado != "PERSISTIDA":
                left.append(number)
        pending = left
        wait_for_rest(witness, total=sum(map(is_accepted, replies)))
    for number in pending:
        replies[number] = replace(replies[number], status=0, codigo=UNRESOLVED)


def replay(*, file: BasketFile, shop: Shop, stack: Stack, rate: float | None, ample: bool) -> Run:
    """Sell everything, wait until all is at rest, and compare. Raises NeverAtRest."""
    orders = make_orders(shop, file.baskets)
    start, cpu_s = time.perf_counter(), time.process_time()
    replies = _sell(orders=orders, shop=shop, rate=rate)
    sold_at, client_cpu_s = time.perf_counter(), time.process_time() - cpu_s
    with Witness(
        database_url=stack.settings["DATABASE_URL"], redis_url=stack.settings["REDIS_URL"], tienda_id=shop.tienda_id
    ) as witness:
        wait_for_rest(witness, total=sum(map(is_accepted, replies)))
        rested_at = time.perf_counter()
        settle_unknown(replies=replies, orders=orders, shop=shop, witness=witness)
        evidence = witness.gather()
    return compare(
        file=file,
        catalogue=shop.catalogue,
        replies=replies,
        evidence=evidence,
        ample=ample,
        pace=Pace(selling_s=sold_at - start, resting_s=rested_at - sold_at, client_cpu_s=client_cpu_s),
    )


def _sell(*, orders: Sequence[Order], shop: Shop, rate: float | None) -> list[Reply]:
    counting = threading.Lock()
    with progress_bar("baskets", len(orders)) as bar:

        def count(_reply: Reply) -> None:
            with counting:
                bar.update()

        return sell_all(orders=orders, tills=shop.tills, rate=rate, on_reply=count)


def compare(
    *,
    file: BasketFile,
    catalogue: Sequence[Product],
    replies: Sequence[Reply],
    evidence: Evidence,
    ample: bool,
    pace: Pace,
) -> Run:
    """What the tills were told against what the servers have."""
    prices = {product.nombre: product.precio_centavos for product in catalogue}
    totals = [total_centavos(basket=basket, prices=prices) for basket in file.baskets]
    accepted = [is_accepted(reply) for reply in replies]
    sold = Sold(
        accepted=list(compress(file.baskets, accepted)),
        refused=list(compress(file.baskets, map(operator.not_, accepted))),
    )
    told = [(reply.total_centavos, total) for reply, total in zip(replies, totals, strict=True) if is_accepted(reply)]
    sold_centavos = sum(compress(totals, accepted))
    return Run(
        replies=replies,
        accepted=len(sold.accepted),
        pace=pace,
        total_centavos=sold_centavos,
        evidence=evidence,
        products=len(catalogue),
        drift=find_drift(catalogue=catalogue, sold=sold, evidence=evidence),
        faults=find_faults(
            sold=sold,
            total_centavos=sold_centavos,
            wrong_totals=sum(answered not in {right, None} for answered, right in told),
            catalogue=catalogue,
            evidence=evidence,
            ample=ample,
        ),
        fillable=count_fillable(sold=sold, catalogue=catalogue, evidence=evidence),
    )
