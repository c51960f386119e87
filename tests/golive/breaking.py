"""Ways to break one thing of an open shop, each mended at the end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.golive.open_shop import OpenShop
from tests.polling import wait_until

Break = Callable[[OpenShop], AbstractContextManager[None]]


def redis_setting(name: str, value: str) -> Break:
    @contextmanager
    def broken(shop: OpenShop) -> Iterator[None]:
        before = str(shop.redis.config_get(name)[name])
        shop.redis.config_set(name, value)
        try:
            yield
        finally:
            shop.redis.config_set(name, before)
            wait_until(
                lambda: not shop.redis.info("persistence")["aof_rewrite_in_progress"],
                timeout_s=30,
                what="AOF is written",
            )

    return broken


def rows(broken: str, mended: str) -> Break:
    """Statements that break and mend."""

    @contextmanager
    def breaking(shop: OpenShop) -> Iterator[None]:
        shop.sql(broken)
        try:
            yield
        finally:
            shop.sql(mended)

    return breaking


def warmed(value: str | None) -> Break:
    """When the tienda was warmed, in Redis: so many ms since 1970, or never."""

    @contextmanager
    def broken(shop: OpenShop) -> Iterator[None]:
        meta = shop.meta()
        before = shop.redis.hget(meta, "calentado")
        if value is None:
            shop.redis.hdel(meta, "calentado")
        else:
            shop.redis.hset(meta, "calentado", value)
        try:
            yield
        finally:
            shop.redis.hset(meta, "calentado", str(before))

    return broken


def stopped(part: str) -> Break:
    @contextmanager
    def broken(shop: OpenShop) -> Iterator[None]:
        getattr(shop, part).stop()
        try:
            yield
        finally:
            setattr(shop, part, getattr(shop.spawn, part)())
            getattr(shop, part).wait_ready()

    return broken
