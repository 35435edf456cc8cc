"""What workers have installed, in GraphQL."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import graphene

from apps.api.schema import JSON
from apps.queues.environments import Summary
from apps.tasks.environments import Installed

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from apps.queues.models import Environment


HASH_LENGTH = 16


class EnvironmentType(graphene.ObjectType):
    """What a worker has installed."""

    class Meta:
        name = "Environment"

    id = graphene.ID(required=True, description="The same for all that have the same.")
    python = graphene.String()
    packages_hash = graphene.String(required=True, description="The same for the same packages in the same versions.")
    packages = graphene.Field(JSON, required=True, description="The version of each by its name.")
    sandbox = graphene.String(description="full, reduced or none; null when it runs no code.")
    sandbox_missing = graphene.List(
        graphene.NonNull(graphene.String), required=True, description="What its sandbox lacks, as sentences."
    )
    sandbox_fix = graphene.String(description="The line that would mend it.")

    def resolve_id(kept: Environment, info: GraphQLResolveInfo) -> str:
        return kept.digest

    def resolve_python(kept: Environment, info: GraphQLResolveInfo) -> str | None:
        return _summary(kept).python or None

    def resolve_packages_hash(kept: Environment, info: GraphQLResolveInfo) -> str:
        text = json.dumps(Installed.of(kept.data).packages, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]

    def resolve_packages(kept: Environment, info: GraphQLResolveInfo) -> dict[str, str]:
        return Installed.of(kept.data).packages

    def resolve_sandbox(kept: Environment, info: GraphQLResolveInfo) -> str | None:
        return _summary(kept).sandbox or None

    def resolve_sandbox_missing(kept: Environment, info: GraphQLResolveInfo) -> list[str]:
        return list(_summary(kept).missing)

    def resolve_sandbox_fix(kept: Environment, info: GraphQLResolveInfo) -> str | None:
        return _summary(kept).fix or None


def _summary(kept: Environment) -> Summary:
    return Summary.of(kept.digest, kept.data)
