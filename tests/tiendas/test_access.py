"""Which tienda and which terminal a request works in."""

from uuid import UUID, uuid4

import pytest

from blend_pos.tiendas.access import (
    Access,
    AccessKind,
    TerminalUnknown,
    TiendaAccess,
    TiendaNotNamed,
    TiendaUnknown,
    WithoutTienda,
    decode,
    encode,
    take_seat,
)

FIRST, SECOND, OTHERS = str(uuid4()), str(uuid4()), str(uuid4())
TERMINAL, TERMINAL_2, SECOND_TERMINAL = str(uuid4()), str(uuid4()), str(uuid4())


def tienda(*terminales: str, rol: str = "cajero") -> TiendaAccess:
    return TiendaAccess(
        nombre="Centro",
        rol=rol,
        zona_horaria="America/Mexico_City",
        terminales=tuple((terminal, numero) for numero, terminal in enumerate(terminales, 1)),
    )


def access(**tiendas: TiendaAccess) -> Access:
    return Access(
        kind=AccessKind.SESSION,
        usuario_id=7,
        username="ana",
        expires_at_s=1_800_000_000.125,
        tiendas={{"first": FIRST, "second": SECOND}[name]: each for name, each in tiendas.items()},
    )


ONE = access(first=tienda(TERMINAL, TERMINAL_2))
TWO = access(first=tienda(TERMINAL, TERMINAL_2), second=tienda(SECOND_TERMINAL, rol="encargado"))


def test_one_tienda_need_not_be_named() -> None:
    seat = take_seat(access=ONE, tienda_id=None, terminal_id=None)
    assert (seat.tienda_id, seat.terminal_id, seat.terminal_numero) == (UUID(FIRST), UUID(TERMINAL), 1)


def test_one_of_several_has_to_be_named() -> None:
    with pytest.raises(TiendaNotNamed) as refusal:
        take_seat(access=TWO, tienda_id=None, terminal_id=None)
    assert [each["id"] for each in refusal.value.detalles["tiendas"]] == [FIRST, SECOND]


def test_the_named_tienda_decides_role_and_terminal() -> None:
    seat = take_seat(access=TWO, tienda_id=f" {SECOND.upper()}", terminal_id=None)
    assert (seat.tienda_id, seat.terminal_id, seat.rol) == (UUID(SECOND), UUID(SECOND_TERMINAL), "encargado")


@pytest.mark.parametrize("named", [OTHERS, "", "no es una clave"], ids=["of others", "empty", "no id"])
def test_another_tienda_does_not_exist(named: str) -> None:
    with pytest.raises(TiendaUnknown):
        take_seat(access=ONE, tienda_id=named, terminal_id=None)


def test_a_named_terminal_is_taken() -> None:
    assert take_seat(access=ONE, tienda_id=None, terminal_id=TERMINAL_2).terminal_numero == 2


@pytest.mark.parametrize("named", [SECOND_TERMINAL, "", "1"], ids=["of another", "empty", "no id"])
def test_a_terminal_of_another_tienda_does_not_exist(named: str) -> None:
    with pytest.raises(TerminalUnknown):
        take_seat(access=TWO, tienda_id=FIRST, terminal_id=named)


def test_nowhere_to_work() -> None:
    with pytest.raises(WithoutTienda):
        take_seat(access=access(), tienda_id=None, terminal_id=None)
    with pytest.raises(TiendaUnknown):
        take_seat(access=access(), tienda_id=FIRST, terminal_id=None)
    with pytest.raises(TerminalUnknown):
        take_seat(access=access(first=tienda()), tienda_id=None, terminal_id=None)


@pytest.mark.parametrize(
    ("own", "allowed"),
    [("cajero", [True, False, False]), ("encargado", [True, True, False]), ("administrador", [True, True, True])],
)
def test_a_role_includes_the_ones_before_it(own: str, allowed: list[bool]) -> None:
    seat = take_seat(access=access(first=tienda(TERMINAL, rol=own)), tienda_id=None, terminal_id=None)
    assert [seat.allows(rol) for rol in ("cajero", "encargado", "administrador")] == allowed


def test_it_survives_redis() -> None:
    assert decode(encode(TWO)) == TWO


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"1", b'{"kind":"sesion"}', encode(TWO).replace(b"sesion", b"x")]
)
def test_what_another_version_wrote_is_read_again(payload: bytes) -> None:
    assert decode(payload) is None


def test_it_ends_by_the_clock() -> None:
    assert not ONE.is_expired(now_s=1_800_000_000.1)
    assert ONE.is_expired(now_s=1_800_000_000.125)
