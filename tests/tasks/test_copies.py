"""The texts that a page offers to be run elsewhere, each really run: whatever stands in them, they mean just that."""

import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.accounts import tokens
from apps.accounts.permissions import Scope
from apps.tasks.models import Kind, Task
from tests.tasks.rows import a_task, text_of

HOSTILE = [
    """it's "quoted" $(touch pwned) `touch pwned` ${HOME} \\ \\n %s {0} ü 🦆 !! # $input""",
    "a' ; touch pwned ; echo '",
]
ODD_PARAMS: dict[str, Any] = {
    "x": "line one\nline two\r\n\t\"\"\" ''' \\\" \x7f\x1b[31m\u202e \u2028 </pre><b> $x 'EOF'",
    "key with 'quotes' $(touch pwned)": [1, -0.25, True, None, {"": 12345678901234567890}],
}
Texts = dict[str, str]


@pytest.fixture
def anything(kinds: dict[str, Kind]) -> None:
    Kind.objects.filter(name="demo.noop").update(schema={"type": "object"})


class Elsewhere:
    """Another place, with nothing but the texts and a token."""

    def __init__(self, user: User, folder: Path, url: str) -> None:
        self._token = tokens.make(user=user, scopes=(Scope.TASKS_WRITE,))[1]
        self._folder, self._url = folder, url

    def run(self, name: str, text: str) -> Any:
        """The answer's data."""
        answer = {"graphql": self._graphql, "curl": self._curl, "python": self._python}[name](text)
        assert not list(self._folder.iterdir()), text
        assert "errors" not in answer, answer
        return answer["data"]

    def _graphql(self, text: str) -> Any:
        _, _, variables = text.partition("\n# Variables: ")
        body = json.dumps({"query": text, "variables": json.loads(variables or "{}")}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self._url}/graphql/", body, headers)) as response:
            return json.load(response)

    def _curl(self, text: str) -> Any:
        return self._output("bash", "-c", text)

    def _python(self, text: str) -> Any:
        return self._output(sys.executable, "-I", "-c", text)

    def _output(self, *command: str) -> Any:
        environment = {"PATH": os.environ["PATH"], "MILLRACE_API_TOKEN": self._token}
        return json.loads(subprocess.check_output(command, cwd=self._folder, env=environment, timeout=150))


@pytest.fixture
def elsewhere(alice: User, live_server: Any, tmp_path: Path) -> Elsewhere:
    return Elsewhere(alice, tmp_path, live_server.url)


def texts(web: Client, address: str, host: str, **headers: str) -> Texts:
    html = text_of(web.get(address, headers={"host": host.removeprefix("http://"), **headers}))
    return {name: unescape(text) for name, text in re.findall(r'<pre id="as-(\w+)"[^>]*>(.*?)</pre>', html, re.DOTALL)}


@pytest.mark.usefixtures("anything")
@pytest.mark.parametrize("params", [{"x": ODD_PARAMS["x"]}, ODD_PARAMS, {"x": "# y = 1\n" * 2_000}, {}])
def test_a_task_is_created_like_another_from_each_of_the_texts(
    web: Client, alice: User, live_server: Any, elsewhere: Elsewhere, params: dict[str, Any]
) -> None:
    Kind.objects.update(timeout_seconds=60)
    first = a_task(alice, name=HOSTILE[0], params=params, priority=-7, timeout_seconds=1.5, max_attempts=3)
    made = texts(web, f"/tasks/{first.pk}/copy/", live_server.url)
    assert list(made) == ["graphql", "curl", "python"]
    for name, text in made.items():
        payload = elsewhere.run(name, text)["createTask"]
        assert payload["userErrors"] == []
        task = Task.objects.get(pk=payload["task"]["number"])
        assert (task.name, task.kind, task.params) == (first.name, first.kind, params)
        assert (task.priority, task.timeout_seconds, task.max_attempts) == (-7, 1.5, 3)


def test_the_view_of_the_table_is_asked_for_by_each_of_the_texts(
    web: Client, alice: User, live_server: Any, elsewhere: Elsewhere
) -> None:
    found = [a_task(alice, name=name, status="FAILED", run_seconds=n).pk for n, name in enumerate(HOSTILE)]
    a_task(alice, name=HOSTILE[0])
    a_task(alice, name="another", status="FAILED", run_seconds=9)
    web.post("/tasks/look/", {"column": ["name", "kind", "queue", "by", "value", "worker", "ran", "priority"]})
    quoted = [HOSTILE[n].replace("\\", "\\\\").replace('"', '\\"') for n in (0, 1)]
    search = f'status:FAILED name:"{quoted[0]}","{quoted[1]}"'
    address = f"/tasks/?{urllib.parse.urlencode({'q': search, 'sort': '-ran'})}"
    page = texts(web, address.replace("/tasks/", "/tasks/copy/"), live_server.url)
    current = {"HX-Request": "true", "HX-Current-URL": f"{live_server.url}{address}"}
    assert texts(web, "/tasks/copy/", live_server.url, **current) == page
    for name, text in page.items():
        nodes = elsewhere.run(name, text)["tasks"]["nodes"]
        assert [node["number"] for node in nodes] == found[::-1]
        assert [node["name"] for node in nodes] == HOSTILE[::-1]
        assert nodes[0]["createdBy"] == {"username": "alice"}
    plain = texts(web, "/tasks/copy/", live_server.url)
    assert len(elsewhere.run("graphql", plain["graphql"])["tasks"]["nodes"]) == 4


def test_nobody_copies_what_they_may_not_see(web: Client, bob: User) -> None:
    assert web.get(f"/tasks/{a_task(bob).pk}/copy/").status_code == 404
