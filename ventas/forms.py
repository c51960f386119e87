"""What is asked before a failed sale is tried again, or discarded."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

REASON_LENGTH = 200  # of VentaFallida.nota


class RetryForm(forms.Form):
    """Why it should go well this time, for the record."""

    nota = forms.CharField(label=_("Razón"), max_length=REASON_LENGTH, required=False)


class DiscardForm(forms.Form):
    """Why, and where the goods are."""

    CAME_BACK, GONE = "volvio", "no_volvio"
    MERCANCIA: ClassVar = [
        (CAME_BACK, _("Volvió, o nunca salió: su reserva se libera")),
        (GONE, _("No volvió: se registra un ajuste")),
    ]
    mercancia = forms.ChoiceField(label=_("La mercancía"), choices=MERCANCIA, widget=forms.RadioSelect)
    nota = forms.CharField(label=_("Razón"), max_length=REASON_LENGTH)
