"""Who asks by a token, in the one header that may carry it."""

from __future__ import annotations

import structlog

from apps.accounts import tokens
from apps.accounts.permissions import Caller
from apps.audit import origins

NO_TOKEN = "This needs a valid token (Authorization: Bearer ...) or a session."  # noqa: S105 a sentence

log = structlog.get_logger()


def of_header(header: str) -> Caller | None:
    """`header`: the value of Authorization. None: the token is unknown, revoked or expired."""
    kind, _, text = header.partition(" ")
    token = tokens.find(text.strip()) if kind.lower() == "bearer" else None
    if token is None:
        log.info("token.refused", text="token that ends in {end} refused", end=header[-4:])
        return None
    tokens.note_use(token)
    origins.by_token(token)
    known = vars(token)  # for as long as the token and its person are, a second
    if "caller" not in known:
        known["caller"] = Caller.of_token(token)
    caller: Caller = known["caller"]
    return caller
