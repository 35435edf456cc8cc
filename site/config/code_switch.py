"""Whether people may have code run that they write here, and by whose word, as a sentence."""

import os

from django.conf import settings

GIVEN = "MILLRACE_CODE"


def sentence() -> str:
    so = f"as {GIVEN} says" if os.environ.get(GIVEN) else f"as in {settings.ENV} unless {GIVEN} says otherwise"
    if settings.CODE:
        return f"Code written in the browser is on, {so}: for who has the permission, in a worker's sandbox."
    return f"Code written in the browser is off, {so}: {GIVEN}=on switches it on, for web and workers."
