"""No order of steps and no crash leaves an identity from before a change; and what each part of the rule is for."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from django_redis import get_redis_connection

from blend_pos.tiendas import access_cache, selectors
from blend_pos.tiendas.access import Access
from blend_pos.tiendas.access_cache import (
    AccessUnavailable,
    SuspendedOutsideTransaction,
    Suspension,
    token_name,
    usuario_scope,
)
from blend_pos.tiendas.access_lookup import find_access
from blend_pos.tiendas.selectors import AccessRecord
from blend_pos.tiendas.tokens import revoke_token
from scripts.services import Services
from tests.polling import wait_until
from tests.tiendas.people import Shop, give_token, hire, open_shop

Step = Callable[[], None]


class Reader:
    """find_access, a step at a time, where Redis knew nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scopes: frozenset[str] = frozenset()
        self.nonce: str | None = None
        self.record: AccessRecord | None = None

    def steps(self) -> list[Step]:
        return [self.learn, self.announce, self.read, self.write]

    def learn(self) -> None:
        first = selectors.read_access(name=self.name, now=timezone.now())
        self.scopes = first.scopes if first else frozenset()

    def announce(self) -> None:
        if self.scopes:
            self.nonce = access_cache.announce(name=self.name, scopes=self.scopes)

    def read(self) -> None:
        self.record = selectors.read_access(name=self.name, now=timezone.now())

    def write(self) -> None:
        if self.nonce and self.record:
            access_cache.write(name=self.name, nonce=self.nonce, access=self.record.access)


class Changer:
    """A change of a person, a step at a time."""

    def __init__(self, usuario: User) -> None:
        self.usuario = usuario
        self.suspension: Suspension | None = None

    def steps(self) -> list[Step]:
        return [self.suspend, self.commit, self.lift]

    def suspend(self) -> None:
        self.suspension = access_cache.begin_suspension(scopes=[usuario_scope(self.usuario.pk)])

    def commit(self) -> None:
        User.objects.filter(pk=self.usuario.pk).update(is_active=False)

    def lift(self) -> None:
        if self.suspension:
            access_cache.lift(self.suspension)


class Arena:
    """A person with a token, as new for each history."""

    def __init__(self) -> None:
        self.shop: Shop = open_shop()
        self.usuario = hire(self.shop)
        self.name = token_name(give_token(self.usuario, self.shop)[1])

    def reset(self) -> None:
        User.objects.filter(pk=self.usuario.pk).update(is_active=True)
        redis = get_redis_connection("default")
        scope = usuario_scope(self.usuario.pk)
        redis.delete(f"acceso:{self.name}", f"accesos:{scope}", f"acceso-suspendido:{scope}")

    def violations(self, reader: type[Reader], changer: type[Changer]) -> list[str]:
        """Every interleaving of both, the change crashing after each of its steps: those that leave the door open."""
        found = []
        for done in range(4):
            for order in set(itertools.permutations("r" * 4 + "c" * done)) if done else [("r",) * 4]:
                self.reset()
                steps = {"r": iter(reader(self.name).steps()), "c": iter(changer(self.usuario).steps())}
                for who in order:
                    next(steps[who])()
                changed = not User.objects.get(pk=self.usuario.pk).is_active
                if changed and find_access(name=self.name, now=timezone.now()):
                    found.append("".join(order))
        return found


@pytest.fixture
def arena(live_db: None) -> Iterator[Arena]:
    arena = Arena()
    yield arena
    arena.reset()


def test_a_change_wins_in_every_order_and_after_every_crash(arena: Arena) -> None:
    assert arena.violations(Reader, Changer) == []


class ReaderWithoutAnnouncement(Reader):
    """Keeps what it read, whatever happened meanwhile."""

    def announce(self) -> None:
        super().announce()
        self.nonce = self.nonce or "none"

    def write(self) -> None:
        if self.nonce and self.record:
            get_redis_connection("default").hset(f"acceso:{self.name}", "lectura", self.nonce)
            super().write()


class ReaderWithoutIndex(Reader):
    """Announces itself where no change looks."""

    def announce(self) -> None:
        self.nonce = access_cache.announce(name=self.name, scopes=[])


class ReaderAnnouncedLate(Reader):
    """Reads first, announces itself after."""

    def steps(self) -> list[Step]:
        return [self.learn, self.read, self.announce, self.write]


class ChangerWithoutSuspension(Changer):
    """Drops what is kept, before and after; marks nothing in between."""

    def suspend(self) -> None:
        super().suspend()
        super().lift()

    def lift(self) -> None:
        super().suspend()
        super().lift()


class ChangerAfterwards(Changer):
    """Changes first, ends accesses after."""

    def steps(self) -> list[Step]:
        return [self.commit, self.suspend, self.lift]


class ChangerLiftingEarly(Changer):
    """Lifts before the commit."""

    def steps(self) -> list[Step]:
        return [self.suspend, self.lift, self.commit]


@pytest.mark.parametrize(
    ("reader", "changer"),
    [
        (ReaderWithoutAnnouncement, Changer),
        (ReaderWithoutIndex, Changer),
        (ReaderAnnouncedLate, Changer),
        (Reader, ChangerWithoutSuspension),
        (Reader, ChangerAfterwards),
        (Reader, ChangerLiftingEarly),
    ],
)
def test_without_one_part_of_the_rule_the_door_stays_open(
    arena: Arena, reader: type[Reader], changer: type[Changer]
) -> None:
    assert arena.violations(reader, changer)


@pytest.mark.usefixtures("live_db")
def test_revoked_at_once_under_a_crowd() -> None:
    """Whoever starts to ask after revoke_token has returned is turned away."""
    shop = open_shop()
    token, secret = give_token(hire(shop), shop)
    name = token_name(secret)
    revoked = threading.Event()
    asked_before: list[Access | None] = []
    let_in_after: list[Access | None] = []

    def ask() -> None:
        try:
            late = 0
            while late < 5:
                after = revoked.is_set()
                access = find_access(name=name, now=timezone.now())
                late += after
                (let_in_after if after and access else asked_before).append(access)
        finally:
            connection.close()

    crowd = [threading.Thread(target=ask) for _ in range(8)]
    for one in crowd:
        one.start()
    wait_until(lambda: len(asked_before) > 50, timeout_s=20, what="the crowd is let in")
    revoke_token(token=token)
    revoked.set()
    for one in crowd:
        one.join()

    assert any(asked_before)
    assert let_in_after == []


@pytest.mark.usefixtures("live_db")
def test_a_change_that_fails_leaves_postgresql_to_answer() -> None:
    shop = open_shop()
    usuario = hire(shop)
    name = token_name(give_token(usuario, shop)[1])
    assert find_access(name=name, now=timezone.now())

    with suppress(ZeroDivisionError), transaction.atomic():
        access_cache.suspend(scopes=[usuario_scope(usuario.pk)])
        raise ZeroDivisionError

    assert find_access(name=name, now=timezone.now())
    assert access_cache.read(name=name) is None
    seconds = get_redis_connection("default").ttl(f"acceso-suspendido:{usuario_scope(usuario.pk)}")
    assert 0 < seconds <= access_cache.SUSPENSION_S


@pytest.mark.usefixtures("live_db")
def test_two_changes_at_once_suspend_until_both_are_done() -> None:
    shop = open_shop()
    usuario = hire(shop)
    name = token_name(give_token(usuario, shop)[1])
    first = access_cache.begin_suspension(scopes=[usuario_scope(usuario.pk)])
    second = access_cache.begin_suspension(scopes=[usuario_scope(usuario.pk)])

    kept: list[bool] = []
    for suspension in (first, second):
        access_cache.lift(suspension)
        assert find_access(name=name, now=timezone.now())
        kept.append(access_cache.read(name=name) is not None)

    assert kept == [False, True]


@pytest.mark.usefixtures("live_db")
def test_suspending_needs_the_transaction_of_the_change() -> None:
    with pytest.raises(SuspendedOutsideTransaction):
        access_cache.suspend(scopes=["usuario:1"])


@pytest.mark.usefixtures("live_db")
def test_a_change_does_not_happen_where_redis_cannot_be_told(services: Services) -> None:
    shop = open_shop()
    token, secret = give_token(hire(shop), shop)
    assert find_access(name=token_name(secret), now=timezone.now())
    services.redis.stop()

    with pytest.raises(AccessUnavailable):
        revoke_token(token=token)
    with pytest.raises(AccessUnavailable):
        find_access(name=token_name(secret), now=timezone.now())

    assert type(token).objects.filter(digest=token.digest).exists()


def indexed(scopes: Sequence[str], name: str) -> list[bool]:
    return [bool(get_redis_connection("default").sismember(f"accesos:{scope}", name)) for scope in scopes]


@pytest.mark.usefixtures("live_db")
def test_indexes_forget_what_is_no_longer_kept() -> None:
    shop = open_shop()
    usuario = hire(shop)
    gone, kept = (token_name(give_token(usuario, shop)[1]) for _ in range(2))
    scopes = [usuario_scope(usuario.pk), access_cache.tienda_scope(shop.tienda.pk)]
    for name in (gone, kept):
        assert find_access(name=name, now=timezone.now())
    access_cache.drop(names=[gone])

    assert access_cache.prune_indexes() >= 2

    assert indexed(scopes, gone) == [False, False]
    assert indexed(scopes, kept) == [True, True]
