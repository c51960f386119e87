"""What /api/v1/sesion takes and gives, as the schema shows it."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from blend_pos.tiendas.models import Rol


class SignInSerializer(serializers.Serializer[dict[str, Any]]):
    """A name and a password."""

    usuario = serializers.CharField(max_length=150)
    clave = serializers.CharField(max_length=1024, trim_whitespace=False)
    tienda_id = serializers.UUIDField(
        required=False, allow_null=True, help_text=_("La tienda del aparato: los intentos se cuentan por tienda.")
    )


class PersonSerializer(serializers.Serializer[dict[str, Any]]):
    """Who."""

    id = serializers.IntegerField()
    nombre = serializers.CharField()


class TerminalSerializer(serializers.Serializer[dict[str, Any]]):
    """A till that one may sit at."""

    id = serializers.UUIDField()
    numero = serializers.IntegerField()
    nombre = serializers.CharField()


class WorkplaceSerializer(serializers.Serializer[dict[str, Any]]):
    """A tienda that one may work in, with what its till has to know."""

    id = serializers.UUIDField()
    nombre = serializers.CharField()
    rol = serializers.ChoiceField(Rol.choices)
    moneda = serializers.CharField()
    zona_horaria = serializers.CharField()
    configuracion_regional = serializers.CharField(help_text=_("Como se escriben importes y fechas: «es-MX»."))
    encabezado_recibo = serializers.CharField()
    pie_recibo = serializers.CharField()
    codigos_balanza = serializers.ListField(child=serializers.CharField())
    terminales = TerminalSerializer(many=True)


class SessionSerializer(serializers.Serializer[dict[str, Any]]):
    """Who is signed in, and where they may work."""

    usuario = PersonSerializer(allow_null=True)
    tiendas = WorkplaceSerializer(many=True)
    hora = serializers.DateTimeField(help_text=_("La del servidor."))
