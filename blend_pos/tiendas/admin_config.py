"""Django's admin app, with this project's site. Not in apps.py: an app may have only one configuration there."""

from django.contrib.admin.apps import AdminConfig


class BlendAdminConfig(AdminConfig):
    """Finds every app's admin.py, as Django's own does."""

    default_site = "blend_pos.tiendas.admin_site.BlendAdminSite"
