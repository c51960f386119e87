"""HTTP in, one domain call, HTTP out."""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blend_pos import tracing
from blend_pos.tiendas.authentication import seat_of
from blend_pos.tiendas.permissions import CajeroOrAbove
from ventas import selectors
from ventas.checkout import checkout, new_deadline
from ventas.metrics import count_checkout
from ventas.models import Venta
from ventas.order_body import read_body, read_key
from ventas.orders import Answer, Order
from ventas.serializers import AnswerSerializer, CheckoutSerializer, VentaListSerializer, VentaSerializer

KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.UUID,
    OpenApiParameter.HEADER,
    description="UUID que hace el cliente, uno por venta, y guarda antes de enviar; repetirlo no vende dos veces.",
)


class CheckoutView(APIView):
    """POST ventas/checkout."""

    permission_classes = (CajeroOrAbove,)

    @extend_schema(
        operation_id="ventas_checkout",
        request=CheckoutSerializer,
        parameters=[KEY_HEADER],
        responses={
            201: AnswerSerializer,
            202: OpenApiResponse(
                AnswerSerializer, description="Aún no se sabe si quedó: seguirla con GET ventas/{id}."
            ),
            409: OpenApiResponse(description="Un precio cambió; nada quedó reservado."),
            422: OpenApiResponse(description="La clave ya es de otra venta."),
        },
    )
    def post(self, request: Request) -> Response:
        """Sell a cart."""
        meta = request.META
        arrival = meta.get("blend.arrival") or time.monotonic()
        body = read_body(request.data)
        key = read_key(meta.get("HTTP_IDEMPOTENCY_KEY"))
        seat = seat_of(request)
        order = Order(
            tienda_id=seat.tienda_id,
            cajero_id=seat.usuario_id,
            terminal_id=seat.terminal_id,
            venta_id=key or uuid4(),
            client_key=key is not None,
            metodo_pago=body.metodo_pago,
            lines=body.lines,
            fecha=datetime.now(ZoneInfo(seat.zona_horaria)),
            deadline=new_deadline(arrival=arrival),
            pagos=body.pagos,
            vendida=body.vendida,
        )
        with tracing.span("checkout", since=arrival, venta_id=order.venta_id, tienda_id=order.tienda_id) as span:
            answer = checkout(order=order)
            span.note(lineas=len(order.lines), outcome="taken" if answer.promised else "followed")
        return Response(_answer_body(answer), status=201 if answer.promised else 202)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """DRF's; every answer comes by here, a refusal too, and is counted."""
        arrival = request.META.get("blend.arrival")
        if arrival is not None:
            count_checkout(status=response.status_code, seconds=time.monotonic() - arrival)
        return super().finalize_response(request, response, *args, **kwargs)


def _answer_body(answer: Answer) -> dict[str, Any]:
    if not answer.promised:
        mensaje = _("⏳ Venta por confirmar - consulta su estado")
    elif answer.estado == "PERSISTIDA":
        mensaje = _("✅ Venta ya registrada")
    else:
        mensaje = _("✅ Venta reservada - procesando en segundo plano")
    return {
        "venta_id": answer.venta_id,
        "estado": answer.estado,
        "fecha": answer.fecha,
        "total": None if answer.total_centavos is None else answer.total_centavos / 100,
        "metodo_pago": answer.metodo_pago,
        "cantidad_items": answer.cantidad_items,
        "mensaje": mensaje,
    }


class VentaView(APIView):
    """GET ventas/{id}."""

    permission_classes = (CajeroOrAbove,)

    @extend_schema(operation_id="ventas_detalle", responses=VentaSerializer)
    def get(self, request: Request, venta_id: UUID) -> Response:
        """Where a sale is: RESERVADA, PERSISTIDA, FALLIDA or ANULADA. A 404 means that it is nowhere: send it again."""
        sale = selectors.follow_sale(tienda_id=seat_of(request).tienda_id, venta_id=venta_id)
        if sale is None:
            raise Http404
        return Response(VentaSerializer(sale).data)


class VentaPagination(CursorPagination):
    """Newest first; a page stays what it was while sales come in."""

    ordering = ("-fecha", "-id")
    page_size = 50
    max_page_size = 500
    page_size_query_param = "limite"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """DRF's; a position that is no moment is a page that does not exist."""
        cursor = super().decode_cursor(request)
        if cursor is None or cursor.position is None:
            return cursor
        try:
            moment = datetime.fromisoformat(str(cursor.position)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Http404 from error
        return cursor._replace(position=str(moment))  # type: ignore[arg-type] # the stubs say a number


class VentaListView(ListAPIView[Venta]):
    """GET ventas."""

    permission_classes = (CajeroOrAbove,)
    serializer_class = VentaListSerializer
    pagination_class = VentaPagination
    queryset = Venta.objects.none()

    def get_queryset(self) -> Any:
        """The tienda's written sales."""
        return selectors.sales_of(tienda_id=seat_of(self.request).tienda_id)
