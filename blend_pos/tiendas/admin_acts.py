"""Every admin of the site puts what is done there on record."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.actions import delete_selected
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from blend_pos.tiendas import acts
from blend_pos.tiendas.models import Accion

CHANGES_ATTRIBUTE = "blend_changes"
SECRETS = ("password", "password1", "password2", "usable_password", "digest")
MOST_ROWS = 200
DELETE_CHOSEN: Any = getattr(delete_selected, "short_description")  # noqa: B009 - the stubs know a plain function

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:  # mixed into another class, which is one
    _Admin = object


class RecordedAdmin(_Admin):
    """What Django writes into its own log of the admin, and more of it, in the bitácora."""

    def tienda_of(self, obj: Model) -> UUID | None:
        """Whose act it is; None: of no tienda, so that only superusers read it."""
        return None

    def object_of(self, obj: Model) -> str:
        """What it is called on record: in one language, whoever acts."""
        with translation.override(settings.LANGUAGE_CODE):
            return f"{obj._meta.model_name} {obj.pk}: {obj}"

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django's names the fields; what was there before is kept for the record."""
        setattr(request, CHANGES_ATTRIBUTE, changes_of(form))
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Somebody made it."""
        self.record_act(request, obj, Accion.CREAR)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Somebody changed it."""
        self.record_act(request, obj, Accion.CAMBIAR)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Somebody removed them."""
        for obj in queryset:
            self.record_act(request, obj, Accion.BORRAR, detalle=_row_of(obj))
        return super().log_deletions(request, queryset)

    def log_plainly(self, request: HttpRequest, obj: Model, message: str) -> None:
        """In Django's own log alone: the row's history in the admin."""
        super().log_change(request, obj, message)

    def record_act(
        self,
        request: HttpRequest,
        obj: Model,
        accion: Accion,
        *,
        razon: str = "",
        detalle: Mapping[str, Any] | None = None,
    ) -> None:
        """In the bitácora alone."""
        acts.record(
            accion=accion,
            por=acts.actor_of(request),
            tienda_id=self.tienda_of(obj),
            objeto=self.object_of(obj),
            razon=razon,
            detalle=getattr(request, CHANGES_ATTRIBUTE, {}) if detalle is None else detalle,
        )


class RecordedActions(RecordedAdmin):
    """An admin of somebody else's: its actions on chosen rows write no log of their own."""

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *rest: Any) -> HttpResponse | None:
        """Put on record which action is run on which rows, then run it; Django's own deletes with a record of each."""
        name = request.POST.get("action", "")
        chosen = [key for key in request.POST.getlist("_selected_action")[:MOST_ROWS] if key.isprintable()]
        with transaction.atomic():
            if chosen and name != delete_selected.__name__ and name in self.get_actions(request):
                label = self.opts.model_name
                acts.record(
                    accion=Accion.CAMBIAR,
                    por=acts.actor_of(request),
                    objeto=f"{label}: {name}",
                    detalle={"filas": chosen, "todas": request.POST.get("select_across") == "1"},
                )
            answer: HttpResponse | None = super().response_action(request, queryset, *rest)
        return answer


def recorded(admin_class: type[Any]) -> type[Any]:
    """The same admin, with what is done there on record."""
    if issubclass(admin_class, RecordedAdmin):
        return admin_class
    return type(admin_class.__name__, (RecordedActions, admin_class), {"__module__": admin_class.__module__})


def _row_of(obj: Model) -> dict[str, str | None]:
    """What is removed, field by field."""
    fields = obj._meta.concrete_fields
    return {field.name: _shown(field.value_from_object(obj)) for field in fields if field.name not in SECRETS}


def changes_of(form: Any) -> dict[str, list[str | None]]:
    """Each field that a form changes: what was there, what is to be there. Never a password."""
    return {
        name: [_shown(form.get_initial_for_field(form.fields[name], name)), _shown(form.cleaned_data.get(name))]
        for name in form.changed_data
        if name in form.fields and name not in SECRETS
    }


def _shown(value: Any) -> str | None:
    if isinstance(value, QuerySet | list | tuple):
        return ", ".join(sorted(str(one) for one in value))
    return None if value is None else str(getattr(value, "pk", value))


@admin.action(permissions=["delete"], description=DELETE_CHOSEN)
def delete_whole(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Django's own action, which asks first; all of them, each on record, or none."""
    with transaction.atomic():
        return delete_selected(modeladmin, request, queryset)
