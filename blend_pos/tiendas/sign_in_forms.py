"""The forms by which people sign in, each attempt on record."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from blend_pos.tiendas import sign_in


class SignInForm(AuthenticationForm):
    """Django's."""

    def clean(self) -> dict[str, Any]:
        """Let in or not, and put either on record."""
        username = self.cleaned_data.get("username")
        if not username:  # or none that could be anybody's: a null character, too many letters
            return dict(super().clean())
        attempt = sign_in.Attempt.begin(request=self.request, username=username)
        try:
            values: dict[str, Any] = super().clean()
        except ValidationError:
            if self.get_user() is None:
                attempt.failed()
            else:  # not of the staff
                attempt.refused()
            raise
        user = self.get_user()
        if user is not None:
            sign_in.record_entry(request=self.request, user=user)
        return values


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    """The admin's, which takes staff only."""
