"""/api/v1/cache and /api/v1/productos."""

from django.urls import path

from cache_stock import views

urlpatterns = [
    path("cache/warmup", views.WarmupView.as_view(), name="cache-warmup"),
    path("cache/stats", views.StatsView.as_view(), name="cache-stats"),
    path("cache/flush", views.FlushView.as_view(), name="cache-flush"),
    path("productos", views.ProductListView.as_view(), name="productos-lista"),
    path("productos/disponible", views.LiveStockView.as_view(), name="productos-disponible"),
    path("productos/<uuid:producto_id>", views.ProductView.as_view(), name="productos-detalle"),
]
