"""Two apps of others: Django's admin, with this project's site, and axes, under a name of ours.

Not in apps.py: an app may have only one configuration there.
"""

from axes.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class BlendAdminConfig(AdminConfig):
    """Finds every app's admin.py, as Django's own does."""

    default_site = "blend_pos.tiendas.admin_site.BlendAdminSite"


class AttemptsConfig(AppConfig):  # type: ignore[misc] # axes has no types
    """axes, which counts the guesses; its texts are in locale/es."""

    verbose_name = _("Intentos de entrada")
