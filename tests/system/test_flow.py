"""The whole stack on a private RabbitMQ: tasks go out, are killed and restarted under way, and all come home once."""

import re
import urllib.parse
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from typing import Any

from playwright.sync_api import Page, expect

from tests.fixtures.processes import eventually
from tests.fixtures.stack import Stack

CREATE = (
    "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { tasks { number } userErrors { message } } }"
)
OPEN = "{ tasks(first: 1, filter: {status: [QUEUEING, RUNNING]}) { totalCount } }"
ALL = """query($after: String) { tasks(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { number name status value reason error { type } attempts { nodes { number status } } }
} }"""
ONE = """query($number: Int!) { task(number: $number) {
  status value result error { type } attempts { nodes { number workerName } }
} }"""
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def create(stack: Stack, count: int, kind: str = "demo.noop", **params: Any) -> list[int]:
    tasks = [{"name": f"{kind} {n}", "kind": kind, "params": params} for n in range(count)]
    payload = stack.call(CREATE, input=tasks)["createTasks"]
    assert payload["userErrors"] == []
    return [task["number"] for task in payload["tasks"]]


def settled(stack: Stack) -> bool:
    return bool(stack.call(OPEN)["tasks"]["totalCount"] == 0)


def every_task(stack: Stack) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = []
    after, more = None, True
    while more:
        page = stack.call(ALL, after=after)["tasks"]
        tasks += page["nodes"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return tasks


class FormClient:
    """A person with a browser that has no JavaScript."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open
        self._open(stack.manage("link"), timeout=120).read()

    def create_many(self, count: int, kind: str, **params: Any) -> None:
        for n in range(count):
            self.create(f"by form {n}", kind, **params)

    def create(self, name: str, kind: str, **params: Any) -> None:
        address = f"{self._stack.url}/tasks/new/?kind={kind}"
        token = TOKEN.search(self._open(address, timeout=120).read().decode())
        assert token
        fields = {"name": name, "kind": kind, "csrfmiddlewaretoken": token[1]}
        fields |= {f"p.{key}": str(value) for key, value in params.items()}
        request = urllib.request.Request(address, urllib.parse.urlencode(fields).encode(), {"Referer": address})
        self._open(request, timeout=120).read()


def test_300_tasks_survive_the_death_of_a_worker_and_restarts_of_sink_and_web(stack: Stack, page: Page) -> None:
    before = len(every_task(stack))
    coin = {"failure_rate": 0.4, "seconds": 0.05}
    person = FormClient(stack)

    with ThreadPoolExecutor() as clients:
        by_api = clients.submit(create, stack, 240, "demo.coin", **coin)
        by_form = clients.submit(person.create_many, 60, "demo.coin", **coin)
        by_api.result()
        by_form.result()
    stack.kill("worker")
    stack.kill("sink")
    stack.kill("web")
    eventually(lambda: answers(stack))
    eventually(lambda: settled(stack))

    tasks = every_task(stack)[: len(every_task(stack)) - before]
    statuses = Counter(task["status"] for task in tasks)
    assert len(tasks) == 300
    assert statuses["FINISHED"] + statuses["FAILED"] == 300
    assert 80 <= statuses["FAILED"] <= 160  # 120 expected; five standard deviations
    for task in tasks:
        assert [attempt["status"] for attempt in task["attempts"]["nodes"]] == [task["status"]]
        assert (task["value"] is not None) == (task["status"] == "FINISHED"), task
        assert (task["error"] is not None) == (task["status"] == "FAILED"), task

    page.goto(stack.manage("link"))
    everything = Counter(task["status"] for task in every_task(stack))
    expect(page.locator("#counts")).to_contain_text(f"Finished {everything['FINISHED']}")
    expect(page.locator("#counts")).to_contain_text(f"Failed {everything['FAILED']}")
    shown = {row.split("\t")[1]: row for row in page.locator("tbody tr").all_inner_texts()}
    for task in tasks[:50]:
        assert task["status"].lower() in shown[str(task["number"])].lower()


def answers(stack: Stack) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{stack.url}/healthz", timeout=60).status == 200)
    except OSError:
        return False


def test_a_killed_workers_task_goes_to_another_within_seconds(stack: Stack) -> None:
    [number] = create(stack, 1, "demo.coin", failure_rate=0, seconds=3)
    eventually(lambda: stack.call(ONE, number=number)["task"]["status"] == "RUNNING")
    [attempt] = stack.call(ONE, number=number)["task"]["attempts"]["nodes"]
    pid = int(attempt["workerName"].split(":")[1])
    assert pid in stack.pids("worker")
    stack.kill_pid(pid)
    eventually(
        lambda: stack.call(ONE, number=number)["task"]["attempts"]["nodes"][0]["workerName"] != attempt["workerName"],
        15,  # a dead peer whose connection stays open would be noticed after 40 s
    )
    eventually(lambda: settled(stack))
    task = stack.call(ONE, number=number)["task"]
    assert (task["status"], len(task["attempts"]["nodes"])) == ("FINISHED", 1)
    eventually(lambda: len(stack.pids("worker")) == 3)


def test_each_kind_comes_home_with_its_value(stack: Stack) -> None:
    [noop] = create(stack, 1, "demo.noop", x={"a": [1, None, "ü"]})
    [number] = create(stack, 1, "demo.noop", x=7)
    [coin] = create(stack, 1, "demo.coin", failure_rate=1, seconds=0)
    [mean] = create(stack, 1, "montecarlo.sde", paths=2000, steps=50, seed=1)
    eventually(lambda: settled(stack))
    assert stack.call(ONE, number=noop)["task"]["result"] == {"a": [1, None, "ü"]}
    assert stack.call(ONE, number=number)["task"]["value"] == 7
    assert stack.call(ONE, number=coin)["task"]["error"]["type"] == "SimulatedFailure"
    assert isinstance(stack.call(ONE, number=mean)["task"]["value"], float)


def test_the_broker_may_die_and_come_back(stack: Stack) -> None:
    create(stack, 20, "demo.coin", failure_rate=0, seconds=0.2)
    stack.kill("broker")
    later = create(stack, 20, "demo.noop", x=1)
    eventually(lambda: settled(stack))
    assert {task["status"] for task in every_task(stack) if task["number"] in later} == {"FINISHED"}


def test_a_stopped_stack_carries_on_where_it_was_and_leaves_nothing_behind(stack: Stack) -> None:
    numbers = create(stack, 30, "demo.coin", failure_rate=0, seconds=0.3)
    assert stack.stop() == 0
    assert stack.leftovers() == []
    stack.start()
    eventually(lambda: settled(stack))
    tasks = {task["number"]: task for task in every_task(stack)}
    assert {tasks[number]["status"] for number in numbers} == {"FINISHED"}


def test_kill_9_of_the_starter_leaves_no_process_and_loses_no_task(stack: Stack) -> None:
    numbers = create(stack, 40, "demo.coin", failure_rate=0, seconds=0.3)
    stack.kill_starter()
    stack.start()
    eventually(lambda: settled(stack))
    tasks = {task["number"]: task for task in every_task(stack)}
    assert {tasks[number]["status"] for number in numbers} == {"FINISHED"}
    assert {len(tasks[number]["attempts"]["nodes"]) for number in numbers} == {1}
