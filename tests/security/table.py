"""Who gets what at each address. A row a method; an address, a method or an action without one fails test_table.py."""

from dataclasses import dataclass

# --- The API: by token and by session alike. Statuses of: nobody, cajero, encargado, administrador.
EVERYBODY, PEOPLE = "200 200 200 200", "401 200 200 200"


@dataclass(frozen=True, slots=True)
class Api:
    """`{venta}`, `{producto}` and `{otro}` stand for a sale and a product of one's own, and a product of the other's.

    `foreign`: what the same answers of the other tienda's sale or product; None where it names neither.
    `seated`: it asks for a seat, and so for a tienda that is one's own.
    """

    path: str
    method: str
    own: str = PEOPLE
    foreign: str | None = None
    body: str | None = None
    seated: bool = True


CART = '{"items": [{"producto_id": "%s", "cantidad": 1}], "metodo_pago": "EFECTIVO"}'
CLOSURE = (
    '{"items": [{"producto_id": "{producto}", "cantidad": 1}], "metodo_pago": "EFECTIVO", "razon": "Se fue.", '
    '"rechazo": {"codigo": "x", "mensaje": "y"}}'
)
API: dict[str, list[Api]] = {
    "api/v1/sesion": [
        Api("sesion", "GET", EVERYBODY, seated=False),
        Api("sesion", "POST", "401 401 401 401", body='{"usuario": "nadie", "clave": "x"}', seated=False),
        Api("sesion", "DELETE", "204 204 204 204", seated=False),
    ],
    "api/v1/schema": [Api("schema", "GET", EVERYBODY, seated=False)],
    "api/v1/docs": [Api("docs", "GET", EVERYBODY, seated=False)],
    "api/v1/ventas/checkout": [
        Api("ventas/checkout", "POST", "401 201 201 201", body=CART % "{producto}"),
        Api("ventas/checkout", "POST", "401 404 404 404", body=CART % "{otro}"),
    ],
    "api/v1/ventas/<uuid:venta_id>": [Api("ventas/{venta}", "GET", foreign="401 404 404 404")],
    "api/v1/ventas/<uuid:venta_id>/cierre": [Api("ventas/{nueva}/cierre", "POST", "401 403 200 200", body=CLOSURE)],
    "api/v1/ventas": [Api("ventas", "GET")],
    "api/v1/cache/warmup": [Api("cache/warmup", "POST", "401 403 200 200")],
    "api/v1/cache/stats": [Api("cache/stats", "GET", "401 403 200 200")],
    "api/v1/cache/flush": [Api("cache/flush", "DELETE", "401 403 200 200")],
    "api/v1/productos": [Api("productos", "GET")],
    "api/v1/productos/disponible": [Api("productos/disponible?id={producto}", "GET")],
    "api/v1/productos/<uuid:producto_id>": [Api("productos/{producto}", "GET", foreign="401 404 404 404")],
}

# --- Pages outside the admin, by session: nobody, a person who is signed in. A function is not asked by a method.
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "": ("/", {"GET": "302 302", "POST": "302 302"}),
    "caja": ("/caja", {"GET": "302 302"}),
    "caja/": ("/caja/", {"GET": "200 200", "POST": "405 405"}),
    "caja/sw.js": ("/caja/sw.js", {"GET": "200 200", "POST": "405 405"}),
    "cuenta/": ("/cuenta/", {"GET": "302 200"}),
    "cuenta/login": ("/cuenta/login", {"GET": "200 200", "POST": "200 200"}),
    "cuenta/logout": ("/cuenta/logout", {"POST": "302 302"}),
    "cuenta/clave": ("/cuenta/clave", {"GET": "302 200", "POST": "302 200"}),
    "metrics": ("/metrics", {"GET": "200 200", "POST": "405 405"}),  # from this machine; test_metrics.py has the rest
    "^api/": ("/api/v2/nada", {"GET": "404 404", "POST": "404 404"}),
}

# --- The admin, by session of a member of staff: nobody, cajero, encargado, administrador, superuser.
STAFF, ROOT, NOBODY = "302 200 200 200 200", "302 403 403 403 200", "302 403 403 403 403"
ENCARGADO, ADMINISTRADOR = "302 403 200 200 200", "302 403 403 200 200"
HISTORY_ENCARGADO, HISTORY_ADMINISTRADOR = "302 404 200 200 200", "302 404 404 200 200"


@dataclass(frozen=True, slots=True)
class Model:
    """Its pages; `change` is a POST to the page that `look` shows. `actions`: what each role may do to many rows."""

    rows: str  # the list, and its POST
    look: str
    change: str
    add: str
    delete: str
    history: str
    actions: str = "- - - - -"


def root_only(**other: str) -> Model:
    """What only a superuser sees."""
    same = dict.fromkeys(("rows", "look", "change", "add", "delete", "history"), ROOT)
    return Model(**{**same, "actions": "- - - - delete_selected", **other})


def written(**other: str) -> Model:
    """What the pipeline writes: to read, from an encargado on."""
    same = {"rows": ENCARGADO, "look": ENCARGADO, "history": HISTORY_ENCARGADO}
    return Model(**{**same, "change": NOBODY, "add": NOBODY, "delete": NOBODY, **other})


MODELS: dict[str, Model] = {
    "tiendas_tienda": Model(ENCARGADO, ENCARGADO, ADMINISTRADOR, ROOT, NOBODY, HISTORY_ENCARGADO),
    "tiendas_terminal": Model(ENCARGADO, ENCARGADO, ADMINISTRADOR, ADMINISTRADOR, NOBODY, HISTORY_ENCARGADO),
    "tiendas_membresia": Model(
        *(ADMINISTRADOR, ADMINISTRADOR, ADMINISTRADOR, ADMINISTRADOR, ADMINISTRADOR),
        HISTORY_ADMINISTRADOR,
        "- - - delete_selected delete_selected",
    ),
    "tiendas_tokenterminal": Model(
        ADMINISTRADOR,
        ADMINISTRADOR,
        NOBODY,
        ADMINISTRADOR,
        ADMINISTRADOR,
        HISTORY_ADMINISTRADOR,
        "- - - delete_selected delete_selected",
    ),
    "inventario_producto": Model(ENCARGADO, ENCARGADO, ADMINISTRADOR, ADMINISTRADOR, NOBODY, HISTORY_ENCARGADO),
    "inventario_inventoryledger": written(),
    "ventas_venta": written(),
    "ventas_ventafallida": written(actions="- - reintentar reintentar,descartar reintentar,descartar"),
    "tiendas_acto": written(rows=ADMINISTRADOR, look=ADMINISTRADOR, history=HISTORY_ADMINISTRADOR),
    "auth_user": root_only(),
    "auth_group": root_only(),
    "axes_accessattempt": root_only(add=NOBODY, actions="- - - - delete_selected,cleanup_expired_attempts"),
    "axes_accesslog": root_only(add=NOBODY),
    "axes_accessfailurelog": root_only(add=NOBODY),
    "django_celery_beat_periodictask": root_only(
        actions="- - - - delete_selected,enable_tasks,disable_tasks,toggle_tasks"
    ),
    "django_celery_beat_clockedschedule": root_only(),
    "django_celery_beat_crontabschedule": root_only(),
    "django_celery_beat_solarschedule": root_only(),
    "django_celery_beat_intervalschedule": root_only(),
}

# Addresses of the admin that are no model's usual ones: the path, and GET and POST of one's own and of the other's.
FAILED = "admin/ventas/ventafallida/{}/confirmar/?id={ventas_ventafallida}"
OTHERS: dict[str, list[tuple[str, str, str, str | None]]] = {
    "admin/": [("admin/", STAFF, STAFF, None)],
    "admin/login/": [("admin/login/", "200 302 302 302 302", "200 200 200 200 200", None)],
    "admin/logout/": [("admin/logout/", "302 405 405 405 405", "", None)],  # its POST: test_pages.py
    "admin/password_change/": [("admin/password_change/", "302 302 302 302 302", "302 302 302 302 302", None)],
    "admin/password_change/done/": [("admin/password_change/done/", STAFF, "302 405 405 405 405", None)],
    "admin/autocomplete/": [("admin/autocomplete/", NOBODY, "302 405 405 405 405", None)],
    "admin/jsi18n/": [("admin/jsi18n/", STAFF, "302 405 405 405 405", None)],
    "admin/r/<path:content_type_id>/<path:object_id>/": [
        ("admin/r/1/1/", "302 404 404 404 404", "302 404 404 404 404", None)
    ],
    "admin/auth/user/<id>/password/": [("admin/auth/user/{auth_user}/password/", ROOT, ROOT, None)],
    "admin/inventario/inventoryledger/exportar/": [
        ("admin/inventario/inventoryledger/exportar/", ENCARGADO, ENCARGADO, None)
    ],
    "admin/inventario/producto/<uuid:producto_id>/movimiento/": [
        (
            "admin/inventario/producto/{inventario_producto}/movimiento/",
            "302 404 200 200 200",
            "302 404 200 200 200",
            "302 404 404 404 200",
        )
    ],
    "admin/ventas/ventafallida/<str:accion>/confirmar/": [
        # It is one that cannot be read: whoever may try sales again is sent back to the list.
        (FAILED.replace("{}", "reintentar"), "302 404 302 302 302", "", "302 404 404 404 302"),
        (FAILED.replace("{}", "descartar"), "302 404 403 200 200", "302 404 403 200 200", "302 404 404 404 200"),
    ],
    "admin/^(?P<app_label>auth|django_celery_beat|axes|tiendas|inventario|ventas)/$": [
        ("admin/ventas/", "302 404 200 200 200", "302 404 200 200 200", None),
        ("admin/auth/", "302 404 404 404 200", "302 404 404 404 200", None),
    ],
    "admin/(?P<url>.*)$": [("admin/nada", "302 404 404 404 404", "302 404 404 404 404", None)],
}
