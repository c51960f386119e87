"""What moves stock or money, or locks somebody out, is asked about before it happens.

The same form comes back and says what is going to change; nothing has, until that very change is confirmed.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_acts import changes_of

CONFIRMED = "confirmado"

if TYPE_CHECKING:
    _Form = forms.BaseForm
else:  # mixed into another class, which is one
    _Form = object


class ConfirmedForm(_Form):
    """A form that shows once more what it is going to do, and does it when that very thing is confirmed."""

    asks_about: ClassVar[Sequence[str]] = ()

    def clean(self) -> dict[str, Any]:
        """Ask, where what is to be changed was not confirmed: nothing has happened yet."""
        values = super().clean() or {}
        changes = self.to_confirm() if not self.errors else {}
        if changes:
            mark = salted_hmac(
                CONFIRMED, repr((type(self).__name__, self._whose(), sorted(changes.items())))
            ).hexdigest()
            if not constant_time_compare(str(self.data.get(CONFIRMED, "")), mark):
                raise ValidationError(_question(changes, mark), code=CONFIRMED)
        return values

    def to_confirm(self) -> dict[str, list[str | None]]:
        """What to ask about: label -> before, after. A new row is no change."""
        instance = getattr(self, "instance", None)
        if instance is None or instance._state.adding:
            return {}
        changes = changes_of(self)
        return {str(self.fields[name].label): changes[name] for name in self.asks_about if name in changes}

    def _whose(self) -> str:
        return str(getattr(getattr(self, "instance", None), "pk", ""))


def _question(changes: Mapping[str, Sequence[str | None]], mark: str) -> str:
    told = format_html_join("; ", "{}: {} → {}", ((label, *_words(pair)) for label, pair in changes.items()))
    return format_html(
        '{} {}. <label><input type="checkbox" name="{}" value="{}"> {}</label>',
        _("Todavía no se ha cambiado nada. Se va a cambiar"),
        told,
        CONFIRMED,
        mark,
        _("Sí, confirmo; y otra vez guardar."),
    )


def _words(pair: Sequence[str | None]) -> list[str]:
    words = {"True": _("Sí"), "False": _("No"), None: "—", "": "—"}
    return [str(words.get(value, value)) for value in pair]
