"""`/styleguide/`, in development alone: every token and component as the pages have them, in both themes."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from config import specimens

if TYPE_CHECKING:
    from django.http import HttpResponse

    from apps.tasks.views import SignedInRequest

THEMES = ("light", "dark")


@require_safe
def show(request: SignedInRequest) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    context = {**specimens.context(request.user), "specimens": specimens.SPECIMENS, "themes": THEMES}
    response = render(request, "styleguide/styleguide.html", context)
    response.content = _SIDE.sub(_told_apart, response.content)
    return response


# The same fragment stands there twice: its ids are made different, and its landmarks told apart or none.
_SIDE = re.compile(rb"<!--side (?P<prefix>[\w-]+)-->(?P<html>.*?)<!--end-->", re.DOTALL)
_IDS = re.compile(rb' (id|for|form|list|aria-labelledby|aria-describedby|aria-controls)="([^"]*)"')
_SECTION = re.compile(rb'<section([^>]*?) aria-label(?:ledby)?="[^"]*"')
_NAV = re.compile(rb'<nav aria-label="')


def _told_apart(side: re.Match[bytes]) -> bytes:
    prefix = side["prefix"]
    html = _SECTION.sub(rb"<section\1", side["html"])
    html = _NAV.sub(b'<nav aria-label="' + prefix + b" ", html)
    html = html.replace(b"url(#", b"url(#" + prefix + b"-")
    return _IDS.sub(partial(_prefixed, prefix), html)


def _prefixed(prefix: bytes, found: re.Match[bytes]) -> bytes:
    ids = b" ".join(prefix + b"-" + each for each in found[2].split())
    return b' %s="%s"' % (found[1], ids)
