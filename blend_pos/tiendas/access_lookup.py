"""Find what a token or a session opens: in Redis; in PostgreSQL, once, where Redis does not know."""

from collections.abc import Callable
from datetime import datetime

from django.db import InterfaceError, OperationalError

from blend_pos.tiendas import access_cache, guesses, selectors
from blend_pos.tiendas.access import Access
from blend_pos.tiendas.access_cache import AccessUnavailable


def find_access(*, name: str, now: datetime, suspect: Callable[[], str] | None = None) -> Access | None:
    """What this name opens at `now`; None: nothing. No SQL where it is kept, and one round trip to Redis.

    `suspect` says under which name it counts as a guess where it opens nothing (guesses.py); None: it does not.
    Raises AccessUnavailable, TooManyGuesses.
    """
    kept = access_cache.read(name=name)
    if kept is not None and not kept.is_expired(now_s=now.timestamp()):
        return kept
    counted = None if suspect is None else suspect()
    if counted is not None:
        guesses.refuse_more(suspect=counted)
    try:
        found = _read_and_keep(name=name, now=now)
    except (OperationalError, InterfaceError) as error:
        raise AccessUnavailable(str(error)) from error
    if found is None and counted is not None:
        guesses.count_guess(suspect=counted)
    return found


def _read_and_keep(*, name: str, now: datetime) -> Access | None:
    """Read it twice: once to learn what it depends on, and for good after that was announced."""
    first = selectors.read_access(name=name, now=now)
    if first is None:
        return None
    nonce = access_cache.announce(name=name, scopes=first.scopes)
    record = selectors.read_access(name=name, now=now)
    if record is None:
        return None
    if nonce is not None and record.scopes <= first.scopes:
        access_cache.write(name=name, nonce=nonce, access=record.access)
    return record.access


def review_accesses(*, now: datetime) -> int:
    """Drop what PostgreSQL no longer says: changes made without suspend(), expired ones, what Redis forgot to forget.

    Bounded by what is kept, in batches of five queries. Returns how many accesses were dropped.
    """
    dropped = 0
    for batch in access_cache.each_batch():
        records = selectors.read_accesses(names=batch, now=now)
        stale = [name for name, access in batch.items() if name not in records or records[name].access != access]
        access_cache.drop(names=stale)
        dropped += len(stale)
    access_cache.prune_indexes()
    return dropped
