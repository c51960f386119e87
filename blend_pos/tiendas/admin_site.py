"""The admin: its name, and one way to change a password."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class BlendAdminSite(AdminSite):
    """Django's site under this project's name."""

    site_header = "Blend POS"
    site_title = "Blend POS"
    index_title = _("Administración")

    def password_change(  # type: ignore[override] # Django's own may answer by a redirect, too
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Passwords are changed under /cuenta/, where that ends what else is open."""
        return redirect("cuenta-clave")
