"""What each peer does, and where: the same task for all, and the servers' addresses."""

import os
from typing import Any

POSTGRESQL = os.environ.get("PEERS_POSTGRESQL", "")
RABBITMQ = os.environ.get("PEERS_RABBITMQ", "")
REDIS = os.environ.get("PEERS_REDIS", "")
SETTING = os.environ.get("PEERS_SETTING", "")  # of the peer: a key of its adapter's SETTINGS
SLOTS = int(os.environ.get("PEERS_SLOTS", "2"))


def params(number: int) -> dict[str, Any]:
    return {"name": "sum", "x": 1.5, "y": 2.25, "n": number}


def outcome(given: dict[str, Any]) -> float:
    """A small JSON object in, a float out."""
    return float(given["x"] * given["y"] + given["n"])


class Sql:
    """One connection, for counting and looking up outcomes."""

    def __init__(self) -> None:
        import psycopg

        self._connection: Any = psycopg.connect(POSTGRESQL, autocommit=True)

    def one(self, question: str, *values: Any) -> Any:
        row = self._connection.execute(question, values).fetchone()
        return row[0] if row else None


class Rows:
    """Watches outcomes that are rows: those of `table` where `ended`."""

    def __init__(self, table: str, key: str, ended: str, sql: Sql | None = None) -> None:
        self._sql = sql or Sql()
        self._count = f"SELECT count(*) FROM {table} WHERE {ended}"
        self._found = f"SELECT 1 FROM {table} WHERE {key} = %s AND {ended}"

    def count(self) -> int:
        return int(self._sql.one(self._count))

    def is_done(self, sent: Any) -> bool:
        return self._sql.one(self._found, sent) is not None


class Keys:
    """Watches outcomes that are keys of one of Redis's databases: `key` of what was sent."""

    def __init__(self, database: int, key: Any) -> None:
        import redis

        self._redis = redis.Redis.from_url(f"{REDIS}/{database}")
        self._key = key

    def count(self) -> int:
        return int(self._redis.dbsize())

    def is_done(self, sent: Any) -> bool:
        return bool(self._redis.exists(self._key(sent)))
