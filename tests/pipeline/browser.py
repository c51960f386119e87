"""A person's session, as the till in the browser has it: two cookies and a CSRF header."""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.middleware.csrf import _get_new_csrf_string

from tests.pipeline.shop import Shop
from tests.pipeline.till import Till


def signed_in(shop: Shop, url: str, *, rol: str = "cajero") -> Till:
    """The till of somebody who has signed in."""
    user = shop.users[rol]
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    secret = _get_new_csrf_string()
    cookies = f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={secret}"
    return Till(url, headers={"Cookie": cookies, "X-CSRFToken": secret})
