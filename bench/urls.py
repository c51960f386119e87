"""The product's addresses, and a checkout of each baseline: /api/v1/bench/{variant}."""

from django.urls import include, path

from bench.variants.locking import BaselineView
from blend_pos.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("api/v1/bench/<slug:variant>", BaselineView.as_view()),
    path("", include("blend_pos.urls")),
]
