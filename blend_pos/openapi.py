"""How the API is described: its error shape, its two ways in, and the headers that choose a tienda."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[dict[str, Any]]):
    """What every answer of 400 and above looks like."""

    codigo = serializers.CharField(help_text=_("Para programas: no cambia."))
    mensaje = serializers.CharField(help_text=_("Para personas, en su idioma."))
    detalles = serializers.JSONField(help_text=_("Un objeto o una lista: qué campos, qué productos."))


RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    OpenApiTypes.INT,
    OpenApiParameter.HEADER,
    description=_("Segundos que conviene esperar."),
    response=[429, 503],
)
SEAT_HEADERS = [
    OpenApiParameter(
        "X-Tienda-ID",
        OpenApiTypes.UUID,
        OpenApiParameter.HEADER,
        description=_("Obligatoria para quien pertenece a varias tiendas y entra con su sesión."),
    ),
    OpenApiParameter(
        "X-Terminal-ID",
        OpenApiTypes.UUID,
        OpenApiParameter.HEADER,
        description=_("La terminal desde la que se trabaja; si falta, la primera de la tienda."),
    ),
    OpenApiParameter(
        "X-Usuario-ID",
        OpenApiTypes.INT64,
        OpenApiParameter.HEADER,
        description=_("A quién cree la ventana que entró; si en la sesión hay otra persona, 401."),
    ),
]
# What any operation may answer, whatever it does.
COMMON_ERRORS = {
    "400": _("La petición no es válida."),
    "401": _("Falta identificarse, o el token no vale."),
    "403": _("El rol no alcanza, o falta el token CSRF de la sesión."),
    "404": _("No existe, o es de otra tienda."),
    "406": _("La respuesta solo existe como application/json."),
    "503": _("Un servidor no responde: repetir más tarde."),
}
BODY_ERRORS = {"415": _("El cuerpo tiene que ser application/json.")}


class ApiSchema(AutoSchema):
    """Adds to each operation the common errors and the seat's headers.

    An error that a view describes by a text alone gets the one shape, too.
    """

    def get_override_parameters(self) -> list[Any]:
        """The headers, where the view asks for a seat."""
        parameters: list[Any] = list(super().get_override_parameters())
        if self.view.authentication_classes:
            parameters += SEAT_HEADERS
        return [*parameters, RETRY_AFTER]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if direction != "response":
            return bodies
        errors = COMMON_ERRORS | (BODY_ERRORS if self.method in {"POST", "PUT", "PATCH"} else {})
        own = {status: body["description"] for status, body in bodies.items() if status >= "400"}
        for status, description in (errors | own).items():
            if "content" not in bodies.get(status, {}):
                response = OpenApiResponse(ErrorSerializer, description=str(description))
                bodies[status] = self._get_response_for_code(response, status)  # type: ignore[no-untyped-call]
        return dict(sorted(bodies.items()))


class TokenAccessScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """A terminal's token."""

    target_class = "blend_pos.tiendas.authentication.TokenAccess"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer", "description": str(_("El token de una terminal."))}


class SessionAccessScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # registers itself
    """A person's session."""

    target_class = "blend_pos.tiendas.authentication.SessionAccess"
    name = "sesion"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Django's session cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": str(_("La sesión de /cuenta/login; lo que cambia algo lleva además X-CSRFToken.")),
        }
