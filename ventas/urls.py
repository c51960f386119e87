"""/api/v1/ventas."""

from django.urls import path

from ventas import views

urlpatterns = [
    path("ventas/checkout", views.CheckoutView.as_view(), name="ventas-checkout"),
    path("ventas/<uuid:venta_id>", views.VentaView.as_view(), name="ventas-detalle"),
    path("ventas", views.VentaListView.as_view(), name="ventas-lista"),
]
