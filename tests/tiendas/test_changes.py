"""Every change ends, at once, what it should end."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.utils import timezone

from blend_pos.tiendas import access_cache, shops
from blend_pos.tiendas.access import Access
from blend_pos.tiendas.access_cache import session_name, token_name
from blend_pos.tiendas.access_lookup import find_access
from blend_pos.tiendas.models import Membresia, Terminal
from blend_pos.tiendas.tasks import review
from blend_pos.tiendas.tokens import revoke_token
from tests.tiendas.people import PASSWORD, Shop, give_token, hire, session_key, sign_in


class Staff:
    """A person with a token and a session, both of them known to Redis."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.usuario = hire(shop)
        self.token, secret = give_token(self.usuario, shop)
        self.client = sign_in(self.usuario)
        self.names = [token_name(secret), session_name(session_key(self.client))]
        assert all(self.look())

    def look(self) -> list[Access | None]:
        """What token and session open."""
        return [find_access(name=name, now=timezone.now()) for name in self.names]


@pytest.fixture
def staff(shop: Shop) -> Staff:
    return Staff(shop)


def membership(staff: Staff) -> Membresia:
    return Membresia.objects.get(usuario=staff.usuario)


def deactivate_person(staff: Staff) -> None:
    staff.usuario.is_active = False
    shops.save_person(usuario=staff.usuario)


def remove_person(staff: Staff) -> None:
    shops.remove_person(usuario=staff.usuario)


def remove_membership(staff: Staff) -> None:
    shops.remove_membership(membresia=membership(staff))


def close_tienda(staff: Staff) -> None:
    staff.shop.tienda.is_active = False
    shops.save_tienda(tienda=staff.shop.tienda)


def deactivate_terminal(staff: Staff) -> None:
    staff.shop.terminal.is_active = False
    shops.save_terminal(terminal=staff.shop.terminal)


def revoke(staff: Staff) -> None:
    revoke_token(token=staff.token)


def log_out(staff: Staff) -> None:
    assert staff.client.post("/cuenta/logout").status_code == 302


def new_password(staff: Staff) -> None:
    staff.usuario.set_password(PASSWORD)
    shops.save_person(usuario=staff.usuario)


def nothing(access: Access | None) -> bool:
    return access is None


def no_tienda(access: Access | None) -> bool:
    return access is not None and not access.tiendas


def no_terminal(access: Access | None) -> bool:
    return access is not None and not any(tienda.terminales for tienda in access.tiendas.values())


def unchanged(access: Access | None) -> bool:
    return access is not None and any(tienda.terminales for tienda in access.tiendas.values())


Look = Callable[[Access | None], bool]


@pytest.mark.parametrize(
    ("change", "token", "session"),
    [
        (deactivate_person, nothing, nothing),
        (remove_person, nothing, nothing),
        (remove_membership, nothing, no_tienda),
        (close_tienda, nothing, no_tienda),
        (deactivate_terminal, nothing, no_terminal),
        (revoke, nothing, unchanged),
        (log_out, unchanged, nothing),
        (new_password, unchanged, nothing),
    ],
)
def test_a_change_ends_what_it_should(
    staff: Staff, change: Callable[[Staff], None], token: Look, session: Look
) -> None:
    change(staff)
    after_token, after_session = staff.look()
    assert token(after_token), after_token
    assert session(after_session), after_session


def test_a_change_leaves_others_alone(staff: Staff) -> None:
    other = Staff(staff.shop)
    deactivate_person(staff)
    assert all(access_cache.read(name=name) for name in other.names)


def test_a_new_role_is_seen_at_once(staff: Staff) -> None:
    membresia = membership(staff)
    membresia.rol = "encargado"
    shops.save_membership(membresia=membresia)
    assert [tienda.rol for access in staff.look() if access for tienda in access.tiendas.values()] == [
        "cajero",
        "encargado",
    ]


def test_a_reopened_tienda_and_a_new_terminal_are_seen_at_once(staff: Staff) -> None:
    close_tienda(staff)
    assert no_tienda(staff.look()[1])
    staff.shop.tienda.is_active = True
    shops.save_tienda(tienda=staff.shop.tienda)
    assert all(map(unchanged, staff.look()))

    shops.save_terminal(terminal=Terminal(tienda=staff.shop.tienda, numero=2, nombre="Terminal 2"))

    session = staff.look()[1]
    assert session
    assert [numero for tienda in session.tiendas.values() for _, numero in tienda.terminales] == [1, 2]


def test_a_new_login_ends_the_session_before_it(shop: Shop) -> None:
    first, second = Staff(shop), hire(shop)
    first.client.force_login(second, backend="django.contrib.auth.backends.ModelBackend")
    assert nothing(first.look()[1])
    renewed = find_access(name=session_name(session_key(first.client)), now=timezone.now())
    assert renewed
    assert renewed.usuario_id == second.pk


def test_ones_own_new_password_ends_the_other_sessions(shop: Shop) -> None:
    usuario = hire(shop)
    usuario.set_password(PASSWORD)
    usuario.save()
    here, elsewhere = sign_in(usuario), sign_in(usuario)
    old = [session_name(session_key(client)) for client in (here, elsewhere)]
    assert all(find_access(name=name, now=timezone.now()) for name in old)
    new = PASSWORD + "-nueva"

    answer = here.post(
        "/cuenta/clave", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}, follow=True
    )

    assert answer.redirect_chain == [("/cuenta/", 302)]
    assert answer.status_code == 200
    assert [find_access(name=name, now=timezone.now()) for name in old] == [None, None]
    assert find_access(name=session_name(session_key(here)), now=timezone.now())
    assert elsewhere.get("/cuenta/").status_code == 302


def test_djangos_own_command_ends_sessions_with_the_next_review(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    def type_password(prompt: str) -> str:
        return PASSWORD

    monkeypatch.setattr("getpass.getpass", type_password)
    call_command("changepassword", staff.usuario.username, verbosity=0)
    staff.usuario.refresh_from_db()
    assert staff.usuario.check_password(PASSWORD)

    review()

    assert list(map(nothing, staff.look())) == [False, True]
