"""Fixtures of this folder."""

from tests.workers.fixtures import rabbit, start, web, worker

__all__ = ["rabbit", "start", "web", "worker"]
