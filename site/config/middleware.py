"""What every request passes: a busy or absent database is said as such."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse

Handler = Callable[[HttpRequest], HttpResponse]

SENTENCE = "The database is busy or away: nothing was saved. Try again in a few seconds."


class BusyDatabase:
    """503 instead of 500 when the database cannot be used now (locked, restarting): the request may be sent again."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        return unavailable(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": "2"}
    if request.path.startswith("/graphql"):
        error = {"message": SENTENCE, "extensions": {"code": "UNAVAILABLE"}}
        return JsonResponse({"errors": [error]}, status=503, headers=headers)
    return HttpResponse(SENTENCE, status=503, headers=headers, content_type="text/plain; charset=utf-8")
