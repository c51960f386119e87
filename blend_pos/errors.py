"""Every error of the API, in one shape: {"codigo", "mensaje", "detalles"}.

`codigo` is for programs and does not change; `mensaje` is for people, in their language; `detalles` is an object or a
list: the fields that are wrong, the products that are short.

A domain error becomes an answer by one row of DOMAIN_ERRORS. It may carry `detalles` and `retry_after_s`.
"""

import logging
import sys
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from blend_pos.addresses import API_PREFIX
from blend_pos.json_io import MEDIA_TYPE, dumps
from blend_pos.telling import describe
from blend_pos.tiendas.access import TerminalUnknown, TiendaNotNamed, TiendaUnknown, WithoutTienda
from blend_pos.tiendas.access_cache import AccessUnavailable
from blend_pos.tiendas.guesses import TooManyGuesses
from blend_pos.tiendas.sign_in import LockedOut, WrongCredentials
from cache_stock.carrying import ColdStartNeeded
from cache_stock.scripts import StockError
from ventas import failed_sales, refusals
from ventas.closing import VentaExiste

logger = logging.getLogger(__name__)

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error is answered. `mensaje` None: the error's own text. `retry_after_s` where the error has none."""

    status: int
    codigo: str
    mensaje: Text | None = None
    retry_after_s: int | None = None


# A subclass is answered as its nearest ancestor that has a row.
DOMAIN_ERRORS: dict[type[BaseException], Answer] = {
    TiendaNotNamed: Answer(400, "tienda_sin_nombrar"),
    WithoutTienda: Answer(403, "sin_tienda"),
    TiendaUnknown: Answer(404, "tienda_no_existe"),
    TerminalUnknown: Answer(404, "terminal_no_existe"),
    WrongCredentials: Answer(401, "credenciales_invalidas", _("El nombre o la contraseña no son correctos.")),
    LockedOut: Answer(
        429, "cuenta_bloqueada", _("Demasiados intentos. Espera un cuarto de hora o pide ayuda a quien administra.")
    ),
    TooManyGuesses: Answer(
        429, "demasiados_tokens", _("Desde aquí llegaron demasiados tokens que no valen. Espera un minuto.")
    ),
    AccessUnavailable: Answer(
        503, "acceso_no_disponible", _("Ahora no se puede saber quién pide. Repite la petición.")
    ),
    refusals.StockInsuficiente: Answer(400, "stock_insuficiente", _("No alcanza el stock de algunos productos.")),
    refusals.TotalDemasiadoGrande: Answer(400, "total_demasiado_grande", _("El total pasa del máximo de una venta.")),
    refusals.ProductoNoExiste: Answer(404, "producto_no_existe", _("Hay productos que no existen o no se venden.")),
    refusals.PrecioCambiado: Answer(409, "precio_cambiado", _("Cambió el precio de algunos productos.")),
    refusals.ClaveReutilizada: Answer(422, "clave_reutilizada", _("Esa Idempotency-Key ya es de otra venta.")),
    refusals.VentaAnulada: Answer(422, "venta_anulada", _("Esa venta se anuló. Para vender otra vez usa otra clave.")),
    refusals.SinArmar: Answer(503, "arranque_en_frio", _("El stock se está recargando. Repite en unos segundos.")),
    refusals.CacheFrio: Answer(
        503, "cache_frio", _("El stock no está en memoria y se está cargando. Repite la venta.")
    ),
    refusals.DemasiadasReservas: Answer(
        503, "demasiadas_reservas", _("Hay demasiadas ventas en cola. Repite la venta.")
    ),
    refusals.StockNoDisponible: Answer(503, "stock_no_disponible", _("El stock no responde. Repite la venta.")),
    refusals.ColaNoDisponible: Answer(503, "cola_no_disponible", _("La cola no aceptó la venta. Repítela.")),
    refusals.BaseNoDisponible: Answer(503, "base_no_disponible", _("La base de datos no responde. Repite la venta.")),
    VentaExiste: Answer(409, "venta_existe", _("Esa venta existe o está en camino: no hay nada que cerrar.")),
    failed_sales.FailedSaleError: Answer(409, "venta_fallida_no_cambia"),
    ColdStartNeeded: Answer(503, "arranque_en_frio", _("El stock se está recargando. Repite en unos segundos.")),
    StockError: Answer(503, "stock_no_disponible", _("El stock no responde. Repite la petición."), 2),
    OperationalError: Answer(503, "base_no_disponible", _("La base de datos no responde. Repite la petición."), 5),
    InterfaceError: Answer(503, "base_no_disponible", _("La base de datos no responde. Repite la petición."), 5),
    RedisError: Answer(503, "redis_no_disponible", _("Redis no responde. Repite la petición."), 2),
    UnreadablePostError: Answer(400, "cuerpo_incompleto", _("El cuerpo no llegó entero.")),
    SuspiciousOperation: Answer(400, "peticion_rechazada", _("La petición no es válida.")),
    Http404: Answer(404, "no_existe", _("No existe.")),
    PermissionDenied: Answer(403, "sin_permiso", _("No tienes permiso para hacer esto.")),
}
INTERNAL_ERROR = Answer(500, "error_interno", _("Algo falló en el servidor. Ya quedó anotado."))

# DRF's own, by its code; a refusal that brings a code and a text of its own keeps them.
FRAMEWORK_ERRORS: dict[str, Answer] = {
    "invalid": Answer(400, "datos_invalidos", _("Los datos enviados no son válidos.")),
    "parse_error": Answer(400, "cuerpo_ilegible"),
    "not_authenticated": Answer(
        401,
        "no_autenticado",
        _("Falta identificarse: envía la cabecera «Authorization: Bearer <token>» con el token de la terminal."),
    ),
    "authentication_failed": Answer(401, "credenciales_invalidas"),
    "permission_denied": Answer(403, "sin_permiso"),
    "not_found": Answer(404, "no_existe", _("No existe.")),
    "method_not_allowed": Answer(405, "metodo_no_permitido"),
    "not_acceptable": Answer(406, "formato_no_aceptado", _("La respuesta solo existe como application/json.")),
    "unsupported_media_type": Answer(415, "tipo_no_soportado", _("El cuerpo tiene que ser application/json.")),
    "throttled": Answer(429, "demasiadas_peticiones"),
}


def error_body(*, codigo: str, mensaje: Text, detalles: Any = None) -> dict[str, Any]:
    """The one shape."""
    return {"codigo": codigo, "mensaje": str(mensaje), "detalles": {} if detalles is None else detalles}


def find_answer(error: BaseException | None) -> Answer | None:
    """The row of a domain error, or of its nearest ancestor."""
    for ancestor in type(error).__mro__:
        if ancestor in DOMAIN_ERRORS:
            return DOMAIN_ERRORS[ancestor]
    return None


def answer_api_error(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: whatever a view raises, in the one shape."""
    set_rollback()
    if isinstance(error, exceptions.APIException):
        return _answer_framework_error(error)
    answer = find_answer(error)
    if answer is None:
        logger.error("unhandled error in %s", _name_of(context), exc_info=error)
        answer = INTERNAL_ERROR
    elif answer.status >= INTERNAL_ERROR.status:
        logger.warning("%s in %s: %s", answer.codigo, _name_of(context), describe(error))
    body = error_body(
        codigo=answer.codigo,
        mensaje=str(error) if answer.mensaje is None else answer.mensaje,
        detalles=getattr(error, "detalles", None),
    )
    return Response(body, status=answer.status, headers=_retry_after(error, answer))


def _answer_framework_error(error: exceptions.APIException) -> Response:
    answer = FRAMEWORK_ERRORS.get(error.default_code) or Answer(error.status_code, error.default_code)
    codigo, mensaje = answer.codigo, answer.mensaje
    detalles: Any = {}
    if isinstance(error.detail, (dict, list)):
        detalles = error.detail
    elif error.detail.code not in (None, error.default_code):
        codigo, mensaje = str(error.detail.code), error.detail
    elif mensaje is None:
        mensaje = error.detail
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined] # set by APIView on a 401
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(error.wait)  # type: ignore[attr-defined] # of Throttled
    return Response(
        error_body(codigo=codigo, mensaje=mensaje or codigo, detalles=detalles), error.status_code, headers=headers
    )


def _retry_after(error: BaseException | None, answer: Answer) -> dict[str, str]:
    seconds = getattr(error, "retry_after_s", answer.retry_after_s)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _name_of(context: dict[str, Any]) -> str:
    return type(context.get("view")).__name__


def _django_answer(answer: Answer, error: BaseException | None = None) -> HttpResponse:
    body = error_body(codigo=answer.codigo, mensaje=answer.mensaje or str(error))
    return HttpResponse(dumps(body), status=answer.status, content_type=MEDIA_TYPE, headers=_retry_after(error, answer))


@csrf_exempt  # nothing is there to protect, and its answer is to be a 404
def unknown_address(request: HttpRequest) -> HttpResponse:
    """Whatever no other address under /api/ matches."""
    return _django_answer(Answer(404, "direccion_no_existe", _("No existe esa dirección.")))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 400: what is refused before a view is reached."""
    if request.path.startswith(API_PREFIX):
        return _django_answer(DOMAIN_ERRORS[SuspiciousOperation])
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 403."""
    if request.path.startswith(API_PREFIX):
        return _django_answer(DOMAIN_ERRORS[PermissionDenied])
    return defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: a form without its token; its own page would bring styles that our policy forbids."""
    mensaje = _("La página caducó: vuelve atrás, recárgala y repite.")
    if request.path.startswith(API_PREFIX):
        return _django_answer(Answer(403, "csrf", mensaje))
    return HttpResponse(str(mensaje), status=403, content_type="text/plain; charset=utf-8")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 404."""
    if request.path.startswith(API_PREFIX):
        return _django_answer(DOMAIN_ERRORS[Http404])
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's 500, called while the error is being handled: a server that is away is a 503, on a page too."""
    error = sys.exception()
    answer = find_answer(error)
    if request.path.startswith(API_PREFIX):
        return _django_answer(answer or INTERNAL_ERROR, error)
    if answer is None:
        return defaults.server_error(request)
    mensaje = str(answer.mensaje or error)
    headers = _retry_after(error, answer)
    return HttpResponse(mensaje, status=answer.status, content_type="text/plain; charset=utf-8", headers=headers)
