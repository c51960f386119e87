"""Django's error page of DEBUG=true, without what else is secret here: addresses carry their server's password."""

import re

from django.views.debug import SafeExceptionReporterFilter


class CoveringFilter(SafeExceptionReporterFilter):
    """Covers each setting whose name says that it is an address, too."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|URL|LOCATION|ENDPOINT", re.IGNORECASE
    )
