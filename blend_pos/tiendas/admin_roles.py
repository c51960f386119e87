"""The admin by role: a member of staff sees and changes the rows of their own tiendas, as far as their role goes."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest

from blend_pos.tiendas.admin_acts import RecordedAdmin
from blend_pos.tiendas.models import ROLE_ORDER, SONDA_ID, SONDA_USUARIO, Rol, Terminal, Tienda
from blend_pos.tiendas.selectors import roles_of

Row = TypeVar("Row", bound=Model)
ASKED_BY_FILTERS = frozenset({"exact", "gte", "lt", "isnull"})
ROLES_ATTRIBUTE = "blend_roles"

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin
else:

    class _Admin(admin.ModelAdmin, Generic[Row]):
        """Django's, which takes no type parameter at run time."""


def tiendas_with_role(request: HttpRequest, rol: str) -> Collection[UUID]:
    """The tiendas in which the one who asks is `rol` or above, read once a request."""
    roles = getattr(request, ROLES_ATTRIBUTE, None)
    if roles is None:
        roles = roles_of(usuario=request.user) if isinstance(request.user, User) else {}
        setattr(request, ROLES_ATTRIBUTE, roles)
    return [tienda_id for tienda_id, own in roles.items() if ROLE_ORDER[own] >= ROLE_ORDER[rol]]


class TiendaScopedAdmin(RecordedAdmin, _Admin[Row]):
    """An admin of rows that belong to a tienda; `tienda_path` leads from a row to it.

    Who has less than `view_rol` in a tienda does not see its rows; who has less than `change_rol` changes nothing there
    (None: nobody but a superuser does). Superusers see and change everything. Django's own permissions are not asked.
    A list filter by tienda has to be a RelatedOnlyFieldListFilter: the plain one names every tienda there is.
    """

    tienda_path: ClassVar[str] = "tienda"
    view_rol: ClassVar[str] = Rol.ENCARGADO
    change_rol: ClassVar[str | None] = Rol.ADMINISTRADOR

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        """The rows of the tiendas in which one may look; the probe's are nobody's."""
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows.exclude(**{self.tienda_path: SONDA_ID})
        return rows.filter(**{f"{self.tienda_path}__in": tiendas_with_role(request, self.view_rol)})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What the filters ask; Django would also take a regular expression for any column, or the year 10^29."""
        _field, parted, kind = lookup.rpartition("__")
        return (not parted or kind in ASKED_BY_FILTERS) and super().lookup_allowed(lookup, value, request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: object, object_id: str) -> NoReturn:
        """What is not there, or is another tienda's, is a 404; Django would go to its first page and say so there."""
        raise Http404

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is shown at all."""
        return self._may(request, self.view_rol, None)

    def has_view_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Whether one may look (obj None: anywhere)."""
        return self._may(request, self.view_rol, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether one may add rows somewhere; the form offers only those tiendas."""
        return self._may(request, self.change_rol, None)

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Whether one may change this row (obj None: any)."""
        return self._may(request, self.change_rol, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """As for changing."""
        return self._may(request, self.change_rol, obj)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        """Offer only tiendas in which one may change something, their terminals and their people."""
        if request.user.is_superuser:
            if db_field.related_model is Tienda:
                kwargs["queryset"] = Tienda.objects.exclude(pk=SONDA_ID)
            elif db_field.related_model is User:
                kwargs["queryset"] = User.objects.exclude(username=SONDA_USUARIO)
        else:
            tiendas = tiendas_with_role(request, self.change_rol or Rol.ADMINISTRADOR)
            offered: dict[type[Model], QuerySet[Any]] = {
                Tienda: Tienda.objects.filter(pk__in=tiendas),
                Terminal: Terminal.objects.filter(tienda__in=tiendas),
                User: User.objects.filter(membresias__tienda__in=tiendas).distinct(),
            }
            if db_field.related_model in offered:
                kwargs["queryset"] = offered[db_field.related_model]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _may(self, request: HttpRequest, rol: str | None, obj: Row | None) -> bool:
        if request.user.is_superuser:
            return True
        tiendas = tiendas_with_role(request, rol) if rol else ()
        return bool(tiendas) if obj is None else self.tienda_of(obj) in tiendas

    def tienda_of(self, obj: Model) -> UUID | None:
        """The tienda that a row belongs to."""
        found: Any = obj
        for step in self.tienda_path.split("__"):
            found = getattr(found, step)
        return found.pk if isinstance(found, Tienda) else found
