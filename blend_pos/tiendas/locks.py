"""The advisory lock of a tienda: whoever writes its sales shares it, a cold start owns it.

Always taken first in a transaction, and tiendas in id order, so that nobody waits in a circle.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from blend_pos.tiendas.models import Tienda

SHARE = "SELECT pg_advisory_xact_lock_shared(hashtextextended(id, 0)) FROM unnest(%s::text[]) AS id"
OWN = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
TIMELINE = """
SELECT system_identifier || ':' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
    || ':' || 'tiendas'::regclass::oid FROM pg_control_system()
"""

ON_DISK = "SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"


class NoTransaction(RuntimeError):
    """A lock was asked for outside a transaction, where it would be gone at once."""


def share_tiendas(*, tiendas: Iterable[UUID]) -> dict[UUID, int]:
    """Hold off cold starts until this transaction ends; the epochs that are valid for as long. Unknown tiendas are
    left out."""
    _assert_transaction()
    names = sorted(str(tienda) for tienda in tiendas)
    with connection.cursor() as cursor:
        cursor.execute(SHARE, [names])
    return dict(Tienda.objects.filter(id__in=names).values_list("id", "epoch"))


def own_tienda(*, tienda_id: UUID) -> int | None:
    """Be the only writer of the tienda until this transaction ends; its epoch, None where there is no such tienda."""
    _assert_transaction()
    with connection.cursor() as cursor:
        cursor.execute(OWN, [str(tienda_id)])
    return Tienda.objects.filter(id=tienda_id).values_list("epoch", flat=True).first()


def read_timeline() -> str:
    """Which history of which database this is: another one after a failover or a restore, and then versions went
    back."""
    with connection.cursor() as cursor:
        cursor.execute(TIMELINE)
        (timeline,) = cursor.fetchone() or ("",)
    return str(timeline)


def read_position() -> int:
    """How much of its history this PostgreSQL has on disk, bytes: less than before only where it was put back to an
    earlier moment, which the timeline does not always tell."""
    with connection.cursor() as cursor:
        cursor.execute(ON_DISK)
        (position,) = cursor.fetchone() or (0,)
    return int(position)


def _assert_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise NoTransaction("open a transaction first")
