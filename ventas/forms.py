"""What a supervisor is asked before a failed sale is discarded."""

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _


class ConfirmForm(forms.Form):
    """Nothing but the press of the button."""


class DiscardForm(forms.Form):
    """Why, and where the goods are."""

    CAME_BACK, GONE = "volvio", "no_volvio"
    MERCANCIA: ClassVar = [
        (CAME_BACK, _("Volvió, o nunca salió: su reserva se libera")),
        (GONE, _("No volvió: se registra un ajuste")),
    ]
    mercancia = forms.ChoiceField(label=_("La mercancía"), choices=MERCANCIA, widget=forms.RadioSelect)
    nota = forms.CharField(label=_("Razón"), max_length=200)
