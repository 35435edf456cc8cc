"""Artifacts over HTTP: the sink's door for their chunks, and the files for those who may see their tasks."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any

from django.http import FileResponse, Http404, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from apps.accounts import callers
from apps.accounts.permissions import Scope
from apps.tasks import artifact_sheet, artifacts, ranges
from apps.tasks.models import Artifact, Task
from workers.artifacts import CHUNK_HEADER, OCTETS, Chunk
from workers.messages import BadMessage, storable

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from apps.accounts.permissions import Person
    from apps.tasks.artifact_sheet import Show
    from apps.tasks.views import SignedInRequest

MOST_BYTES = 1_048_576


@csrf_exempt  # who shows a token shows no cookie
def chunks(request: HttpRequest) -> HttpResponse:
    """Answers in the form of GraphQL, whose codes the sink knows."""
    caller = callers.of_header(request.headers.get("Authorization", ""))
    if caller is None:
        return _refuse(HTTPStatus.UNAUTHORIZED, callers.NO_TOKEN, "UNAUTHENTICATED", **{"WWW-Authenticate": "Bearer"})
    if Scope.SINK not in caller.scopes:
        return _refuse(HTTPStatus.FORBIDDEN, f"This needs the scope {Scope.SINK}.", "FORBIDDEN")
    if request.method != "POST":
        return _refuse(HTTPStatus.METHOD_NOT_ALLOWED, "Send a POST request.", Allow="POST")
    if request.content_type != OCTETS:
        return _refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {OCTETS}.")
    return _store(request)


@require_safe
def file(request: SignedInRequest, number: int, name: str) -> HttpResponseBase:
    """To be downloaded; with `?show=1`, what can be seen without harm is shown."""
    mine = Artifact.objects.filter(task__in=Task.objects.visible_to(_viewer(request)))
    return sent(request, mine, number, name)


def sent(request: HttpRequest, among: QuerySet[Artifact], number: int, name: str) -> HttpResponseBase:
    """The file of one of these. Raises Http404."""
    if not storable(name):
        raise Http404
    try:
        artifact = among.filter(name=name).select_related("file").get(pk=number)
        opened = artifacts.opened(artifact)
    except (Artifact.DoesNotExist, FileNotFoundError):
        raise Http404 from None
    show = artifact_sheet.how_to_show(artifact) if "show" in request.GET else None
    if show and show.make:
        with opened:
            response: HttpResponseBase = HttpResponse(
                show.make(opened.read(show.reads)), content_type=show.content_type
            )
    else:
        response = _bytes(request, artifact, opened, show)
    for header, value in artifact_sheet.headers(show).items():
        response[header] = value
    return response


def _bytes(request: HttpRequest, artifact: Artifact, opened: IO[bytes], show: Show | None) -> HttpResponseBase:
    """As they are stored, or the range of them that is asked for."""
    content_type = show.content_type if show else artifact.content_type
    size, etag = artifact.file.size, f'"{artifact.file.sha256}"'
    how: dict[str, Any] = {"as_attachment": show is None, "filename": artifact.name, "content_type": content_type}
    try:
        span = ranges.wanted(request.headers, size, etag)
    except ranges.Unsatisfiable:
        opened.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if span is None:
        response = FileResponse(opened, **how)
    else:
        opened.seek(span.first)
        response = FileResponse(ranges.Part(opened, span.length), status=206, **how)
        response["Content-Range"], response["Content-Length"] = span.header, str(span.length)
    response["ETag"], response["Accept-Ranges"] = etag, "bytes"
    return response


def _store(request: HttpRequest) -> HttpResponse:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            message = f"The body may have at most {MOST_BYTES:,} bytes."
            return _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        body = request.read()
    except (UnreadablePostError, ValueError):
        # No code: the same may arrive the next time.
        return _refuse(HTTPStatus.BAD_REQUEST, "The body did not arrive whole.", "")
    try:
        verdict = artifacts.store(Chunk.decode(request.headers.get(CHUNK_HEADER)), body)
    except BadMessage as bad:
        return _refuse(HTTPStatus.BAD_REQUEST, str(bad))
    return _respond(HTTPStatus.OK, {"data": {"verdict": verdict}})


def _viewer(request: SignedInRequest) -> Person:
    """A request that shows a token stands or falls with it. Raises PermissionDenied, Http404."""
    if "Authorization" not in request.headers:
        return request.user
    caller = callers.of_header(request.headers["Authorization"])
    if caller is None:
        raise Http404
    caller.require(Scope.TASKS_READ)
    return caller.user


def _refuse(status: HTTPStatus, message: str, code: str = "BAD_USER_INPUT", **headers: str) -> HttpResponse:
    error = {"message": message, "extensions": {"code": code}}
    return _respond(status, {"errors": [error]}, headers)


def _respond(status: HTTPStatus, answer: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    more = {"Cache-Control": "no-store", **(headers or {})}
    return HttpResponse(json.dumps(answer), status=status, headers=more, content_type="application/json")
