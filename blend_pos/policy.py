"""The Content-Security-Policy of an answer: the same for most, so it is put together once."""

from functools import cached_property

from csp.constants import HEADER
from csp.middleware import CSPMiddleware as Csp
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

OF_ITS_OWN = ("_csp_update", "_csp_replace", "_csp_config", "_csp_exempt")


class CSPMiddleware(Csp):
    """The library's, where an answer has a policy of its own or a nonce, and where errors are shown."""

    @cached_property
    def usual(self) -> str:
        """The policy of the settings."""
        return build_policy()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set the header."""
        its_own = any(name in vars(response) for name in OF_ITS_OWN) or "_csp_nonce" in vars(request)
        if its_own or settings.DEBUG:
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self.usual)
        return response
