"""/cuenta/: sign in, sign out, another password, and what one may do where."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.views.generic import TemplateView

from blend_pos.tiendas import acts, shops
from blend_pos.tiendas.models import Accion, Membresia


class AccountView(LoginRequiredMixin, TemplateView):
    """Who I am, and my role in each tienda."""

    template_name = "cuenta/cuenta.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With `membresias`."""
        membresias = Membresia.objects.filter(usuario=self.request.user.pk).select_related("tienda")
        return super().get_context_data(membresias=membresias.order_by("tienda__nombre"), **kwargs)


class PasswordView(PasswordChangeView):
    """My own password."""

    template_name = "cuenta/clave.html"
    success_url = reverse_lazy("cuenta")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Write it; every other session of mine ends."""
        with shops.ending_access_of(usuario_id=form.user.pk):
            acts.record(accion=Accion.CLAVE, por=acts.actor_of(self.request), objeto=form.user.get_username())
            return super().form_valid(form)
