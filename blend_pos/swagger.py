"""Swagger UI from the static files: it works without the internet."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularSwaggerSplitView

# Its page has a <style> block of its own; everything else it needs, our own policy allows.
CONTENT_SECURITY_POLICY = {"style-src": ["'self'", "'unsafe-inline'"]}


@method_decorator(csp_update(CONTENT_SECURITY_POLICY), name="dispatch")
class SwaggerView(SpectacularSwaggerSplitView):
    """The page, and its script under ?script."""

    url_name = "schema"
