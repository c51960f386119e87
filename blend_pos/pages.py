"""Middleware that pages need and the API does not, beside its sign-in: a checkout is not to pay for it.

The API asks Redis who asks (blend_pos/tiendas/authentication.py), keeps nothing in a session, and shows no messages.
"""

from collections.abc import Awaitable

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import common
from django.utils.deprecation import MiddlewareMixin

from blend_pos.addresses import API_PREFIX

SIGN_IN = "/api/v1/sesion"


def needs_no_session(request: HttpRequest) -> bool:
    """Whether it is the API that is asked, and not to sign somebody in."""
    return request.path_info.startswith(API_PREFIX) and request.path_info != SIGN_IN


class _OfPages(MiddlewareMixin):
    """Put before a middleware's class: the API passes it by."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Django's, for pages."""
        return self.get_response(request) if needs_no_session(request) else super().__call__(request)


class SessionMiddleware(_OfPages, sessions.SessionMiddleware):
    """Django's."""


class AuthenticationMiddleware(_OfPages, auth.AuthenticationMiddleware):
    """Django's."""


class MessageMiddleware(_OfPages, messages.MessageMiddleware):
    """Django's."""


class CommonMiddleware(common.CommonMiddleware):
    """Django's; no address of the API is looked up a second time, to see whether a slash at its end would help."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Whether there is a page of this name with a slash at its end."""
        return not request.path_info.startswith(API_PREFIX) and super().should_redirect_with_slash(request)
