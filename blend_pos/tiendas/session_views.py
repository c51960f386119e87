"""/api/v1/sesion: who is signed in, and where they may work; sign in, sign out. For the till."""

from typing import Any

from django.contrib.auth import get_user, login, logout
from django.contrib.auth.models import User
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blend_pos.tiendas.authentication import SessionAccess
from blend_pos.tiendas.selectors import workplaces
from blend_pos.tiendas.session_serializers import SessionSerializer, SignInSerializer
from blend_pos.tiendas.sign_in import check_password, record_entry

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SessionView(APIView):
    """GET, POST, DELETE sesion."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="sesion", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in; nobody is an answer, too. Brings the cookie of the CSRF token."""
        get_token(request)
        user = get_user(request)
        return Response(_session_body(user if isinstance(user, User) else None))

    @extend_schema(
        operation_id="sesion_entrar",
        request=SignInSerializer,
        responses={
            200: SessionSerializer,
            401: OpenApiResponse(description=_("El nombre o la contraseña no son correctos.")),
            429: OpenApiResponse(description=_("Demasiados intentos de esa persona en esa tienda.")),
        },
    )
    def post(self, request: Request) -> Response:
        """Sign in."""
        SessionAccess().enforce_csrf(request)
        asked = SignInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = asked.validated_data
        tienda_id = found.get("tienda_id")
        user = check_password(
            request=request,
            username=found["usuario"],
            password=found["clave"],
            tienda_id=str(tienda_id) if tienda_id else None,
        )
        login(request, user, backend=BACKEND)
        record_entry(request=request, user=user)
        return Response(_session_body(user))

    @extend_schema(operation_id="sesion_salir", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out; what the session opened in the API is closed at once."""
        SessionAccess().enforce_csrf(request)
        logout(request)
        return Response(status=204)


def _session_body(user: User | None) -> dict[str, Any]:
    return {
        "usuario": None if user is None else {"id": user.pk, "nombre": user.get_username()},
        "tiendas": [] if user is None else workplaces(usuario=user),
        "hora": timezone.localtime(),
    }
