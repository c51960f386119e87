"""What each role may do; a role may do what the one before it may."""

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from blend_pos.tiendas.access import Seat
from blend_pos.tiendas.models import Rol

if TYPE_CHECKING:  # it loads the default permission class, which is here
    from rest_framework.views import APIView


class _RolePermission(BasePermission):
    rol: ClassVar[Rol]
    code = "rol_insuficiente"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the request has a seat of this role or above."""
        return isinstance(request.auth, Seat) and request.auth.allows(self.rol)


class CajeroOrAbove(_RolePermission):
    """Sells, and looks up what there is to sell."""

    rol = Rol.CAJERO
    message = _("Hace falta ser cajero de la tienda.")


class EncargadoOrAbove(_RolePermission):
    """Also warms, flushes, retries, adjusts."""

    rol = Rol.ENCARGADO
    message = _("Hace falta ser encargado de la tienda.")


class AdministradorOnly(_RolePermission):
    """Everything."""

    rol = Rol.ADMINISTRADOR
    message = _("Hace falta ser administrador de la tienda.")
