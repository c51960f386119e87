"""Addresses under /cuenta/."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from blend_pos.tiendas.sign_in_forms import SignInForm
from blend_pos.tiendas.views import AccountView, PasswordView

urlpatterns = [
    path("", AccountView.as_view(), name="cuenta"),
    path(
        "login",
        LoginView.as_view(template_name="cuenta/login.html", authentication_form=SignInForm),
        name="cuenta-login",
    ),
    path("logout", LogoutView.as_view(), name="cuenta-logout"),
    path("clave", PasswordView.as_view(), name="cuenta-clave"),
]
