"""A program that uses the GraphQL API as the documentation tells it to: what has no answer is asked again."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import urllib3

from tests.chaos.asked import Asked

CREATE = """mutation($input: [CreateTaskInput!]!) {
  createTasks(input: $input) { tasks { number name } userErrors { message } }
}"""
CANCEL = """mutation($input: TaskActionInput!) {
  cancelTask(input: $input) { task { status } userErrors { message code } }
}"""
RETRY = """mutation($input: RetryTaskInput!) {
  retryTask(input: $input) { task { status } userErrors { message code } }
}"""
STATUS = "query($number: Int!) { task(number: $number) { status } }"
PAGE = """query($after: String) { tasks(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor } nodes { number status }
} }"""
PAUSE_SECONDS = 0.3
ANSWER_SECONDS = 30.0


class Unanswered(Exception):
    """No answer, or one that says that the server could not: whether it was done is not known."""


class Client:
    def __init__(self, url: str, token: str, goes_on: Callable[[], bool] = lambda: True) -> None:
        self._url = f"{url}/graphql/"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._http = urllib3.PoolManager(maxsize=4, retries=False, timeout=ANSWER_SECONDS)
        self._goes_on = goes_on

    def create(self, batch: Sequence[Asked]) -> None:
        """Until it is answered: under their keys a second request makes no second tasks."""
        wanted = [asked.input() for asked in batch]
        while self._goes_on():
            for asked in batch:
                asked.tries += 1
            try:
                payload = self.ask(CREATE, input=wanted)["createTasks"]
            except Unanswered:
                time.sleep(PAUSE_SECONDS)
                continue
            assert payload["userErrors"] == [], payload
            for asked, task in zip(batch, payload["tasks"], strict=True):
                assert task["name"] == asked.ident, task
                asked.numbers.add(task["number"])
            return

    def cancel(self, asked: Asked) -> None:
        """Until it is answered."""
        while self._goes_on():
            try:
                payload = self.ask(CANCEL, input={"id": str(min(asked.numbers))})["cancelTask"]
            except Unanswered:
                asked.cancel_uncertain = True
                time.sleep(PAUSE_SECONDS)
                continue
            if not payload["userErrors"] and payload["task"]["status"] == "CANCELLED":
                asked.cancelled_at = time.monotonic()
            return

    def retry(self, asked: Asked) -> None:
        """Once: asked again, it might be another retry."""
        try:
            payload = self.ask(RETRY, input={"id": str(min(asked.numbers))})["retryTask"]
        except Unanswered:
            asked.retry_uncertain = True
        else:
            asked.retried += not payload["userErrors"]

    def status(self, number: int) -> str:
        """ "" when there is no such task. Raises Unanswered."""
        task = self.ask(STATUS, number=number)["task"]
        return str(task["status"]) if task else ""

    def statuses(self) -> dict[int, str]:
        """Of every task, page by page. Raises Unanswered."""
        found: dict[int, str] = {}
        after, more = None, True
        while more:
            page = self.ask(PAGE, after=after)["tasks"]
            found |= {node["number"]: node["status"] for node in page["nodes"]}
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        return found

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer's `data`. Raises Unanswered."""
        body = json.dumps({"query": query, "variables": variables})
        try:
            answer = self._http.request("POST", self._url, body=body, headers=self._headers)
            read = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unanswered(str(error)) from None
        if answer.status >= 500 or read.get("errors"):
            raise Unanswered(f"HTTP {answer.status}: {answer.data[:300]!r}")
        return read["data"]
