"""Every address of the project."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from blend_pos import errors
from blend_pos.metrics import metrics
from blend_pos.swagger import SwaggerView
from blend_pos.tiendas.session_views import SessionView
from ventas import till

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error

urlpatterns = [
    path("api/v1/", include("ventas.urls")),  # first: each address above it would be tried at every sale
    path("", RedirectView.as_view(pattern_name="caja")),
    path("caja", RedirectView.as_view(pattern_name="caja")),
    path("caja/", till.page, name="caja"),
    path("caja/sw.js", till.service_worker, name="caja-sw"),
    path("admin/", admin.site.urls),
    path("cuenta/", include("blend_pos.tiendas.urls")),
    path("api/v1/sesion", SessionView.as_view(), name="sesion"),
    path("api/v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/", include("cache_stock.urls")),
    path("api/v1/docs", SwaggerView.as_view(), name="docs"),
    path("metrics", metrics, name="metrics"),
    re_path(r"^api/", errors.unknown_address),  # last: what nothing above matches
]
