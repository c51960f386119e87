"""Tiendas, terminals, members, tokens and people in the admin. Every change goes through shops.py and tokens.py."""

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask
from knox.settings import knox_settings

from blend_pos.tiendas import shops, tokens
from blend_pos.tiendas.admin_acts import RecordedActions, RecordedAdmin
from blend_pos.tiendas.admin_confirm import ConfirmedForm
from blend_pos.tiendas.admin_roles import TiendaScopedAdmin
from blend_pos.tiendas.bitacora_admin import ActoAdmin
from blend_pos.tiendas.models import Accion, Acto, Membresia, Rol, Terminal, Tienda, TokenTerminal
from blend_pos.tiendas.tokens import TokenRefused

if TYPE_CHECKING:
    _TokenForm = forms.ModelForm[TokenTerminal]
    _UserAdmin = UserAdmin[User]
    _Form = forms.ModelForm[Any]
    _PersonForm = UserChangeForm[User]
else:  # they take no type parameter at run time
    _TokenForm = forms.ModelForm
    _UserAdmin = UserAdmin
    _Form = forms.ModelForm
    _PersonForm = UserChangeForm

NEW_TOKEN_ATTRIBUTE = "blend_new_token"


class ClosingForm(ConfirmedForm, _Form):
    """Closing a tienda or a terminal ends what is open there: that is asked about."""

    asks_about = ("is_active",)


class MembershipForm(ConfirmedForm, _Form):
    """Another role is another power."""

    asks_about = ("rol",)


class PersonForm(ConfirmedForm, _PersonForm):
    """Whoever is deactivated is locked out; staff and superusers may more than others."""

    asks_about = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(Tienda)
class TiendaAdmin(TiendaScopedAdmin[Tienda]):
    """Tiendas. One is closed, never deleted."""

    tienda_path = "pk"
    form = ClosingForm
    list_display = ("nombre", "zona_horaria", "moneda", "is_active")
    list_filter = ("is_active",)
    search_fields = ("nombre",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a superuser opens a tienda."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Tienda | None = None) -> bool:
        """Nobody."""
        return False

    def save_model(self, request: HttpRequest, obj: Tienda, form: Any, change: bool) -> None:
        """A new tienda gets its terminal 1."""
        if change:
            shops.save_tienda(tienda=obj)
        else:
            shops.open_tienda(tienda=obj)


@admin.register(Terminal)
class TerminalAdmin(TiendaScopedAdmin[Terminal]):
    """Terminals. One is deactivated, never deleted: its receipts name it."""

    form = ClosingForm
    list_display = ("nombre", "tienda", "numero", "ultimo_recibo", "is_active")
    list_filter = (("tienda", admin.RelatedOnlyFieldListFilter), "is_active")
    list_select_related = ("tienda",)

    def get_readonly_fields(self, request: HttpRequest, obj: Terminal | None = None) -> tuple[str, ...]:
        """A terminal stays in its tienda."""
        return ("tienda", "numero") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Terminal | None = None) -> bool:
        """Nobody."""
        return False

    def save_model(self, request: HttpRequest, obj: Terminal, form: Any, change: bool) -> None:
        """Write it, and end what is open there."""
        shops.save_terminal(terminal=obj)


@admin.register(Membresia)
class MembresiaAdmin(TiendaScopedAdmin[Membresia]):
    """Who belongs where, in which role."""

    view_rol = Rol.ADMINISTRADOR
    form = MembershipForm
    list_display = ("usuario", "tienda", "rol")
    list_filter = (("tienda", admin.RelatedOnlyFieldListFilter), "rol")
    list_select_related = ("usuario", "tienda")
    search_fields = ("usuario__username",)

    def get_readonly_fields(self, request: HttpRequest, obj: Membresia | None = None) -> tuple[str, ...]:
        """A membership changes its role; another person or tienda is another membership."""
        return ("usuario", "tienda") if obj else ()

    def save_model(self, request: HttpRequest, obj: Membresia, form: Any, change: bool) -> None:
        """Write it, and end what the person has open."""
        shops.save_membership(membresia=obj)

    def delete_model(self, request: HttpRequest, obj: Membresia) -> None:
        """Take the person out."""
        shops.remove_membership(membresia=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membresia]) -> None:
        """Take each of them out."""
        for membresia in queryset:
            self.delete_model(request, membresia)


class TokenForm(_TokenForm):
    """What a new token is asked for."""

    class Meta:
        model = TokenTerminal
        fields = ("terminal", "user", "rol", "expiry")
        labels: ClassVar = {"user": _("Persona"), "expiry": _("Vence")}
        help_texts: ClassVar = {"expiry": _("Vacío: no vence.")}

    def clean(self) -> dict[str, Any]:
        """Refuse a token that would open nothing."""
        values = super().clean() or {}
        if not self.errors:
            try:
                tokens.check_token(terminal=values["terminal"], usuario=values["user"], rol=values["rol"])
            except TokenRefused as refusal:
                raise ValidationError(str(refusal)) from refusal
        return values


@admin.register(TokenTerminal)
class TokenTerminalAdmin(TiendaScopedAdmin[TokenTerminal]):
    """Tokens: made, shown once, revoked; never changed."""

    tienda_path = "terminal__tienda"
    view_rol = Rol.ADMINISTRADOR
    form = TokenForm
    list_display = ("token_key", "terminal", "tienda", "user", "rol", "created", "expiry")
    list_filter = (("terminal__tienda", admin.RelatedOnlyFieldListFilter), "rol")
    list_select_related = ("terminal__tienda", "user")
    search_fields = ("token_key", "user__username")

    def object_of(self, obj: Model) -> str:
        """By what the lists show of it: its key is the digest, which is nobody's to read."""
        assert isinstance(obj, TokenTerminal)
        return f"token {obj.token_key} {obj.user} ({obj.rol}), {obj.terminal}"

    @admin.display(description=_("tienda"))
    def tienda(self, token: TokenTerminal) -> str:
        """The tienda's name."""
        return str(token.terminal.tienda)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A year, as by default."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        lifetime: timedelta = knox_settings.TOKEN_TTL
        return {"expiry": timezone.now() + lifetime, **initial}

    def has_change_permission(self, request: HttpRequest, obj: TokenTerminal | None = None) -> bool:
        """Nobody: a token is revoked and another made."""
        return False

    def save_model(self, request: HttpRequest, obj: TokenTerminal, form: Any, change: bool) -> None:
        """Make the token; response_add shows it."""
        row, token = tokens.create_token(terminal=obj.terminal, usuario=obj.user, rol=obj.rol, expiry=obj.expiry)
        obj.digest, obj.token_key, obj.created = row.digest, row.token_key, row.created
        setattr(request, NEW_TOKEN_ATTRIBUTE, token)

    def response_add(
        self,
        request: HttpRequest,
        obj: TokenTerminal,
        post_url_continue: str | None = None,
    ) -> HttpResponse:
        """The one page that shows the token; no copy of it is kept by a browser, a cookie or a message."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Token de terminal"),
            "opts": self.opts,
            "terminal": obj.terminal,
            "token": getattr(request, NEW_TOKEN_ATTRIBUTE),
        }
        response = TemplateResponse(request, "admin/tiendas/tokenterminal/created.html", context)
        add_never_cache_headers(response)
        return response

    def delete_model(self, request: HttpRequest, obj: TokenTerminal) -> None:
        """Revoke it."""
        tokens.revoke_token(token=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TokenTerminal]) -> None:
        """Revoke each of them."""
        for token in queryset:
            tokens.revoke_token(token=token)


admin.site.register(Acto, ActoAdmin)
admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class ScheduleAdmin(RecordedActions, PeriodicTaskAdmin):  # type: ignore[misc] # django-celery-beat has no types
    """The schedule. Web puts no task on the broker, and its user there may not."""

    # The package's own form explains a crontab by a script within the page, which the policy for pages forbids.
    change_form_template = None
    list_display = ("name", "enabled", "horario", "last_run_at")
    list_filter = ("enabled", "last_run_at")

    @admin.display(description=_("horario"))
    def horario(self, task: PeriodicTask) -> str:
        """When it runs."""
        return str(task.scheduler)

    @admin.display(description=_("horario en palabras"))
    def crontab_translation(self, task: PeriodicTask) -> str:
        """Of a crontab."""
        return str(task.crontab.human_readable)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without "run now": whoever waits for beat's next round waits for seconds."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("run_tasks", None)
        return actions


admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(RecordedAdmin, _UserAdmin):
    """People, for superusers. Deactivating one, or changing the password, ends all that the person has open."""

    form = PersonForm

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write a changed person, and end what they have open."""
        if change:
            shops.save_person(usuario=obj)
        else:
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete a person who has sold nothing."""
        shops.remove_person(usuario=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete each of them."""
        for usuario in queryset:
            shops.remove_person(usuario=usuario)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - the base class' signature
        """Another person's password."""
        usuario = self.get_object(request, unquote(id))
        if request.method != "POST" or not self.has_change_permission(request, usuario) or usuario is None:
            return super().user_change_password(request, id, form_url)
        with shops.ending_access_of(usuario_id=usuario.pk):
            answer: HttpResponse = super().user_change_password(request, id, form_url)
            if answer.status_code == HTTPStatus.FOUND:
                self.record_act(request, usuario, Accion.CLAVE)
            return answer
