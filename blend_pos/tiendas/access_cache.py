"""Accesses in Redis, and the rule by which a change always wins over a reader.

A reader that finds nothing: announces itself in the access' hash (`lectura`) and in the index of each scope that the
access depends on, looks whether one of them is suspended, reads PostgreSQL, and keeps what it found only while its
announcement still stands. Whoever changes something: suspends the scope, deletes every access in its index
(announcements with them), changes PostgreSQL, and lifts the suspension after the commit. A reader that announced itself
before the suspension is in the index and loses its announcement; a later one sees the suspension and keeps nothing; one
after the lift reads what was committed. So there is no order of steps, and no crash between two of them, after which an
old identity is kept.

A scope is "usuario:{id}", "tienda:{id}" or an access' own name; a name is "token:{digest}" or "sesion:{key}".

Errors: AccessUnavailable, for every failure of Redis.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import cast
from uuid import UUID, uuid4

from django.db import transaction
from django_redis import get_redis_connection
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError

from blend_pos.tiendas.access import Access, decode, encode

# Longer than a transaction can stay open (settings: idle 10 s, lock 15 s), and short: a change that failed leaves it.
SUSPENSION_S = 120
SCAN_BATCH = 500


class AccessUnavailable(Exception):
    """Who asks cannot be told now: Redis, or PostgreSQL where Redis does not know, does not answer."""

    retry_after_s = 2


class SuspendedOutsideTransaction(AssertionError):
    """suspend() was called where its lift could run before the change."""


def _script(name: str) -> Script:
    return Script(cast("Redis", None), (files("blend_pos.tiendas") / "lua" / f"{name}.lua").read_bytes())


WRITE_ACCESS = _script("write_access")
PRUNE_INDEX = _script("prune_index")


def token_name(token: str) -> str:
    """The name of a token's access: its digest is what PostgreSQL holds, too."""
    return f"token:{hashlib.sha256(token.encode()).hexdigest()}"


def digest_name(digest: str) -> str:
    """The name of the access of the token that has this digest."""
    return f"token:{digest}"


def session_name(session_key: str) -> str:
    """The name of a session's access. Django keeps the same key in Redis, for the session itself."""
    return f"sesion:{session_key}"


def usuario_scope(usuario_id: int) -> str:
    """Everything that this person has open."""
    return f"usuario:{usuario_id}"


def tienda_scope(tienda_id: UUID) -> str:
    """Everything that is open in this tienda."""
    return f"tienda:{tienda_id}"


def _access_key(name: str) -> str:
    return f"acceso:{name}"


def _index_key(scope: str) -> str:
    return f"accesos:{scope}"


def _suspension_key(scope: str) -> str:
    return f"acceso-suspendido:{scope}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def client() -> "Redis":
    """Where accesses are kept."""
    return cast("Redis", get_redis_connection("default"))


@contextmanager
def answering() -> Iterator[None]:
    """Redis away is AccessUnavailable."""
    try:
        yield
    except RedisError as error:
        raise AccessUnavailable(str(error)) from error


def ping() -> None:
    """Whether it answers: it may be another Redis than the stock's."""
    with answering():
        client().ping()


def try_write() -> None:
    """Whether it takes what it is given to keep."""
    with answering():
        client().set("acceso-prueba", "1", ex=1)


def read(*, name: str) -> Access | None:
    """The access that is kept under this name: one round trip."""
    with answering():
        payload = client().hget(_access_key(name), "identidad")
    return decode(cast("bytes", payload)) if payload else None


def announce(*, name: str, scopes: Iterable[str]) -> str | None:
    """Say that PostgreSQL is about to be read for this access. Returns the nonce for write(); None: keep nothing."""
    scopes = list(scopes)
    nonce = uuid4().hex
    with answering(), client().pipeline(transaction=False) as pipeline:
        pipeline.hset(_access_key(name), "lectura", nonce)
        for scope in scopes:
            pipeline.sadd(_index_key(scope), name)
        pipeline.exists(*[_suspension_key(scope) for scope in [*scopes, name]])
        suspended = pipeline.execute()[-1]
    return None if suspended else nonce


def write(*, name: str, nonce: str, access: Access) -> bool:
    """Keep what was read. False where it may have changed since announce()."""
    with answering():
        return bool(WRITE_ACCESS(keys=[_access_key(name)], args=[nonce, encode(access)], client=client()))


@dataclass(frozen=True, slots=True)
class Suspension:
    """One operation's hold on some scopes: while it lasts, nothing is kept for them."""

    scopes: tuple[str, ...]
    operation: str


def suspend(*, scopes: Iterable[str]) -> None:
    """End every access that depends on these scopes: before the first write of the transaction that changes them.

    From here PostgreSQL alone answers for them, until the commit. Where the transaction fails, for SUSPENSION_S.
    This is the one call to Redis inside a transaction: it is short, and no row is locked yet.
    """
    if not transaction.get_connection().in_atomic_block:
        raise SuspendedOutsideTransaction
    transaction.on_commit(partial(lift, begin_suspension(scopes=scopes)), robust=True)


def begin_suspension(*, scopes: Iterable[str]) -> Suspension:
    """Mark the scopes first, then drop what is kept and announced for them."""
    suspension = Suspension(scopes=tuple(sorted(set(scopes))), operation=uuid4().hex)
    with answering(), client().pipeline(transaction=False) as pipeline:
        for scope in suspension.scopes:
            pipeline.sadd(_suspension_key(scope), suspension.operation)
            pipeline.expire(_suspension_key(scope), SUSPENSION_S)
        for scope in suspension.scopes:
            pipeline.smembers(_index_key(scope))
        members = pipeline.execute()[-len(suspension.scopes) :]
    drop(names={_text(name) for names in members for name in names}.union(suspension.scopes))
    return suspension


def lift(suspension: Suspension) -> None:
    """After the commit: what is read from now on may be kept."""
    with answering(), client().pipeline(transaction=False) as pipeline:
        for scope in suspension.scopes:
            pipeline.srem(_suspension_key(scope), suspension.operation)
        pipeline.execute()


def drop(*, names: Iterable[str]) -> None:
    """Keep these accesses no longer, nor what is being read for them. Always safe: they are read again."""
    keys = [_access_key(name) for name in names]
    with answering():
        for start in range(0, len(keys), SCAN_BATCH):
            client().delete(*keys[start : start + SCAN_BATCH])


def each_batch() -> Iterator[Mapping[str, Access | None]]:
    """Walk everything that is kept: name -> access; None for what cannot be read, or is only announced."""
    prefix = _access_key("")
    with answering():
        redis = client()
        cursor = 0
        while True:
            cursor, keys = redis.scan(cursor, match=f"{prefix}*", count=SCAN_BATCH)
            with redis.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.hget(key, "identidad")
                payloads = pipeline.execute()
            names = [_text(key).removeprefix(prefix) for key in keys]
            yield {name: decode(payload) if payload else None for name, payload in zip(names, payloads, strict=True)}
            if cursor == 0:
                return


def prune_indexes() -> int:
    """Take out of every index what is no longer kept. Returns how many entries went."""
    pruned = 0
    with answering():
        redis = client()
        for index in redis.scan_iter(match=_index_key("*"), count=SCAN_BATCH):
            for member in redis.sscan_iter(index, count=SCAN_BATCH):
                pruned += int(PRUNE_INDEX(keys=[index, _access_key(_text(member))], args=[member], client=redis))
    return pruned
