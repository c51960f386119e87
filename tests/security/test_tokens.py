"""Tokens, as a thief and a guesser see them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from knox.crypto import hash_token
from knox.models import get_digest_token
from pytest_django import DjangoAssertNumQueries, Settings

from blend_pos.redis_client import OnceClient
from blend_pos.tiendas import access_cache, guesses
from blend_pos.tiendas.access_cache import token_name
from blend_pos.tiendas.models import TokenTerminal
from blend_pos.tiendas.tokens import create_token, is_ours, make_token, revoke_token
from scripts.services import Services
from tests.security.world import World

PRODUCTS = "/api/v1/productos/disponible?id=00000000-0000-4000-8000-000000000000"
LIMIT = 5


@pytest.fixture(autouse=True)
def low_limit(settings: Settings, live_db: None) -> Iterator[None]:
    """Five guesses; and none that another test made."""
    settings.TOKEN_GUESSES_MAX = LIMIT
    forget_guesses()
    yield
    forget_guesses()


def forget_guesses() -> None:
    redis: Any = get_redis_connection("default")
    for key in redis.scan_iter(match="adivinanzas:*"):
        redis.delete(key)


def ask(token: str, address: str = "10.0.0.1", **headers: str) -> Any:
    """Something that costs no SQL by itself."""
    client = Client(raise_request_exception=False, REMOTE_ADDR=address)
    return client.get(PRODUCTS, headers={"Authorization": f"Bearer {token}", **headers})


def statuses(tokens: list[str], address: str = "10.0.0.1") -> list[int]:
    return [ask(token, address).status_code for token in tokens]


def new_token(world: World) -> tuple[TokenTerminal, str]:
    row = TokenTerminal.objects.get(pk=world.own.rows["tiendas_tokenterminal"])
    return create_token(terminal=row.terminal, usuario=row.user, rol="cajero", expiry=None)


def guess() -> str:
    token: str = get_digest_token("blend_")[1]
    return token


def exhaust(address: str = "10.0.0.1") -> None:
    assert statuses([guess() for _ in range(LIMIT)], address) == [401] * LIMIT
    assert ask(guess(), address).status_code == 429


# --- guessing


@pytest.mark.parametrize("wrong", ["blend_" + "0" * 64, "nada", "", "ñ", "blend_" + "0" * 65])
def test_an_address_that_guesses_is_told_to_wait(wrong: str) -> None:
    assert statuses([wrong] * LIMIT) == [401] * LIMIT
    refused = ask(wrong)
    assert (refused.status_code, refused.json()["codigo"]) == (429, "demasiados_tokens")
    assert int(refused["Retry-After"]) == 60
    assert ask(wrong, "10.0.0.2").status_code == 401


def test_a_guess_beyond_the_limit_reaches_no_sql(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    exhaust()
    with django_assert_num_queries(0):
        assert statuses([guess() for _ in range(3)]) == [429] * 3


def test_the_window_ends(world: World) -> None:
    exhaust()
    (key,) = list(access_cache.client().scan_iter(match="adivinanzas:*"))
    assert 0 < int(str(access_cache.client().ttl(key))) <= 60  # so it ends by itself
    access_cache.client().expire(key, 0)
    assert ask(guess()).status_code == 401


def test_a_shop_behind_the_guessers_address_sells_on(world: World) -> None:
    _row, known = new_token(world)
    assert ask(known).status_code == 200
    exhaust()
    _row, fresh = new_token(world)  # Redis has never seen it
    assert statuses([known, fresh, known, fresh]) == [200] * 4


def test_right_tokens_are_never_counted(world: World) -> None:
    for _ in range(LIMIT + 2):
        _row, token = new_token(world)
        assert statuses([token, token]) == [200, 200]
    assert ask(guess()).status_code == 401


def test_a_token_that_was_ours_is_limited_by_itself(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row, revoked = new_token(world)
    revoke_token(token=row)
    assert statuses([revoked] * LIMIT) == [401] * LIMIT
    with django_assert_num_queries(0):
        assert statuses([revoked] * 2) == [429] * 2
        assert ask(revoked, "10.9.9.9").status_code == 429  # wherever it is sent from
    assert ask(guess()).status_code == 401  # and its address is nobody's guesser


def test_a_token_from_before_the_check_digits_opens(world: World) -> None:
    row, _secret = new_token(world)
    old = guess()
    assert not is_ours(old)
    before = TokenTerminal(digest=hash_token(old), token_key=old[:15], user=row.user, terminal=row.terminal)
    before.save(force_insert=True)
    assert ask(old).status_code == 200
    exhaust()
    assert ask(old).status_code == 200


def test_check_digits_by_a_key_of_before(settings: Settings) -> None:
    token = make_token()
    assert is_ours(token)
    assert not is_ours(token[:-1] + ("0" if token[-1] != "0" else "1"))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "k" * 50
    assert is_ours(token)
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_ours(token)


@pytest.mark.parametrize(
    ("behind", "remote", "forwarded", "expected"),
    [
        (False, "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        (True, "127.0.0.1", "1.2.3.4", "1.2.3.4"),
        (True, "127.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),  # the first one is what the client wrote itself
        (True, "127.0.0.1", "", "desconocida"),
        (True, "127.0.0.1", None, "127.0.0.1"),
        (False, "2001:db8:1:2:3::4", None, "2001:db8:1:2::/64"),
        (False, "", None, "desconocida"),
    ],
)
def test_where_a_guess_comes_from(
    settings: Settings, behind: bool, remote: str, forwarded: str | None, expected: str
) -> None:
    settings.BEHIND_PROXY = behind
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = Client().get("/caja/", REMOTE_ADDR=remote, headers=headers).wsgi_request
    assert guesses.client_address(request) == expected


# --- what a right token costs


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The commands that go to Redis meanwhile, each a round trip."""
    said: list[str] = []
    execute: Callable[..., Any] = OnceClient.execute_command

    def listen(self: Any, *command: Any, **options: Any) -> Any:
        said.append(str(command[0]))
        return execute(self, *command, **options)

    with monkeypatch.context() as patched:
        patched.setattr(OnceClient, "execute_command", listen)
        yield said


def test_a_right_token_costs_one_read_and_no_sql(
    world: World, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _row, token = new_token(world)
    assert ask(token).status_code == 200
    exhaust()
    with listening(monkeypatch) as said, django_assert_num_queries(0):
        assert ask(token).status_code == 200
    assert said == ["HGET", "EVALSHA"]  # who asks; and what can be sold, which this address is about


# --- what is kept, and how it ends


def test_no_server_knows_a_token(world: World) -> None:
    row, token = new_token(world)
    assert ask(token).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM tokens_terminal t WHERE digest = %s", [row.digest])
        (kept,) = cursor.fetchone()
    secret = token.removeprefix("blend_")
    assert row.digest in kept
    assert row.digest == token_name(token).removeprefix("token:")
    assert secret[:16] not in kept
    redis: Any = get_redis_connection("default")
    values = b"".join(key + str(redis.hgetall(key)).encode() for key in redis.scan_iter(match="acceso:*"))
    assert row.digest.encode() in values
    assert secret[:16].encode() not in values


def test_a_revoked_token_opens_nothing_while_postgresql_is_away(world: World, services: Services) -> None:
    row, revoked = new_token(world)
    _row, kept = new_token(world)
    assert statuses([revoked, kept]) == [200, 200]
    revoke_token(token=row)
    services.postgres.stop()
    answers = [ask(revoked), ask(kept)]
    assert [answer.status_code for answer in answers] == [503, 200]
    services.postgres.start()
    connection.close()
    assert statuses([revoked, kept]) == [401, 200]


def test_a_revocation_that_cannot_be_written_ends_nothing_and_says_so(world: World) -> None:
    row, token = new_token(world)
    assert ask(token).status_code == 200

    def refuse(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        raise OperationalError(sql)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        revoke_token(token=row)
    assert TokenTerminal.objects.filter(pk=row.pk).exists()
    assert ask(token).status_code == 200


def test_a_refused_change_of_a_password_ends_nothing(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row, token = new_token(world)
    assert ask(token).status_code == 200
    for rol in ("nadie", "cajero", "administrador"):
        answer = world.staff[rol].post(f"/admin/auth/user/{row.user_id}/password/", {"password1": "x"})
        assert answer.status_code == (302 if rol == "nadie" else 403)
    with django_assert_num_queries(0):
        assert ask(token).status_code == 200


def test_a_token_that_ended_by_itself_opens_nothing(world: World) -> None:
    row, token = new_token(world)
    TokenTerminal.objects.filter(pk=row.pk).update(expiry=timezone.now())
    assert ask(token).status_code == 401
