"""A task's message is signed: whoever reaches the exchange without the key can forge no sale, and call no task.

HMAC-SHA256 over the body, under a key of its own derived from SECRET_KEY; SECRET_KEY_FALLBACKS are taken too, so that a
key can be changed while messages wait. Each task but that of the sales has a key of its own: no message of one is taken
for another's.
"""

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

HEADER = "firma"
PURPOSE = "ventas.signatures"


def sign(body: bytes, *, task: str = "") -> str:
    """The signature of a body, for the message's header. `task` is not given for sales."""
    return _signature(body, settings.SECRET_KEY, task)


def is_signed(body: bytes | str, signature: object, *, task: str = "") -> bool:
    """Whether this is the signature of that body, by one of the keys of now. Anybody may have written either."""
    if not isinstance(signature, str) or not signature.isascii():
        return False
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(signature, _signature(raw, key, task)) for key in keys)


def _signature(body: bytes, key: str, task: str) -> str:
    purpose = f"{PURPOSE}:{task}" if task else PURPOSE
    return salted_hmac(purpose, body, secret=key, algorithm="sha256").hexdigest()
