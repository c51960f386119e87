"""The project's addresses, and a few views that show who asks and fail in every way."""

from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from redis.exceptions import ConnectionError as RedisConnectionError
from rest_framework import serializers
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blend_pos import urls
from blend_pos.tiendas.authentication import seat_of
from blend_pos.tiendas.permissions import AdministradorOnly, EncargadoOrAbove

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


class WhoView(APIView):
    """Who asks; a POST gives back what it got."""

    def get(self, request: Request) -> Response:
        seat = seat_of(request)
        return Response(
            {
                "usuario": request.user.get_username(),
                "tienda": seat.tienda_id,
                "terminal": seat.terminal_id,
                "rol": seat.rol,
                "kind": seat.kind,
            }
        )

    def post(self, request: Request) -> Response:
        return Response({"recibido": request.data})


class EncargadoView(WhoView):
    permission_classes = (EncargadoOrAbove,)


class AdministradorView(WhoView):
    permission_classes = (AdministradorOnly,)


class Body(serializers.Serializer[Any]):
    cantidad = serializers.IntegerField()


def _validate() -> None:
    Body(data={"cantidad": "x"}).is_valid(raise_exception=True)


FAILURES: dict[str, BaseException] = {
    "http404": Http404("secreto"),
    "not_found": NotFound(),
    "permission_denied": PermissionDenied("secreto"),
    "suspicious": SuspiciousOperation("secreto"),
    "throttled": Throttled(wait=3),
    "postgresql": OperationalError("secreto"),
    "redis": RedisConnectionError("secreto"),
    "bug": ZeroDivisionError("secreto"),
}


class FailingView(APIView):
    def get(self, _request: Request, failure: str) -> Response:
        if failure == "validation":
            _validate()
        raise FAILURES[failure]


def fail_outside(request: HttpRequest, failure: str) -> HttpResponse:
    """A view that is not DRF's."""
    raise FAILURES[failure]


urlpatterns = [
    path("api/v1/quien", WhoView.as_view()),
    path("api/v1/encargado", EncargadoView.as_view()),
    path("api/v1/administrador", AdministradorView.as_view()),
    path("api/v1/falla/<failure>", FailingView.as_view()),
    path("api/v1/fuera/<failure>", fail_outside),
    path("fuera/<failure>", fail_outside),
    *urls.urlpatterns,
]
