"""Every address and every admin action that there is, found by walking the URL map: nobody keeps a list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
FUNCTIONS = {"GET", "POST"}  # what a view that is a function is asked by


@dataclass(frozen=True, slots=True)
class Route:
    """One pattern of the URL map, written out in full, and the methods that its view has."""

    pattern: str
    name: str
    methods: frozenset[str]


def walk(patterns: Sequence[URLPattern | URLResolver] | None = None, before: str = "") -> Iterator[Route]:
    """Each of them, those of included modules and of the admin too."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        pattern = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from walk(one.url_patterns, pattern)
        else:
            yield Route(pattern, one.name or "", _methods_of(one.callback))


def _methods_of(view: Any) -> frozenset[str]:
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if view_class is None:
        return frozenset(FUNCTIONS)
    allowed = {name.upper() for name in view_class.http_method_names}
    return frozenset(method for method in METHODS if method in allowed and hasattr(view_class, method.lower()))


def admin_models() -> dict[str, Any]:
    """Every model in the admin, by the beginning of its addresses' names, with what shows it."""
    return {f"{model._meta.app_label}_{model._meta.model_name}": shown for model, shown in admin.site._registry.items()}
