"""The product's settings for a worker, but for its connections to PostgreSQL: they come from a pool.

Not for the web, which ends a connection with its thread (blend_pos/threads.py) and asks PostgreSQL nothing in a
checkout.
"""

from typing import Any

from blend_pos import settings as product

globals().update({name: value for name, value in vars(product).items() if name.isupper()})

POOL_SIZE = 20  # as the specification has it
_default: dict[str, Any] = product.DATABASES["default"]
DATABASES = {
    **product.DATABASES,
    "default": {
        **_default,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {**_default["OPTIONS"], "pool": {"min_size": 1, "max_size": POOL_SIZE}},
    },
}
