"""The bitácora in the admin: read, filtered, searched; never written, by nobody."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_lists import PersonFilter, TiendaFilter, WrittenRowsAdmin
from blend_pos.tiendas.models import Acto, Rol


class WhoFilter(PersonFilter):
    """What one person did."""

    title = _("persona")
    parameter_name = "persona_id"


class ActoAdmin(WrittenRowsAdmin[Acto]):
    """What was done in the tiendas of which one is administrador; what is of no tienda, a superuser's to read."""

    view_rol = Rol.ADMINISTRADOR
    change_rol = None
    list_display = ("momento", "persona", "accion", "objeto", "razon", "tienda", "desde")
    list_filter = (TiendaFilter, WhoFilter, "accion", "fecha")
    list_select_related = ("tienda",)
    ordering = ("-id",)
    search_fields = ("=persona", "razon", "objeto")
    search_help_text = _("La persona por su nombre entero; parte de lo que se tocó o de la razón.")
    readonly_fields: ClassVar = [field.name for field in Acto._meta.fields]

    @admin.display(description=_("fecha"))
    def momento(self, acto: Acto) -> str:
        """To the second."""
        moment = timezone.localtime(acto.fecha)
        return f"{date_format(moment, 'SHORT_DATE_FORMAT')} {moment:%H:%M:%S}"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None."""
        return {}
