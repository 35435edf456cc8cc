"""What an attempt printed, in GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphene

from apps.api.errors import BadInput
from apps.tasks import output

if TYPE_CHECKING:
    from apps.api.context import Context
    from apps.tasks.models import Attempt, OutputPiece

MOST_OUTPUTS = 20


class LogStream(graphene.Enum):
    """Where something was printed."""

    STDOUT = "stdout"
    STDERR = "stderr"


class OutputText(graphene.ObjectType):
    """Some text of one stream, as it was printed, with its escape codes."""

    stream = graphene.Field(LogStream, required=True)
    text = graphene.String(required=True)


class OutputPart(graphene.ObjectType):
    """What was printed from byte `position` on, before byte `position + bytes`."""

    position = graphene.Float(required=True)
    bytes = graphene.Float(required=True)
    texts = graphene.List(graphene.NonNull(OutputText), required=True)


class AttemptOutput(graphene.ObjectType):
    """What an attempt printed, stdout and stderr in the order of their arrival.

    Its first 64 KiB grow at their end; of what comes after them the last 64 KiB are kept. An attempt that is run anew
    begins its output anew: `totalBytes` gets smaller then.
    """

    pieces = graphene.List(graphene.NonNull(OutputPart), required=True)
    total_bytes = graphene.Float(required=True)
    left_out_bytes = graphene.Float(required=True, description="How many between the first and the last are not kept.")


def output_of(attempt: Attempt, context: Context, after: float, stream: str | None) -> dict[str, Any]:
    """Raises BadInput when a query asks for too many."""
    asked = context.once(_count)
    asked.append(1)
    if len(asked) > MOST_OUTPUTS:
        raise BadInput(f"At most {MOST_OUTPUTS} outputs in one query: ask for fewer attempts or tasks at once.")
    printed = output.read(attempt)
    pieces = [*printed.head, *printed.tail]
    return {
        "pieces": [_part(piece, stream) for piece in pieces if piece.position >= after],
        "total_bytes": printed.total_bytes,
        "left_out_bytes": printed.left_out_bytes,
    }


def _count() -> list[int]:
    return []


def _part(piece: OutputPiece, stream: str | None) -> dict[str, Any]:
    texts = [{"stream": name, "text": text} for name, text in piece.parts if stream in (None, name)]
    return {"position": piece.position, "bytes": piece.size, "texts": texts}
