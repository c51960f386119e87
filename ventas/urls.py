"""/api/v1/ventas."""

from django.urls import path

from ventas import closing_views, views

urlpatterns = [
    path("ventas/checkout", views.CheckoutView.as_view(), name="ventas-checkout"),
    path("ventas/<uuid:venta_id>", views.VentaView.as_view(), name="ventas-detalle"),
    path("ventas/<uuid:venta_id>/cierre", closing_views.ClosingView.as_view(), name="ventas-cierre"),
    path("ventas", views.VentaListView.as_view(), name="ventas-lista"),
]
