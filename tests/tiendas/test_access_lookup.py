"""No SQL once it is known who asks, PostgreSQL away or not; and the review that heals what went past the rule."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.db.models.signals import post_init
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import DjangoAssertNumQueries

from blend_pos.tiendas import access_cache, shops
from blend_pos.tiendas.access_cache import AccessUnavailable, session_name, token_name
from blend_pos.tiendas.access_lookup import find_access, review_accesses
from blend_pos.tiendas.models import Membresia, Terminal, Tienda, TokenTerminal
from blend_pos.tiendas.selectors import read_access, read_accesses
from scripts.services import Services
from tests.tiendas.people import Shop, give_token, hire, open_shop, session_key, sign_in


def test_what_is_known_costs_no_sql(shop: Shop, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    usuario = hire(shop)
    names = [token_name(give_token(usuario, shop)[1]), session_name(session_key(sign_in(usuario)))]
    first = [find_access(name=name, now=timezone.now()) for name in names]

    with django_assert_num_queries(0):
        again = [find_access(name=name, now=timezone.now()) for name in names]

    assert again == first
    assert [access.kind if access else None for access in first] == ["token", "sesion"]


def test_it_goes_on_while_postgresql_is_away(shop: Shop, services: Services) -> None:
    usuario = hire(shop)
    known, unknown = (token_name(give_token(usuario, shop)[1]) for _ in range(2))
    session = session_name(session_key(sign_in(usuario)))
    now = timezone.now()
    assert find_access(name=known, now=now)
    assert find_access(name=session, now=now)
    services.postgres.kill()

    assert find_access(name=known, now=now)
    assert find_access(name=session, now=now)
    with pytest.raises(AccessUnavailable):
        find_access(name=unknown, now=now)


def test_what_is_kept_has_no_ttl(shop: Shop) -> None:
    name = token_name(give_token(hire(shop), shop)[1])
    assert find_access(name=name, now=timezone.now())
    assert get_redis_connection("default").ttl(f"acceso:{name}") == -1


def test_an_unknown_name_leaves_nothing_behind(shop: Shop) -> None:
    name = token_name("blend_" + "0" * 64)
    assert find_access(name=name, now=timezone.now()) is None
    assert not get_redis_connection("default").exists(f"acceso:{name}")


def test_a_token_ends_by_the_clock(shop: Shop) -> None:
    name = token_name(give_token(hire(shop), shop, lifetime=timedelta(minutes=5))[1])
    now = timezone.now()
    assert find_access(name=name, now=now)
    assert find_access(name=name, now=now + timedelta(minutes=6)) is None


def test_a_session_that_was_prolonged_is_read_again(shop: Shop) -> None:
    client = sign_in(hire(shop))
    name = session_name(session_key(client))
    assert find_access(name=name, now=timezone.now())
    later = timezone.now() + timedelta(days=20)
    assert find_access(name=name, now=later) is None

    Session.objects.filter(session_key=session_key(client)).update(expire_date=later + timedelta(days=1))

    assert find_access(name=name, now=later)


def test_a_token_may_no_more_than_its_person(shop: Shop) -> None:
    usuario = hire(shop, rol="encargado")
    name = token_name(give_token(usuario, shop, rol="encargado")[1])
    membresia = Membresia.objects.get(usuario=usuario)
    membresia.rol = "cajero"
    shops.save_membership(membresia=membresia)

    access = find_access(name=name, now=timezone.now())

    assert access
    assert [tienda.rol for tienda in access.tiendas.values()] == ["cajero"]


def test_a_session_opens_every_tienda_of_its_person(shop: Shop) -> None:
    second, closed, others = open_shop(), open_shop(), open_shop()
    usuario = hire(shop, second, closed)
    hire(others)
    closed.tienda.is_active = False
    shops.save_tienda(tienda=closed.tienda)

    access = find_access(name=session_name(session_key(sign_in(usuario))), now=timezone.now())

    assert access
    assert set(access.tiendas) == {str(shop.tienda.pk), str(second.tienda.pk)}


def test_what_was_first_seen_closed_is_seen_when_it_opens(shop: Shop) -> None:
    shop.tienda.is_active = False
    shops.save_tienda(tienda=shop.tienda)
    name = session_name(session_key(sign_in(hire(shop))))
    closed = find_access(name=name, now=timezone.now())
    shop.tienda.is_active = True
    shops.save_tienda(tienda=shop.tienda)

    opened = find_access(name=name, now=timezone.now())

    assert closed
    assert opened
    assert (len(closed.tiendas), len(opened.tiendas)) == (0, 1)


def test_what_depends_on_more_than_was_announced_is_not_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A membership that comes between the two reads: its tienda's changes would not find the access."""
    usuario, second = hire(shop), open_shop()
    name = session_name(session_key(sign_in(usuario)))
    announce = access_cache.announce

    def hired_meanwhile(*, name: str, scopes: Iterable[str]) -> str | None:
        monkeypatch.undo()
        shops.save_membership(membresia=Membresia(usuario=usuario, tienda=second.tienda))
        return announce(name=name, scopes=scopes)

    monkeypatch.setattr(access_cache, "announce", hired_meanwhile)
    both = find_access(name=name, now=timezone.now())
    second.tienda.is_active = False
    shops.save_tienda(tienda=second.tienda)
    one = find_access(name=name, now=timezone.now())

    assert both
    assert one
    assert (len(both.tiendas), len(one.tiendas)) == (2, 1)


def test_the_review_drops_what_was_changed_past_the_rule(shop: Shop) -> None:
    """By SQL, by a shell, by a Redis that forgot its last second: nothing stays open for longer than a review."""
    fired, moved, stays = hire(shop), hire(shop), hire(shop)
    names = {usuario: token_name(give_token(usuario, shop)[1]) for usuario in (fired, moved, stays)}
    session = session_name(session_key(sign_in(stays)))
    for name in (*names.values(), session):
        assert find_access(name=name, now=timezone.now())
    User.objects.filter(pk=fired.pk).update(is_active=False)
    TokenTerminal.objects.filter(user=moved).delete()

    assert review_accesses(now=timezone.now()) >= 2

    assert access_cache.read(name=names[fired]) is None
    assert access_cache.read(name=names[moved]) is None
    assert access_cache.read(name=names[stays])
    assert access_cache.read(name=session)


def test_a_token_reads_nothing_of_its_persons_other_tiendas(shop: Shop) -> None:
    """Who has hundreds of tiendas, with all their terminals, would else read them at each till's first request."""
    others = [open_shop() for _ in range(3)]
    usuario = hire(shop, *others)
    name = token_name(give_token(usuario, shop)[1])
    session = session_name(session_key(sign_in(usuario)))
    made: Counter[type[Model]] = Counter()

    def count(sender: type[Model], **_named: object) -> None:
        made[sender] += 1

    post_init.connect(count)
    try:
        by_token = read_access(name=name, now=timezone.now())
        assert by_token is not None
        assert (made[Membresia], made[Tienda], made[Terminal]) == (1, 2, 1)
    finally:
        post_init.disconnect(count)
    both = read_accesses(names=[name, session], now=timezone.now())
    assert both[name] == by_token
    assert len(both[session].access.tiendas) == 4
    assert all(tienda.terminales for tienda in both[session].access.tiendas.values())


def test_the_review_costs_few_queries(shop: Shop, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(30):
        usuario = hire(shop)
        for name in (token_name(give_token(usuario, shop)[1]), session_name(session_key(sign_in(usuario)))):
            assert find_access(name=name, now=timezone.now())

    batches = len(list(access_cache.each_batch()))  # of what earlier tests left, too
    with django_assert_max_num_queries(5 * batches):
        review_accesses(now=timezone.now())
