"""The product's settings, but for the connections to PostgreSQL: a pool in each process in place of one a thread."""

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
