"""HTTP in, one domain call, HTTP out."""

import time
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from blend_pos.tiendas import acts
from blend_pos.tiendas.authentication import seat_of
from blend_pos.tiendas.models import Accion
from blend_pos.tiendas.permissions import CajeroOrAbove, EncargadoOrAbove
from cache_stock import figures, products, warmup
from cache_stock.serializers import (
    FlushSerializer,
    LiveStockQuerySerializer,
    LiveStockSerializer,
    ProductPageSerializer,
    ProductQuerySerializer,
    ProductSerializer,
    StatsSerializer,
    WarmupSerializer,
    product_body,
    write_since,
)


class WarmupView(APIView):
    """POST cache/warmup."""

    permission_classes = (EncargadoOrAbove,)

    @extend_schema(operation_id="cache_warmup", request=None, responses=WarmupSerializer)
    def post(self, request: Request) -> Response:
        """Carry every product of the tienda to Redis. At any moment; it touches no sale."""
        tienda_id = seat_of(request).tienda_id
        acts.record(accion=Accion.CALENTAR, por=acts.actor_of(request), tienda_id=tienda_id)
        report = warmup.warm_tienda(tienda_id=tienda_id, now_ms=int(time.time() * 1000))
        count = report.productos_cacheados
        mensaje = _("✅ Cache calentado: %(count)d productos en Redis") % {"count": count}
        return Response({"productos_cacheados": count, "mensaje": mensaje})


class StatsView(APIView):
    """GET cache/stats."""

    permission_classes = (EncargadoOrAbove,)

    @extend_schema(operation_id="cache_stats", responses=StatsSerializer)
    def get(self, request: Request) -> Response:
        """How warm the tienda is, and how often a sale found what it looked for."""
        stats = figures.read_stats(tienda_id=seat_of(request).tienda_id)
        return Response(
            {
                "total_keys": stats.total_keys,
                "memoria_usada_mb": stats.memory_mb,
                "hits": stats.hits,
                "misses": stats.misses,
                "hit_rate": stats.hit_rate,
            }
        )


class FlushView(APIView):
    """DELETE cache/flush."""

    permission_classes = (EncargadoOrAbove,)

    @extend_schema(operation_id="cache_flush", request=None, responses={200: FlushSerializer})
    def delete(self, request: Request) -> Response:
        """Forget what is warm: until the next warmup a sale answers 503. What is held stays held."""
        tienda_id = seat_of(request).tienda_id
        acts.record(accion=Accion.VACIAR, por=acts.actor_of(request), tienda_id=tienda_id)
        count = warmup.flush_tienda(tienda_id=tienda_id)
        mensaje = _("✅ Cache limpiado: %(count)d productos removidos") % {"count": count}
        return Response({"keys_eliminadas": count, "mensaje": mensaje})


class ProductListView(APIView):
    """GET productos."""

    permission_classes = (CajeroOrAbove,)

    @extend_schema(
        operation_id="productos_lista",
        parameters=[ProductQuerySerializer],
        responses={
            200: OpenApiResponse(
                ProductPageSerializer,
                description=_(
                    "Sin `desde`: los productos que se venden y coinciden. Con `desde`: lo que cambió, para la copia "
                    "de una caja; se sigue `next` mientras haya, y se guarda el último `hasta` para la próxima vez."
                ),
            )
        },
    )
    def get(self, request: Request) -> Response:
        """Search products, or ask what changed."""
        query = ProductQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        tienda_id = seat_of(request).tienda_id
        url = request.build_absolute_uri()
        if "desde" in asked:
            changed = products.changes(tienda_id=tienda_id, since=asked["desde"], most=asked["limite"])
            return Response(_changes_body(changed, url))
        page = products.search(tienda_id=tienda_id, text=asked["q"], page=asked["pagina"], most=asked["limite"])
        return Response(_search_body(page, url, asked["pagina"], asked["limite"]))


def _changes_body(page: products.ChangesPage, url: str) -> dict[str, Any]:
    hasta = write_since(page.since)
    return {
        "count": None,
        "next": replace_query_param(url, "desde", hasta) if page.more else None,
        "previous": None,
        "hasta": hasta,
        "results": [product_body(product) for product in page.products],
    }


def _search_body(page: products.SearchPage, url: str, number: int, most: int) -> dict[str, Any]:
    following = replace_query_param(url, "pagina", number + 1) if number * most < page.count else None
    previous = replace_query_param(url, "pagina", number - 1) if number > 1 else None
    return {
        "count": page.count,
        "next": following,
        "previous": previous,
        "hasta": None,
        "results": [product_body(product) for product in page.products],
    }


class LiveStockView(APIView):
    """GET productos/disponible."""

    permission_classes = (CajeroOrAbove,)

    @extend_schema(
        operation_id="productos_disponible", parameters=[LiveStockQuerySerializer], responses=LiveStockSerializer
    )
    def get(self, request: Request) -> Response:
        """What can be sold now of each product (`id`, again for each): one read from Redis."""
        query = LiveStockQuerySerializer(data={"id": request.query_params.getlist("id")})
        query.is_valid(raise_exception=True)
        productos = list(dict.fromkeys(query.validated_data["id"]))
        found = products.live(tienda_id=seat_of(request).tienda_id, productos=productos)
        return Response(
            {"disponible": {producto: None if milli is None else milli / 1000 for producto, milli in found.items()}}
        )


class ProductView(APIView):
    """GET productos/{id}."""

    permission_classes = (CajeroOrAbove,)

    @extend_schema(operation_id="productos_detalle", responses=ProductSerializer)
    def get(self, request: Request, producto_id: UUID) -> Response:
        """One product, sold or not."""
        product = products.find_product(tienda_id=seat_of(request).tienda_id, producto_id=producto_id)
        if product is None:
            raise Http404
        return Response(product_body(product))
