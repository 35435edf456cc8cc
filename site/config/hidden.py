"""What Django's page of an error hides of settings and requests, where it is shown at all (MILLRACE_DEBUG)."""

import re

from django.views.debug import SafeExceptionReporterFilter


class Hidden(SafeExceptionReporterFilter):
    """URLs have passwords in them as well, and the options of a storage its keys."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|_URL|STORAGES|COOKIE", re.IGNORECASE
    )
