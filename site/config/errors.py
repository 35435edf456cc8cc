"""The answers to requests that went wrong: a page that says what happened and the way back, or a toast for HTMX."""

import logging
import uuid

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

log = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return answer(request, 413, "Too much at once", "The form is larger than 1 MiB. Nothing was saved; send less.")
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        return answer(request, 400, "Too many fields", "The form has more fields than are accepted. Nothing was saved.")
    return answer(request, 400, "Not understood", "The browser sent something that cannot be read. Nothing was saved.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 Django passes it by name
    sentence = "Your session has changed since the page was loaded. Nothing was saved; reload the page and try again."
    return answer(request, 403, "Please reload the page", sentence)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return answer(request, 403, "Not allowed", "Your account may not do this.")


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    sentence = "There is nothing at this address: it was deleted, never existed, or is not yours to see."
    return answer(request, 404, "Not found", sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    error_id = uuid.uuid4().hex[:8]
    # Django calls this while it handles the exception.
    log.error("error %s: %s %s failed", error_id, request.method, request.path, exc_info=True)  # noqa: LOG014
    sentence = "Something went wrong on our side; the log has the details under this number."
    return answer(request, 500, "This did not work", sentence, error_id=error_id)


def answer(request: HttpRequest, status: int, title: str, sentence: str, error_id: str = "") -> HttpResponse:
    """A whole page without any query; for HTMX a toast, so that what the person was typing stays where it is."""
    template = "errors/_toast.html" if request.headers.get("HX-Request") == "true" else "errors/error.html"
    context = {"status": status, "title": title, "sentence": sentence, "error_id": error_id}
    return HttpResponse(render_to_string(template, context), status=status)
