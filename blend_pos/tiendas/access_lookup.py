"""Find what a token or a session opens: in Redis; in PostgreSQL, once, where Redis does not know."""

from datetime import datetime

from django.db import InterfaceError, OperationalError

from blend_pos.tiendas import access_cache, selectors
from blend_pos.tiendas.access import Access
from blend_pos.tiendas.access_cache import AccessUnavailable


def find_access(*, name: str, now: datetime) -> Access | None:
    """What this name opens at `now`; None: nothing. No SQL where it is kept. Raises AccessUnavailable."""
    kept = access_cache.read(name=name)
    if kept is not None and not kept.is_expired(now_s=now.timestamp()):
        return kept
    try:
        return _read_and_keep(name=name, now=now)
    except (OperationalError, InterfaceError) as error:
        raise AccessUnavailable(str(error)) from error


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
