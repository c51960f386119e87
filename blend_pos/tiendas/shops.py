"""Tiendas, terminals and members: each change ends the accesses that depend on it, before and after.

All of them raise AccessUnavailable, with nothing changed, where Redis cannot be told.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction

from blend_pos.tiendas import access_cache
from blend_pos.tiendas.access_cache import tienda_scope, usuario_scope
from blend_pos.tiendas.models import Membresia, Terminal, Tienda


def open_tienda(*, tienda: Tienda) -> Terminal:
    """Write a new tienda, with its terminal 1. Returns that."""
    with transaction.atomic():
        tienda.save(force_insert=True)
        return Terminal.objects.create(tienda=tienda, numero=1, nombre="Caja 1")


def save_tienda(*, tienda: Tienda) -> None:
    """Write a changed tienda: closed, named anew, moved to another time zone."""
    with transaction.atomic():
        access_cache.suspend(scopes=[tienda_scope(tienda.pk)])
        tienda.save()


def save_terminal(*, terminal: Terminal) -> None:
    """Write a terminal, new or changed."""
    with transaction.atomic():
        access_cache.suspend(scopes=[tienda_scope(terminal.tienda_id)])
        terminal.save()


def save_membership(*, membresia: Membresia) -> None:
    """Write a membership, new or changed."""
    with transaction.atomic():
        access_cache.suspend(scopes=[usuario_scope(membresia.usuario_id)])
        membresia.save()


def remove_membership(*, membresia: Membresia) -> None:
    """Take a person out of a tienda; their tokens there open nothing from now on."""
    with transaction.atomic():
        access_cache.suspend(scopes=[usuario_scope(membresia.usuario_id)])
        membresia.delete()


@contextmanager
def ending_access_of(*, usuario_id: int) -> Iterator[None]:
    """A transaction that changes a person: deactivated, renamed, with another password, deleted."""
    with transaction.atomic():
        access_cache.suspend(scopes=[usuario_scope(usuario_id)])
        yield


def save_person(*, usuario: User) -> None:
    """Write a changed person."""
    with ending_access_of(usuario_id=usuario.pk):
        usuario.save()


def remove_person(*, usuario: User) -> None:
    """Delete a person who has sold nothing, with their memberships and tokens."""
    with ending_access_of(usuario_id=usuario.pk):
        usuario.delete()
