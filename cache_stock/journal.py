"""The journals of all tiendas, seen from maintenance: how many live holds, what is overdue, the brake."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import isinf
from uuid import UUID

from redis.client import Pipeline

from cache_stock import keys, reservation, scripts

HOLDS_A_CALL = 500


@dataclass(frozen=True, slots=True)
class JournalState:
    """One tienda's journal at a glance. `server`: which Redis has it, '' where there is one for all."""

    tienda_id: UUID
    server: str
    live: int
    overdue: bool
    braked: bool
    wants_warmup: bool


@dataclass(frozen=True, slots=True)
class History:
    """What a tienda was armed with, and where PostgreSQL was seen last, bytes of its log."""

    epoch: int
    timeline: str
    position: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A line of a journal. `due_ms`: when the sweep looks next, None of a failed sale; `hold`: None where it is gone.

    `intents`: how often somebody may have published it; `swept`: how often that was the sweep.
    """

    venta_id: UUID
    due_ms: int | None
    made_ms: int = 0
    intents: int = 0
    swept: int = 0
    hold: reservation.LiveHold | None = None


HOLD_FIELDS = ["huella", "epoch", "pedido", "lineas", "creada", "intentos", "barridos"]


def entries(*, tienda_id: UUID) -> Iterator[JournalEntry]:
    """The journal of now, some hundred holds a round trip: what changes meanwhile may be seen or not. Raises a
    StockError."""
    read = partial(scripts.stock_client().zrange, keys.journal(tienda_id), 0, -1, withscores=True)
    members: list[tuple[str, float]] = scripts.guarded(read)
    for start in range(0, len(members), HOLDS_A_CALL):
        chunk = members[start : start + HOLDS_A_CALL]
        pipe = scripts.stock_client().pipeline(transaction=False)
        for venta, _due in chunk:
            pipe.hmget(keys.hold_prefix(tienda_id) + venta, HOLD_FIELDS)
        for (venta, due), fields in zip(chunk, scripts.guarded(pipe.execute), strict=True):
            yield _entry(tienda_id, venta, due, fields)


def _entry(tienda_id: UUID, venta: str, due: float, fields: Sequence[str | None]) -> JournalEntry:
    due_ms = None if isinf(due) else int(due)
    huella, epoch, pedido, lines, made, intents, swept = fields
    if huella is None or epoch is None or pedido is None or lines is None:
        return JournalEntry(UUID(venta), due_ms)
    try:
        products = reservation.parse_lines(lines)
    except reservation.HoldUnreadable:
        products = ()  # and so its request cannot be made a sale: it is shown as unreadable
    hold = reservation.LiveHold(tienda_id, UUID(venta), huella, int(epoch), pedido, products)
    return JournalEntry(hold.venta_id, due_ms, int(made or 0), int(intents or 0), int(swept or 0), hold)


def ventas(*, tiendas: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """What each tienda's journal names, in one round trip a server; those of one that does not answer are left out.
    Raises a StockError."""
    found = scripts.ask_each(tiendas, lambda pipe, tienda: pipe.zrange(keys.journal(tienda), 0, -1))
    return {tienda: list(_readable(members)) for tienda, (members,) in found.items()}


def _readable(members: Sequence[str]) -> Iterator[UUID]:
    """What is no id stops no other; the sweep says so."""
    for member in members:
        with suppress(ValueError):
            yield UUID(member)


def survey(*, tiendas: Sequence[UUID], now_ms: int) -> list[JournalState]:
    """The state of each tienda's journal, in one round trip a server; those of one that does not answer are left out.
    Raises a StockError."""

    def put(pipe: Pipeline, tienda: UUID) -> None:
        pipe.zcard(keys.journal(tienda))
        pipe.zcount(keys.journal(tienda), 0, now_ms)
        pipe.hmget(keys.meta(tienda), ["freno", "calentar"])

    return [
        JournalState(
            tienda, scripts.server_of(keys.journal(tienda)), live, overdue > 0, brake is not None, warmup is not None
        )
        for tienda, (live, overdue, (brake, warmup)) in scripts.ask_each(tiendas, put).items()
    ]


def brake(*, tienda_id: UUID, on: bool) -> None:
    """Refuse new holds while the server has more live ones than its bound."""
    if on:
        scripts.set_field(key=keys.meta(tienda_id), field="freno", value="1")
    else:
        scripts.delete_field(key=keys.meta(tienda_id), field="freno")


def warmup_taken(*, tienda_id: UUID) -> None:
    """The word that ask_for_warmup() left is being seen to."""
    scripts.delete_field(key=keys.meta(tienda_id), field="calentar")


def armed_histories(*, tiendas: Sequence[UUID]) -> dict[UUID, History]:
    """What each tienda's Redis says that it was armed with; left out are those that are not armed, and those of a
    server that does not answer. Raises a StockError."""
    fields = ["run_id", "epoch", "timeline", "wal"]
    found = scripts.ask_each(tiendas, lambda pipe, tienda: pipe.hmget(keys.meta(tienda), fields))
    return {
        tienda: History(int(epoch), timeline or "", int(wal or 0))
        for tienda, ((run_id, epoch, timeline, wal),) in found.items()
        if run_id and epoch
    }


def note_position(*, tiendas: Sequence[UUID], position: int) -> None:
    """PostgreSQL was seen there. A full Redis refuses it, and remembers an earlier one."""
    pipe = scripts.stock_client().pipeline(transaction=False)
    for tienda in tiendas:
        pipe.hset(keys.meta(tienda), "wal", position)
    scripts.guarded(partial(pipe.execute, raise_on_error=False))


def doubt_answers(*, tienda_id: UUID) -> None:
    """The next cold start forgets what was answered, as where PostgreSQL is another."""
    scripts.delete_field(key=keys.meta(tienda_id), field="timeline")


def disarm(*, tienda_id: UUID) -> None:
    """Promise nothing more of the tienda until a cold start."""
    scripts.delete_field(key=keys.meta(tienda_id), field="run_id")


def sweep_again(*, tienda_id: UUID, venta_id: UUID, at_ms: int) -> None:
    """A failed sale's hold is the sweep's again from `at_ms` on."""
    scripts.reschedule(key=keys.journal(tienda_id), member=str(venta_id), at_ms=at_ms)


def forget_answer(*, tienda_id: UUID, venta_id: UUID) -> None:
    """Who asks again for this sale is no longer told what became of it."""
    scripts.delete(key=keys.answer(tienda_id, venta_id))
