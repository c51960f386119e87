"""A sale's message is signed: whoever reaches the exchange without the key can forge none.

HMAC-SHA256 over the body, under a key of its own derived from SECRET_KEY; SECRET_KEY_FALLBACKS are taken too, so that a
key can be changed while messages wait.
"""

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

HEADER = "firma"
PURPOSE = "ventas.signatures"


def sign(body: bytes) -> str:
    """The signature of a body, for the message's header."""
    return _signature(body, settings.SECRET_KEY)


def is_signed(body: bytes | str, signature: object) -> bool:
    """Whether this is the signature of that body, by one of the keys of now."""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return isinstance(signature, str) and any(constant_time_compare(signature, _signature(raw, key)) for key in keys)


def _signature(body: bytes, key: str) -> str:
    return salted_hmac(PURPOSE, body, secret=key, algorithm="sha256").hexdigest()
