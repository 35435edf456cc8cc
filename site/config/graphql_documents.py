"""GraphQL documents: parsed, limited and validated once per distinct text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import FloatValueNode, GraphQLError, GraphQLSyntaxError, parse, print_ast, specified_rules, validate
from graphql.validation import NoSchemaIntrospectionCustomRule, ValidationRule

from apps.api.errors import ApiError, TooComplex
from apps.api.schema import finite
from config import graphql_limits as limits
from config.schema import schema

if TYPE_CHECKING:
    from graphql import DocumentNode

# Programs send the same few documents again and again; those that a person types by hand are gone soon.
KEPT = 64
KEPT_LENGTH = 4_000


class BadDocument(Exception):
    """It is not run, for these reasons."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


def compiled(text: str, *, introspection: bool) -> DocumentNode:
    """The document, ready to execute. Raises BadDocument, which is not remembered."""
    if len(text) > limits.LENGTH:
        raise BadDocument(
            [TooComplex(f"The document may have at most {limits.LENGTH:,} characters (it has {len(text):,}).")]
        )
    return _kept(text, introspection) if len(text) <= KEPT_LENGTH else _compile(text, introspection)


class FiniteFloatsRule(ValidationRule):
    """A literal such as 1e999 would become infinity."""

    def enter_float_value(self, node: FloatValueNode, *_args: Any) -> None:
        if finite(float(node.value)) is None:
            self.report_error(GraphQLError(f"{node.value:.40} is not a finite number.", node))


@lru_cache(maxsize=KEPT)
def _kept(text: str, introspection: bool) -> DocumentNode:
    return _compile(text, introspection)


def _compile(text: str, introspection: bool) -> DocumentNode:
    try:
        document = parse(text, max_tokens=limits.TOKENS)
        limits.check(document, schema.graphql_schema)
    except ApiError as error:
        raise BadDocument([error]) from None
    except GraphQLSyntaxError as error:
        raise BadDocument([_too_complex(error) or error]) from None
    except RecursionError:
        raise BadDocument([TooComplex("The document is nested too deeply.")]) from None
    rules = [*specified_rules, FiniteFloatsRule]
    if not introspection:
        rules.append(NoSchemaIntrospectionCustomRule)
    if errors := validate(schema.graphql_schema, document, rules, max_errors=20):
        raise BadDocument([_told(error) for error in errors])
    return document


def _told(error: GraphQLError) -> GraphQLError:
    """What Python says of a value that it cannot read, such as a number of 5,000 digits, is nobody's to see."""
    if error.nodes and error.original_error and not isinstance(error.original_error, GraphQLError):
        return GraphQLError(f"This value cannot be read: {print_ast(error.nodes[0]):.40}...", error.nodes)
    return error


def _too_complex(error: GraphQLSyntaxError) -> TooComplex | None:
    """graphql-core's parser tells its own limits as mistakes of syntax."""
    if "tokens" in error.message:
        return TooComplex(f"The document may have at most {limits.TOKENS:,} tokens.")
    return TooComplex("The document is nested too deeply.") if "nested too deeply" in error.message else None
