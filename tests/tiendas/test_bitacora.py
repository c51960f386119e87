"""Who did what: that it is on record, that it can be read by whom it concerns, and that nobody can change it."""

import os
import pwd
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django_celery_beat.models import PeriodicTask

from blend_pos.tiendas import access_cache, acts
from blend_pos.tiendas.access_cache import AccessUnavailable
from blend_pos.tiendas.admin_acts import RecordedAdmin
from blend_pos.tiendas.models import Accion, Acto, Membresia, Rol, TokenTerminal
from tests.concurrency.together import all_at_once
from tests.tiendas.confirming import mark_of, post_confirmed
from tests.tiendas.people import PASSWORD, Shop, bearer, give_token, hire, open_shop, sign_in

LIST = "/admin/tiendas/acto/"
SESSION = "/api/v1/sesion"


@pytest.fixture
def administrador(shop: Shop) -> User:
    return hire(shop, rol=Rol.ADMINISTRADOR, is_staff=True)


@pytest.fixture
def root(live_db: None) -> Client:
    usuario = hire(is_staff=True)
    usuario.is_superuser = True
    usuario.save()
    return sign_in(usuario)


@pytest.fixture
def since(live_db: None) -> Callable[[], list[Acto]]:
    """The acts since the test began, oldest first."""
    last = Acto.objects.order_by("-id").values_list("id", flat=True).first() or 0
    return lambda: list(Acto.objects.filter(id__gt=last).order_by("id"))


Since = Callable[[], list[Acto]]


def password_of(usuario: User) -> User:
    usuario.set_password(PASSWORD)
    usuario.save()
    return usuario


def enter(usuario: str, clave: str = PASSWORD, **other: str) -> Any:
    body = {"usuario": usuario, "clave": clave, **other}
    return Client(raise_request_exception=False).post(SESSION, body, content_type="application/json")


# --- what is on record


def test_a_change_says_who_what_and_from_where(shop: Shop, administrador: User, since: Since) -> None:
    membresia = Membresia.objects.get(usuario=hire(shop))
    address = f"/admin/tiendas/membresia/{membresia.pk}/change/"

    assert post_confirmed(sign_in(administrador), address, {"rol": "encargado"}).status_code == 302

    (act,) = since()
    assert (act.accion, act.persona_id, act.persona) == (Accion.CAMBIAR, administrador.pk, administrador.username)
    assert (act.tienda, act.detalle) == (shop.tienda, {"rol": ["cajero", "encargado"]})
    assert act.desde == f"127.0.0.1 POST {address}"
    assert act.objeto.startswith(f"membresia {membresia.pk}:")


def test_looking_and_being_asked_leaves_nothing(shop: Shop, administrador: User, since: Since) -> None:
    client = sign_in(administrador)
    membresia = Membresia.objects.get(usuario=hire(shop))
    address = f"/admin/tiendas/membresia/{membresia.pk}/change/"

    client.get(address, {"rol": "encargado"})
    asked = client.post(address, {"rol": "encargado"})

    assert mark_of(asked)
    assert since() == []
    membresia.refresh_from_db()
    assert membresia.rol == "cajero"


def test_a_confirmation_is_of_this_change_and_no_other(shop: Shop, administrador: User) -> None:
    client = sign_in(administrador)
    one, other = (Membresia.objects.get(usuario=hire(shop)) for _ in range(2))
    addresses = [f"/admin/tiendas/membresia/{row.pk}/change/" for row in (one, other)]
    mark = mark_of(client.post(addresses[0], {"rol": "encargado"}))

    assert mark_of(client.post(addresses[0], {"rol": "administrador", "confirmado": mark})) not in {mark, None}
    assert mark_of(client.post(addresses[1], {"rol": "encargado", "confirmado": mark})) not in {mark, None}
    assert mark_of(client.post(addresses[0], {"rol": "encargado", "confirmado": "yes"})) == mark
    assert set(Membresia.objects.filter(pk__in=[one.pk, other.pk]).values_list("rol", flat=True)) == {"cajero"}


def test_a_token_made_and_revoked_without_a_word_of_it(shop: Shop, administrador: User, since: Since) -> None:
    client, usuario = sign_in(administrador), hire(shop)
    data = {"terminal": str(shop.terminal.pk), "user": str(usuario.pk), "rol": "cajero"}
    page = client.post("/admin/tiendas/tokenterminal/add/", data).content.decode()
    row = TokenTerminal.objects.get(user=usuario)
    secret = page[page.index("blend_") :][: len("blend_") + 64]
    chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    client.post("/admin/tiendas/tokenterminal/", chosen)

    acts_ = since()
    assert [act.accion for act in acts_] == [Accion.CREAR, Accion.BORRAR]
    assert all(f"token {row.token_key}" in act.objeto and act.tienda == shop.tienda for act in acts_)
    for act in acts_:
        assert secret not in repr(vars(act))
        assert row.digest not in repr(vars(act))


def test_a_person_deactivated_and_another_password(root: Client, shop: Shop, since: Since) -> None:
    usuario = hire(shop)
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    root.post(f"/admin/auth/user/{usuario.pk}/password/", {**passwords, "password2": "otra"})
    assert since() == []
    root.post(f"/admin/auth/user/{usuario.pk}/password/", passwords)
    data = {"username": usuario.username, "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
    post_confirmed(root, f"/admin/auth/user/{usuario.pk}/change/", data)

    # Django's own log of a password changed is a change, too.
    found = [(act.accion, act.detalle.get("is_active")) for act in since()]
    assert (Accion.CLAVE, None) in found
    assert (Accion.CAMBIAR, ["True", "False"]) in found
    assert PASSWORD not in repr([vars(act) for act in since()])


def test_a_new_persons_password_is_not_on_record(root: Client, since: Since) -> None:
    data = {
        "username": f"ana-{uuid4().hex[:8]}",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert root.post("/admin/auth/user/add/", data).status_code == 302
    (act,) = since()
    assert act.accion == Accion.CREAR
    assert data["username"] in act.objeto
    assert PASSWORD not in repr(vars(act))
    assert "argon2" not in repr(vars(act))


def test_somebody_elses_admin_is_on_record_too(root: Client, since: Since) -> None:
    task = PeriodicTask.objects.filter(task="ventas.sweep").get()
    root.post("/admin/django_celery_beat/periodictask/", {"action": "disable_tasks", "_selected_action": [task.pk]})
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=True)
    (act,) = since()
    assert (act.accion, act.objeto, act.detalle["filas"]) == (
        Accion.CAMBIAR,
        "periodictask: disable_tasks",
        [str(task.pk)],
    )


def test_web_runs_no_task(root: Client, since: Since) -> None:
    """Its user of the broker may not put one there."""
    task = PeriodicTask.objects.filter(task="ventas.sweep").get()
    address = "/admin/django_celery_beat/periodictask/"
    page = root.get(address).content.decode()
    assert ('value="disable_tasks"' in page, 'value="run_tasks"' in page) == (True, False)
    root.post(address, {"action": "run_tasks", "_selected_action": [task.pk]})
    assert since() == []


def test_every_admin_of_the_site_records() -> None:
    assert [model for model, found in admin.site._registry.items() if not isinstance(found, RecordedAdmin)] == []


@pytest.mark.parametrize("way", ["page", "action"])
def test_what_did_not_happen_is_not_on_record(
    root: Client, shop: Shop, since: Since, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis could not be told: nothing is revoked, after the record was written."""
    row, _secret = give_token(hire(shop), shop)

    def away(**_arguments: Any) -> None:
        assert since(), "it was written, in this transaction"
        raise AccessUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(access_cache, "suspend", away)
        if way == "page":
            answer = root.post(f"/admin/tiendas/tokenterminal/{row.pk}/delete/", {"post": "yes"})
        else:
            chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
            answer = root.post("/admin/tiendas/tokenterminal/", chosen)

    assert answer.status_code in {500, 503}
    assert since() == []
    assert TokenTerminal.objects.filter(pk=row.pk).exists()


# --- who came in


def test_who_came_in_who_did_not_and_who_was_locked_out(shop: Shop, since: Since) -> None:
    usuario = password_of(hire(shop))
    tienda = str(shop.tienda.pk)
    enter(usuario.username, tienda_id=tienda)
    for _ in range(settings.AXES_FAILURE_LIMIT + 3):
        enter(usuario.username, "no es esta", tienda_id=tienda)

    found = since()
    assert [act.accion for act in found] == [
        Accion.ENTRADA,
        *[Accion.ENTRADA_FALLIDA] * (settings.AXES_FAILURE_LIMIT - 1),
        Accion.BLOQUEO,
    ], "nothing more once it is locked: nobody fills the table by guessing"
    assert {(act.persona_id, act.persona, act.tienda) for act in found} == {(usuario.pk, usuario.username, shop.tienda)}
    assert "no es esta" not in repr([vars(act) for act in found])


@pytest.mark.parametrize("address", ["/cuenta/login", "/admin/login/"])
def test_by_the_forms_as_well(shop: Shop, since: Since, address: str) -> None:
    usuario = password_of(hire(shop, is_staff=True))
    client = Client()
    client.post(address, {"username": usuario.username, "password": "no"})
    client.post(address, {"username": usuario.username, "password": PASSWORD})
    assert [(act.accion, act.persona, act.desde) for act in since()] == [
        (Accion.ENTRADA_FALLIDA, usuario.username, f"127.0.0.1 POST {address}"),
        (Accion.ENTRADA, usuario.username, f"127.0.0.1 POST {address}"),
    ]


def test_who_may_not_enter_the_admin_did_not_come_in(shop: Shop, since: Since) -> None:
    usuario = password_of(hire(shop))
    Client().post("/admin/login/", {"username": usuario.username, "password": PASSWORD})
    assert [act.accion for act in since()] == [Accion.ENTRADA_FALLIDA]


def test_a_right_password_that_opens_nothing_is_a_guess_like_any_other(shop: Shop, since: Since) -> None:
    usuario = password_of(hire(shop))
    statuses = [
        Client().post("/admin/login/", {"username": usuario.username, "password": PASSWORD}).status_code
        for _ in range(settings.AXES_FAILURE_LIMIT + 5)
    ]
    assert statuses == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429] * 6
    assert [act.accion for act in since()] == [Accion.ENTRADA_FALLIDA] * 9 + [Accion.BLOQUEO]


def test_a_lock_is_one_row_however_many_guess_at_once(shop: Shop, since: Since) -> None:
    usuario = password_of(hire(shop))
    tienda = str(shop.tienda.pk)

    def guess() -> None:
        try:
            enter(usuario.username, "no es esta", tienda_id=tienda)
        finally:
            connection.close()

    all_at_once([guess] * 20)

    found = [act.accion for act in since()]
    assert found[-1] == Accion.BLOQUEO
    assert found[:-1] == [Accion.ENTRADA_FALLIDA] * len(found[:-1])
    assert len(found) <= settings.AXES_FAILURE_LIMIT


def test_a_name_that_nobody_has_may_be_a_password_in_the_wrong_field(since: Since, live_db: None) -> None:
    name = f"secreto-{uuid4().hex}"
    enter(name, "x")
    assert since() == []
    AccessAttempt.objects.filter(username=name).delete()


def test_a_password_of_ones_own(shop: Shop, since: Since) -> None:
    usuario = password_of(hire(shop))
    data = {"old_password": PASSWORD, "new_password1": PASSWORD + "2", "new_password2": PASSWORD + "2"}
    assert sign_in(usuario).post("/cuenta/clave", data).status_code == 302
    assert [(act.accion, act.persona, act.objeto) for act in since()] == [
        (Accion.CLAVE, usuario.username, usuario.username)
    ]


# --- by the API, and at the command line


def test_a_cache_flushed_by_a_token(shop: Shop, since: Since) -> None:
    encargado = hire(shop, rol=Rol.ENCARGADO)
    headers = bearer(give_token(encargado, shop, rol=Rol.ENCARGADO)[1])
    assert Client().delete("/api/v1/cache/flush", headers=headers).status_code == 200
    (act,) = since()
    assert (act.accion, act.persona_id, act.tienda) == (Accion.VACIAR, encargado.pk, shop.tienda)

    cajero = bearer(give_token(hire(shop), shop)[1])
    assert Client().delete("/api/v1/cache/flush", headers=cajero).status_code == 403
    assert len(since()) == 1


def test_a_commands_operator_cannot_hide_behind_a_name(shop: Shop, since: Since) -> None:
    usuario, output = hire(shop), StringIO()
    tienda = str(shop.tienda.pk)
    call_command("create_token", tienda=tienda, usuario=usuario.username, stdout=output)
    call_command("create_token", tienda=tienda, usuario=usuario.username, por="Ana, ticket 7", stdout=output)

    unnamed, named = since()
    user = pwd.getpwuid(os.getuid()).pw_name
    assert (unnamed.persona, named.persona) == (user, "Ana, ticket 7")
    assert all(act.desde.startswith(f"manage.py create_token, {user}@") for act in (unnamed, named))
    assert all(secret not in repr([vars(unnamed), vars(named)]) for secret in output.getvalue().split())


# --- an attacker


def write_act(shop: Shop | None, **other: Any) -> Acto:
    por = acts.Actor(persona_id=None, persona=f"p-{uuid4().hex[:8]}", desde="x")
    acts.record(accion=Accion.CLAVE, por=por, tienda_id=shop.tienda.pk if shop else None, **other)
    return Acto.objects.get(persona=por.persona)


@pytest.mark.parametrize("rol", [Rol.CAJERO, Rol.ENCARGADO, None])
def test_only_an_administrador_reads_it(shop: Shop, rol: Rol | None) -> None:
    act = write_act(shop)
    client = sign_in(hire(shop, rol=rol, is_staff=True) if rol else hire(is_staff=True))
    for address in (LIST, f"{LIST}{act.pk}/change/", f"{LIST}{act.pk}/history/"):
        answer = client.get(address)
        assert answer.status_code in {302, 403, 404}
        assert act.persona not in answer.content.decode()


def test_of_ones_own_tiendas_only(shop: Shop, administrador: User, root: Client) -> None:
    own, other, nobodys = write_act(shop), write_act(open_shop()), write_act(None)
    client = sign_in(administrador)
    page = client.get(LIST).content.decode()
    assert (own.persona in page, other.persona in page, nobodys.persona in page) == (True, False, False)
    for act in (other, nobodys):
        assert client.get(f"{LIST}{act.pk}/change/").status_code == 404
        assert f'field-persona">{act.persona}' not in client.get(LIST, {"q": act.persona}).content.decode()
    everything = root.get(LIST).content.decode()
    assert all(f'field-persona">{act.persona}' in everything for act in (own, other, nobodys))


def test_it_is_filtered_by_person_tienda_and_date(shop: Shop, administrador: User, root: Client) -> None:
    other = write_act(shop)
    post_confirmed(
        sign_in(administrador),
        f"/admin/tiendas/membresia/{Membresia.objects.get(usuario=hire(shop)).pk}/change/",
        {"rol": "encargado"},
    )
    for query in (
        {"persona_id": str(administrador.pk)},
        {"tienda": str(shop.tienda.pk), "accion__exact": Accion.CAMBIAR.value},
        {"q": administrador.username},
    ):
        page = root.get(LIST, query).content.decode()
        assert f'<td class="field-persona">{administrador.username}' in page
        assert other.persona not in page
    assert other.persona not in root.get(LIST, {"fecha__lt": "2020-01-01"}).content.decode()


def test_nobody_writes_it_in_the_admin(shop: Shop, root: Client) -> None:
    act = write_act(shop)
    chosen = {"action": "delete_selected", "_selected_action": act.pk, "post": "yes"}
    root.post(LIST, chosen)
    assert root.post(f"{LIST}{act.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.post(f"{LIST}{act.pk}/change/", {"persona": "otra"}).status_code == 403
    assert root.post(f"{LIST}add/", {"persona": "otra"}).status_code == 403
    assert Acto.objects.get(pk=act.pk).persona == act.persona


def by_row(act: Acto) -> None:
    act.persona = "nadie"
    act.save()


def by_sql(statement: str) -> Callable[[Acto], None]:
    def run(act: Acto) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")

    return run


@pytest.mark.parametrize(
    "change",
    [
        by_row,
        lambda act: act.delete(),
        lambda act: Acto.objects.filter(pk=act.pk).update(persona="nadie"),
        lambda act: Acto.objects.filter(pk=act.pk).delete(),
        lambda act: Acto.objects.bulk_update([act], ["persona"]),
        by_sql("UPDATE bitacora SET razon = 'otra'"),
        by_sql("DELETE FROM bitacora"),
        by_sql("TRUNCATE bitacora"),
        by_sql("INSERT INTO bitacora SELECT * FROM bitacora ON CONFLICT (id) DO UPDATE SET persona = 'nadie'"),
    ],
)
def test_nobody_changes_it_by_the_orm_or_by_sql(shop: Shop, change: Callable[[Acto], None]) -> None:
    act = write_act(shop)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        change(act)
    assert Acto.objects.filter(pk=act.pk, persona=Acto.objects.get(pk=act.pk).persona).exists()


def test_who_is_deleted_has_still_done_it(root: Client, shop: Shop, since: Since) -> None:
    usuario = password_of(hire(shop))
    enter(usuario.username)
    root.post(f"/admin/auth/user/{usuario.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=usuario.pk).exists()
    entry, removal = since()[0], since()[-1]
    assert (entry.persona, entry.persona_id) == (usuario.username, usuario.pk)
    assert removal.accion == Accion.BORRAR
    assert removal.detalle["username"] == usuario.username
    assert "password" not in removal.detalle


def test_text_of_any_kind_is_kept_and_shown_as_text(shop: Shop, root: Client) -> None:
    act = write_act(shop, objeto="<script>alert(1)</script>\x00", razon="x" * 10_000)
    assert "<script>alert(1)" not in root.get(LIST).content.decode()
    assert (act.objeto, len(act.razon)) == ("<script>alert(1)</script>\\0", 500)
