"""The admin: its name, one way to change a password, and what every admin of it has in common."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_acts import delete_whole, recorded
from blend_pos.tiendas.sign_in_forms import AdminSignInForm


class BlendAdminSite(AdminSite):
    """Django's site under this project's name."""

    site_header = "Blend POS"
    site_title = "Blend POS"
    index_title = _("Administración")
    login_form = AdminSignInForm

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.add_action(delete_whole, "delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Whoever's admin it is: what is done there is on record."""
        super().register(model_or_iterable, recorded(admin_class or ModelAdmin), **options)

    def password_change(  # type: ignore[override] # Django's own may answer by a redirect, too
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Passwords are changed under /cuenta/, where that ends what else is open."""
        return redirect("cuenta-clave")
