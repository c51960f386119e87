"""Swagger UI from the static files: it works without the internet."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularSwaggerSplitView

# Its page has one <style> block, allowed here by its digest; everything else it needs, our own policy allows.
CONTENT_SECURITY_POLICY = {"style-src": ["'self'", "'sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0='"]}


@method_decorator(csp_update(CONTENT_SECURITY_POLICY), name="dispatch")
class SwaggerView(SpectacularSwaggerSplitView):
    """The page, and its script under ?script."""

    url_name = "schema"
