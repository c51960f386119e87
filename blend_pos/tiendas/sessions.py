"""Django's sessions, in PostgreSQL and Redis; ending one ends what it opens in the API, too."""

from functools import partial

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.core.cache import caches
from django.db import transaction

from blend_pos.tiendas import access_cache
from blend_pos.tiendas.access_cache import session_name


# Django signs a session with the name of this class: another name would end every session there is.
class SessionStore(cached_db.SessionStore):
    """Every way out passes through delete(): logout, another login, a new key after a new password."""

    def delete(self, session_key: str | None = None) -> None:
        """Delete a session (default: this one); from now on its key opens nothing."""
        session_key = session_key or self.session_key
        if session_key is None:
            return
        with transaction.atomic():
            access_cache.suspend(scopes=[session_name(session_key)])
            super().delete(session_key)
            # A request may have put the row back into the cache while this transaction was open.
            cache = caches[settings.SESSION_CACHE_ALIAS]
            transaction.on_commit(partial(cache.delete, self.cache_key_prefix + session_key))
