"""The web server and who watches it: the checkout answers, /metrics is read, and what it counts is as it should be."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ventas.golive.asking import CHECKOUT, as_the_proxy, ask, read_fields
from ventas.golive.findings import Asked, Check, Finding, Part, Text, advice, failed, passed
from ventas.golive.scrape import Judge, Page

NOWHERE = "/golive_check/no-hay-nada-aqui"
TECHNICAL = b"<code>DEBUG = True</code>"  # Django's own page, which shows each address and more


class Watched:
    """One look at /metrics, and what its lines say of it."""

    def __init__(self, judges: Mapping[str, tuple[Text, Judge]]) -> None:
        """`judges`: what to say of the page, by the line's key, with the line's name."""
        self._judges = judges
        self._page: Page | None = None

    def part(self) -> Part:
        """The web server's lines, then those that the page answers."""
        own = (
            Check("web.checkout", gettext_lazy("El checkout contesta"), checkout_answers),
            Check("web.debug", gettext_lazy("DEBUG apagado en web"), debug_is_off),
            Check("web.metrics", "/metrics", self.read),
            Check("monitoring.prometheus", "Prometheus", prometheus),
            Check("monitoring.grafana", "Grafana", grafana),
        )
        read = tuple(Check(key, name, self._asking(judge)) for key, (name, judge) in self._judges.items())
        return Part(
            "Web",
            own + read,
            gettext_lazy("¿Corre web, y es esa su dirección? --web-url, --metrics-url. docs/operations.md."),
            within_s=15.0,
        )

    def read(self, asked: Asked) -> Finding:
        """Take the page."""
        token: str = settings.METRICS_TOKEN
        who = {"Authorization": f"Bearer {token}"} if token else {}
        status, body = ask(asked.metrics_url, headers={**as_the_proxy(asked.metrics_url), **who})
        if status != HTTPStatus.OK:
            return failed(_("contesta %(estado)d") % {"estado": status}, _why_not(status))
        self._page = Page.parse(body.decode())
        if not self._page.tells("part_up"):  # as while one of the servers is frozen
            return failed(
                _("%(n)d cifras, y ninguna dice a quién alcanza web") % {"n": len(self._page)},
                _("Un servidor deja entrar y no contesta: las líneas de arriba dicen cuál; si no, el registro de web."),
            )
        away = self._page.away()
        if away:
            return failed(
                _("web no alcanza: %(cuales)s") % {"cuales": ", ".join(away)},
                _("¿Tiene web las direcciones de los tres servidores? Su registro dice cuál falla."),
            )
        return passed(_("%(n)d cifras") % {"n": len(self._page)})

    def _asking(self, judge: Judge) -> Callable[[Asked], Finding]:
        def look(asked: Asked) -> Finding:
            if self._page is None:
                return failed(_("no se pudo medir"), _("Primero la línea de /metrics."))
            return judge(self._page)

        return look


def checkout_answers(asked: Asked) -> Finding:
    """It is there, and asks who one is."""
    headers = {**as_the_proxy(asked.web_url), "Content-Type": "application/json"}
    status, body = ask(asked.web_url.rstrip("/") + CHECKOUT, headers=headers, data=b"{}")
    codigo = read_fields(body).get("codigo", "")
    if status == HTTPStatus.UNAUTHORIZED and codigo:
        return passed(_("pide su token (%(codigo)s)") % {"codigo": codigo})
    return failed(
        _("contesta %(estado)d %(codigo)s") % {"estado": status, "codigo": codigo},
        _("¿Es esa la dirección de web, esta versión la suya, y uno de ALLOWED_HOSTS el nombre que se pide?"),
    )


def debug_is_off(asked: Asked) -> Finding:
    """In web's own settings, which may be others than this command's: asked for what is not there, it shows nothing."""
    status, body = ask(asked.web_url.rstrip("/") + NOWHERE, headers=as_the_proxy(asked.web_url))
    if TECHNICAL in body:
        return failed(
            _("encendido: sus errores muestran a cualquiera cómo está hecho"),
            _("DEBUG=false donde web lo lee (.env, web.env, su entorno), o quítalo; y arranca web otra vez."),
        )
    if status != HTTPStatus.NOT_FOUND:
        return failed(_("contesta %(estado)d a lo que no existe") % {"estado": status}, _why_not(status))
    return passed(_("sí"))


def _why_not(status: int) -> str:
    if status == HTTPStatus.BAD_REQUEST:
        return _("El nombre que se pide no es de los ALLOWED_HOSTS de web: pide por otro, o añádelo allí.")
    if status == HTTPStatus.NOT_FOUND:
        return _("Sin METRICS_TOKEN solo lo lee la máquina de web; con él, que sea aquí el mismo que allí.")
    return _("¿Es esa la dirección de web, y no la de otro? Su registro dice más.")


def prometheus(asked: Asked) -> Finding:
    """It asks us, and gets an answer."""
    if not asked.prometheus_url:
        return advice(_("no se sabe dónde está"), _("Dilo: --prometheus-url http://127.0.0.1:9090."))
    status, body = ask(asked.prometheus_url.rstrip("/") + "/api/v1/query?query=up")
    todo = _("Prometheus → Status → Targets dice a quién no alcanza, y por qué.")
    if status != HTTPStatus.OK:
        return failed(_("contesta %(estado)d") % {"estado": status}, todo)
    targets = read_targets(body)
    down = sorted(name for name, is_up in targets if not is_up)
    if down or not targets:
        return failed(_("no alcanza: %(cuales)s") % {"cuales": ", ".join(down) or _("a nadie")}, todo)
    return passed(_("pregunta a %(n)d") % {"n": len(targets)})


def grafana(asked: Asked) -> Finding:
    """It is up, with its database."""
    if not asked.grafana_url:
        return advice(_("no se sabe dónde está"), _("Dilo: --grafana-url http://127.0.0.1:3000."))
    status, body = ask(asked.grafana_url.rstrip("/") + "/api/health")
    if status == HTTPStatus.OK and read_fields(body).get("database") == "ok":
        return passed(_("contesta"))
    return failed(_("contesta %(estado)d") % {"estado": status}, _("El registro de Grafana dice qué le falta."))


def read_targets(body: bytes) -> list[tuple[str, bool]]:
    """What Prometheus answers to `up`: whom it asks, and whether they answer. Raises ValueError."""
    try:
        targets = read_fields(body)["data"]["result"]
        return [(str(target["metric"].get("instance", "?")), float(target["value"][1]) == 1) for target in targets]
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(_("no es la respuesta de Prometheus")) from error
