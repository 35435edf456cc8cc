"""The answers to requests that went wrong: a page that says what happened and the way back, or a toast for HTMX."""

import logging
import re
import sys
import uuid
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

log = logging.getLogger(__name__)

BUSY = "The database is busy or away. Try again in a few seconds."
FULL = "The disk of the database is full, so nothing was saved. Make room on it, then try again."
UNKNOWN_HOST = (
    "Millrace does not answer under the name in this address. Whoever runs it can allow the name: "
    "MILLRACE_ALLOWED_HOSTS, or MILLRACE_PUBLIC_URL behind a proxy."
)
WRONG_METHOD = "This address only takes what a form or a button sends, and nothing was changed. Go on from the tasks."
CODES = {403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED", 500: "INTERNAL", 503: "UNAVAILABLE"}  # of GraphQL
LOOK_FIRST = "If you sent something to be saved, look first whether it is there."


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return answer(request, 413, "Too much at once", "The form is larger than 1 MiB. Nothing was saved; send less.")
    if isinstance(exception, TooManyFieldsSent | TooManyFilesSent):
        limits = f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields or {settings.DATA_UPLOAD_MAX_NUMBER_FILES:,} files"
        sentence = f"The form has more than {limits}. Nothing was saved; send less at once."
        return answer(request, 400, "Too many fields", sentence)
    if isinstance(exception, DisallowedHost):
        return answer(request, 400, "Not known by this name", UNKNOWN_HOST)
    return answer(request, 400, "Not understood", "The browser sent something that cannot be read. Nothing was saved.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 Django passes it by name
    sentence = "Your session has changed since the page was loaded. Nothing was saved; reload the page and try again."
    return answer(request, 403, "Please reload the page", sentence)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return answer(request, 403, "Not allowed", "Your account may not do this.")


class WrongMethod:
    """The middleware that gives a wrong method a page, for which Django has none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code != 405 or response.content:
            return response
        page = answer(request, 405, "Not at this address", WRONG_METHOD)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    sentence = "There is nothing at this address: it was deleted, never existed, or is not yours to see."
    return answer(request, 404, "Not found", sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    # Django calls this while it handles the exception, wherever in the request it was raised.
    exception = sys.exception()
    if isinstance(exception, OperationalError | InterfaceError):
        log.warning("%s %s: the database is busy or away: %s", request.method, request.path, _line(exception))
        return _logged(unavailable(request))
    if is_unstorable(exception):
        return bad_request(request)
    error_id = uuid.uuid4().hex[:8]
    log.error("error %s: %s %s failed", error_id, request.method, request.path, exc_info=True)  # noqa: LOG014
    sentence = "Something went wrong on our side; the log has the details under this number."
    return _logged(answer(request, 500, "This did not work", sentence, error_id=error_id))


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 instead of 500 when the database cannot be used now (locked, restarting): the request may be sent again."""
    if _is_full(sys.exception()):
        sentence = FULL
    else:
        only_looks = request.method in ("GET", "HEAD") and not is_graphql(request)
        sentence = BUSY if only_looks else f"{BUSY} {LOOK_FIRST}"
    response = answer(request, 503, "Not available now", sentence)
    response.headers["Retry-After"] = "2"
    return response


def is_unstorable(error: BaseException | None) -> bool:
    """Whether somebody has sent a text that no database can even be asked for (SQLite can for a NUL)."""
    if isinstance(error, UnicodeEncodeError):
        return error.reason == "surrogates not allowed"
    return isinstance(error, DataError) and "NUL (0x00)" in str(error)


def answer(request: HttpRequest, status: int, title: str, sentence: str, error_id: str = "") -> HttpResponse:
    """A whole page without any query; for HTMX a toast, so that what the person was typing stays where it is.

    Nothing for a poll, which comes again and again: the page itself says that its server has trouble. Below /graphql
    JSON, as of its every other answer.
    """
    if is_graphql(request):
        return _in_json(status, sentence, error_id)
    if "HX-PTag" in request.headers:
        return HttpResponse(status=status)
    template = "errors/_toast.html" if request.headers.get("HX-Request") == "true" else "errors/error.html"
    context = {"status": status, "title": title, "sentence": sentence, "error_id": error_id}
    return HttpResponse(render_to_string(template, context), status=status)


def is_graphql(request: HttpRequest) -> bool:
    return request.path == "/graphql" or request.path.startswith("/graphql/")


def first_line(error: BaseException) -> str:
    """What a database's driver says, without the numbers of the system's errors."""
    return re.sub(r"\[Errno -?\d+\] ", "", str(error).strip().partition("\n")[0])


def _in_json(status: int, sentence: str, error_id: str) -> HttpResponse:
    message = f"{sentence} {error_id}" if error_id else sentence
    error = {"message": message, "extensions": {"code": CODES.get(status, "BAD_USER_INPUT")}}
    return JsonResponse({"errors": [error]}, status=status, headers={"Cache-Control": "no-store"})


def _logged(response: HttpResponse) -> HttpResponse:
    """Django would log every answer from 500 on once more."""
    vars(response)["_has_been_logged"] = True
    return response


def _is_full(error: BaseException | None) -> bool:
    """As SQLite and PostgreSQL say it."""
    while error is not None and not re.search("disk is full|No space left on device", str(error)):
        error = error.__cause__ or error.__context__
    return error is not None


def _line(exception: BaseException) -> str:
    return " ".join(str(exception).split())
