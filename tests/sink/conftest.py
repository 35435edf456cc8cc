"""Fixtures of this folder."""

from tests.workers.fixtures import rabbit, start, web

__all__ = ["rabbit", "start", "web"]
