"""POST ventas/{id}/cierre: close a sale that was refused, for good."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blend_pos.json_io import dumps
from blend_pos.tiendas import acts
from blend_pos.tiendas.access import Seat
from blend_pos.tiendas.authentication import seat_of
from blend_pos.tiendas.models import ROLE_ORDER, Accion, Rol
from blend_pos.tiendas.permissions import CajeroOrAbove, EncargadoOrAbove
from blend_pos.tiendas.selectors import roles_of
from blend_pos.tiendas.sign_in import check_password
from ventas.closing import Closure, close_refused, close_unreadable
from ventas.order_body import read_body
from ventas.orders import Order
from ventas.serializers import ClosedSerializer, ClosingSerializer, ClosureSerializer

OWN_FIELDS = ("rechazo", "razon", "supervisor")


class ClosingView(APIView):
    """POST ventas/{id}/cierre."""

    permission_classes = (CajeroOrAbove,)

    @extend_schema(
        operation_id="ventas_cierre",
        request=ClosingSerializer,
        responses={
            200: ClosedSerializer,
            409: OpenApiResponse(description=_("La venta existe o está en camino: no hay nada que cerrar.")),
            429: OpenApiResponse(description=_("Demasiados intentos de esa persona en esa tienda.")),
        },
    )
    def post(self, request: Request, venta_id: UUID) -> Response:
        """Close a sale that was refused and never taken. A supervisor's: the session's own, or by name and password."""
        asked = ClosureSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = asked.validated_data
        cart = {name: value for name, value in dict(request.data).items() if name not in OWN_FIELDS}
        seat = seat_of(request)
        supervisor_id, supervisor = _supervisor(request, seat, found.get("supervisor"))
        rechazo = found["rechazo"]
        closure = Closure(supervisor_id, found["razon"], f"{rechazo['codigo']}: {rechazo['mensaje']}")
        with transaction.atomic():
            razon = _close(seat, venta_id, cart, closure)
            por = acts.Actor(persona_id=supervisor_id, persona=supervisor, desde=acts.place_of(request))
            told = {"rechazo": rechazo["codigo"], "cajero": seat.usuario_id, "terminal": str(seat.terminal_id)}
            acts.record(
                accion=Accion.CIERRE,
                por=por,
                tienda_id=seat.tienda_id,
                objeto=f"venta {venta_id}",
                razon=found["razon"],  # theirs, also where an earlier one is kept
                detalle=told,
            )
        return Response({"venta_id": venta_id, "estado": "ANULADA", "razon": razon})


def _close(seat: Seat, venta_id: UUID, cart: dict[str, Any], closure: Closure) -> str:
    """As a sale; as text where the cart is the very thing that the server refused. The reason that is kept."""
    now = datetime.now(ZoneInfo(seat.zona_horaria))
    try:
        body = read_body(cart)
    except ValidationError:
        return close_unreadable(
            tienda_id=seat.tienda_id, venta_id=venta_id, cuerpo=dumps(cart).decode(), closure=closure, now=now
        )
    return close_refused(
        order=Order(
            tienda_id=seat.tienda_id,
            cajero_id=seat.usuario_id,
            terminal_id=seat.terminal_id,
            venta_id=venta_id,
            client_key=True,
            metodo_pago=body.metodo_pago,
            lines=body.lines,
            fecha=now,
            deadline=0,
            pagos=body.pagos,
            vendida=body.vendida,
        ),
        closure=closure,
    )


def _supervisor(request: Request, seat: Seat, named: dict[str, Any] | None) -> tuple[int, str]:
    """Who answers for it. Raises PermissionDenied, WrongCredentials, LockedOut."""
    if named is None:
        if not seat.allows(Rol.ENCARGADO):
            raise PermissionDenied(EncargadoOrAbove.message, code=EncargadoOrAbove.code)
        return seat.usuario_id, seat.username
    user = check_password(
        request=request,
        username=named["usuario"],
        password=named["clave"],
        tienda_id=str(seat.tienda_id),
        may=partial(_supervises, tienda_id=seat.tienda_id),
    )
    return user.pk, user.get_username()


def _supervises(usuario: User, *, tienda_id: UUID) -> bool:
    rol = roles_of(usuario=usuario).get(tienda_id)
    return rol is not None and ROLE_ORDER[rol] >= ROLE_ORDER[Rol.ENCARGADO]
