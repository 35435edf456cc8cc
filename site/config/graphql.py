"""The GraphQL endpoint: who may come in, how much they may send, and one answer in JSON.

graphene-django's own view parses and validates each document twice a request, takes forms and plain text, and shows
the text of exceptions; this one is in its place.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.http import HttpResponse, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt
from graphql import ExecutionResult
from graphql.execution.execute import assume_not_awaitable, execute

from apps.accounts import callers, rates
from apps.accounts.permissions import Caller, Scope
from apps.api.context import Context
from config import graphql_limits, graphql_variables
from config.errors import unavailable
from config.graphql_audit import note_refusals
from config.graphql_documents import BadDocument, compiled
from config.graphql_errors import Busy, answer_errors, failure
from config.graphql_rows import RowsContext
from config.schema import schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from graphql import DocumentNode

ADDRESSES = frozenset({"/graphql", "/graphql/"})
BODY_LIMIT = 1_048_576
SINK_BODY_LIMIT = 16 * BODY_LIMIT
NO_OBJECT = "The body must be a JSON object with a query."


class Refused(Exception):
    """The request goes no further."""

    def __init__(self, status: HTTPStatus, message: str, code: str = "BAD_USER_INPUT", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers


@csrf_exempt  # asked below, of those who come with a session
def endpoint(request: HttpRequest) -> HttpResponse:
    try:
        _check_form(request)
        caller = _caller(request)
        query, variables, operation_name = _question(_body(request, caller))
        status, answer = _execute(Context(caller), query, variables, operation_name)
    except Refused as refused:
        return _respond(refused.status, failure(refused.message, refused.code), refused.headers)
    except Busy:
        return unavailable(request)
    return _respond(status, answer)


class Programs:
    """The middleware by which whoever shows a token comes to the endpoint past all that is for browsers.

    Sessions, cookies, messages, addresses of pages: half of what an empty request costs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in ADDRESSES or "Authorization" not in request.headers:
            return self._get_response(request)
        request.get_host()  # raises DisallowedHost, as the middleware does that is passed by
        response = endpoint(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response


def _check_form(request: HttpRequest) -> None:
    """Only what no form and no link of another site can send."""
    if request.method != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Send a POST request.", Allow="POST")
    if request.content_type != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")


def _caller(request: HttpRequest) -> Caller:
    """A request that shows a token stands or falls with it; cookies count only without one."""
    if "Authorization" in request.headers:
        return _by_token(request.headers["Authorization"])
    if not request.user.is_authenticated:
        _refuse_stranger()
    if not _has_csrf_token(request):
        raise Refused(HTTPStatus.FORBIDDEN, "The CSRF token is missing or wrong: reload the page.", "FORBIDDEN")
    return Caller.of_session(request.user)


def _has_csrf_token(request: HttpRequest) -> bool:
    """The check that `csrf_exempt` has put off."""
    check = _Csrf(_no_view)
    check.process_request(request)
    return check.process_view(request, _no_view, (), {}) is None


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _no_view(request: HttpRequest) -> HttpResponse:
    raise AssertionError


def _by_token(header: str) -> Caller:
    caller = callers.of_header(header)
    if caller is None:
        _refuse_stranger()
    return caller


def _refuse_stranger() -> NoReturn:
    raise Refused(HTTPStatus.UNAUTHORIZED, callers.NO_TOKEN, "UNAUTHENTICATED", **{"WWW-Authenticate": "Bearer"})


def _body(request: HttpRequest, caller: Caller) -> bytes:
    limit = SINK_BODY_LIMIT if Scope.SINK in caller.scopes else BODY_LIMIT
    # Read here and not through request.body, whose limit is one for everybody.
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body may have at most {limit:,} bytes.")
        return request.read()
    except (UnreadablePostError, ValueError):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body did not arrive whole.") from None


def _question(body: bytes) -> tuple[str, dict[str, Any], str | None]:
    """The document, its variables and the name of the operation."""
    try:
        data = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is nested too deeply.") from None
    except ValueError:
        raise Refused(HTTPStatus.BAD_REQUEST, NO_OBJECT) from None
    if not isinstance(data, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, NO_OBJECT)
    query, variables, name = data.get("query"), data.get("variables"), data.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise Refused(HTTPStatus.BAD_REQUEST, "query must be a GraphQL document.")
    if not isinstance(variables, dict | None):
        raise Refused(HTTPStatus.BAD_REQUEST, "variables must be a JSON object.")
    if not isinstance(name, str | None):
        raise Refused(HTTPStatus.BAD_REQUEST, "operationName must be a text.")
    return query, variables or {}, name


def _no_constant(name: str) -> NoReturn:
    raise Refused(HTTPStatus.BAD_REQUEST, f"{name} is not a JSON number.")


def _execute(
    context: Context, query: str, variables: dict[str, Any], operation_name: str | None
) -> tuple[HTTPStatus, dict[str, Any]]:
    try:
        document = compiled(query, introspection=context.caller.may_introspect)
        graphql_variables.check_size(document, variables)
    except BadDocument as bad:
        return HTTPStatus.BAD_REQUEST, answer_errors(bad.errors)
    _count(context.caller, document)
    result = execute(
        schema.graphql_schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        execution_context_class=RowsContext,
        is_awaitable=assume_not_awaitable,
    )
    assert isinstance(result, ExecutionResult)  # noqa: S101 nothing here is awaitable
    if not result.errors:
        return HTTPStatus.OK, {"data": result.data}
    note_refusals(result.errors, variables)
    if mistakes := graphql_variables.mistakes(document, variables, operation_name):
        return HTTPStatus.BAD_REQUEST, answer_errors(mistakes)
    answer = {**answer_errors(result.errors), "data": result.data}
    anything = result.data and any(value is not None for value in result.data.values())
    return (HTTPStatus.OK if anything else _status(answer["errors"][0])), answer


def _count(caller: Caller, document: DocumentNode) -> None:
    """Raises Refused when that makes more changes than somebody may make in a minute."""
    most, person = settings.MUTATIONS_PER_MINUTE, caller.counted_as
    count = graphql_limits.mutations(document) if most and person is not None else 0
    if count and person is not None and (seconds := rates.mutations.take(person, count, most)):
        message = f"At most {most:,} changes a minute: wait {seconds} s. createTasks makes up to 1,000 tasks as one."
        raise Refused(HTTPStatus.TOO_MANY_REQUESTS, message, "RATE_LIMITED", **{"Retry-After": str(seconds)})


def _status(error: dict[str, Any]) -> HTTPStatus:
    """Of an answer without any data."""
    statuses = {"FORBIDDEN": HTTPStatus.FORBIDDEN, "INTERNAL": HTTPStatus.INTERNAL_SERVER_ERROR}
    return statuses.get(error["extensions"]["code"], HTTPStatus.BAD_REQUEST)


def _respond(status: HTTPStatus, answer: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    text = json.dumps(answer, allow_nan=False, separators=(",", ":"))
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return HttpResponse(text, status=status, headers=headers, content_type="application/json")
