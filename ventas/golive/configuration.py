"""The settings, by Django's own `check --deploy` and ours in it: each finding in the line that it belongs to."""

from collections.abc import Sequence
from functools import cached_property

from django.conf import settings
from django.core.checks import WARNING, CheckMessage, run_checks
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ventas.deploy_checks import guessed
from ventas.golive.findings import Asked, Check, Finding, Part, advice, failed, passed

# What browsers reach on this machine alone; "web" is what the other containers call it.
LOCAL = frozenset({"localhost", ".localhost", "127.0.0.1", "[::1]", "web", ""})
SHORTEST_TOKEN = 16
DEBUG, SECRET_KEY, PASSWORDS = {"security.W018"}, {"security.W009", "security.W025"}, {"blend.W001"}
HOSTS = {"security.W020", "blend.W002"}
TLS = {"security.W004", "security.W005", "security.W008", "security.W010", "security.W011", "security.W012"} | {
    "security.W014", "security.W015", "security.W016", "security.W021"
}  # fmt: skip


class Configuration:
    """What one look at the settings found, asked for by line."""

    @cached_property
    def _found(self) -> list[CheckMessage]:
        """From WARNING upwards, without what the settings silence on purpose."""
        found = run_checks(include_deployment_checks=True)
        return [message for message in found if message.level >= WARNING and not message.is_silenced()]

    def part(self) -> Part:
        """The lines."""
        return Part(
            gettext_lazy("Configuración"),
            (
                Check("settings.debug", gettext_lazy("DEBUG apagado"), self.debug),
                Check("settings.secret_key", gettext_lazy("SECRET_KEY propia"), self.secret_key),
                Check("settings.passwords", gettext_lazy("Contraseñas de los servidores"), self.passwords),
                Check("settings.allowed_hosts", "ALLOWED_HOSTS", self.allowed_hosts),
                Check("settings.tls", "HTTPS", self.tls),
                Check("settings.metrics_token", "METRICS_TOKEN", self.metrics_token),
                Check("settings.deploy", "manage.py check --deploy", self.rest),
            ),
            gettext_lazy("manage.py check --deploy dice qué no se puede leer."),
        )

    def debug(self, asked: Asked) -> Finding:
        """An error shows nobody our settings."""
        if self._of(DEBUG):
            return failed(_("encendido"), _("DEBUG=false en .env, o quítalo; y arranca web otra vez."))
        return passed(_("sí"))

    def secret_key(self, asked: Asked) -> Finding:
        """It signs sessions and the messages of sales."""
        if self._of(SECRET_KEY):
            return failed(
                _("corta, o de ejemplo"),
                _(
                    "Haz una: python -c 'import secrets; print(secrets.token_urlsafe(48))'. La de antes, mientras haya "
                    "ventas firmadas con ella, a SECRET_KEY_FALLBACKS."
                ),
            )
        return passed(_("sí"))

    def passwords(self, asked: Asked) -> Finding:
        """None that comes with a server."""
        names = guessed()
        if names:
            return failed(", ".join(names), _("Pon otra al servidor y a la dirección: secrets.token_urlsafe(24)."))
        return passed(_("ninguna de fábrica"))

    def allowed_hosts(self, asked: Asked) -> Finding:
        """The names that tills ask for."""
        names = ", ".join(filter(None, settings.ALLOWED_HOSTS))
        if self._of(HOSTS):
            return failed(names or _("vacío"), _("ALLOWED_HOSTS: el nombre de la tienda en la red, y localhost."))
        if _is_local():
            return advice(
                _("solo esta máquina: %(cuales)s") % {"cuales": names},
                _("Para que entren otras cajas, añade el nombre por el que la piden."),
            )
        return passed(names)

    def tls(self, asked: Asked) -> Finding:
        """Passwords and tokens do not pass a network in clear."""
        found = self._of(TLS)
        if not found:
            return passed(_("sí"))
        todo = _("Un proxy con su certificado delante, y HTTPS=true, BEHIND_PROXY=true: docs/security.md.")
        seen = _("apagado (%(cuales)s)") % {"cuales": ", ".join(str(message.id) for message in found)}
        return advice(seen, todo) if _is_local() else failed(seen, todo)

    def metrics_token(self, asked: Asked) -> Finding:
        """How much is sold is nobody else's business."""
        token: str = settings.METRICS_TOKEN
        todo = _("METRICS_TOKEN: secrets.token_urlsafe(24), en web y en Prometheus.")
        if not token:
            return advice(_("sin él, solo esta máquina lee /metrics"), todo)
        return passed(_("sí")) if len(token) >= SHORTEST_TOKEN else failed(_("corto"), todo)

    def rest(self, asked: Asked) -> Finding:
        """What else Django, or an app, has to say."""
        known = DEBUG | SECRET_KEY | PASSWORDS | HOSTS | TLS
        found = [message for message in self._found if message.id not in known]
        return failed(_texts(found), _("Cada uno dice qué cambiar.")) if found else passed(_("sin avisos"))

    def _of(self, ids: set[str]) -> list[CheckMessage]:
        return [message for message in self._found if message.id in ids]


def _is_local() -> bool:
    return all(name in LOCAL for name in settings.ALLOWED_HOSTS)


def _texts(messages: Sequence[CheckMessage]) -> str:
    return "; ".join(f"{message.id}: {message.msg}" for message in messages)
