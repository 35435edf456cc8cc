"""Artifacts of code that nobody vouches for: its own bytes and no others, within limits that the worker keeps."""

from collections.abc import Iterator

import pytest

from tests.fixtures.broker import Broker
from tests.workers.fixtures import started
from tests.workers.rig import Event, Rabbit, Web, ready, serving
from tests.workers.sandbox.test_in_a_worker import HANDLERS, House, others_are_served
from workers.slot import INTRUDER

__all__ = ["others_are_served"]

MB = 1 << 20
PNG = b"\x89PNG\r\n\x1a\na plot"
ARTIFACT = "from workers.task import artifact\n"
SAYS = """
import json, os, socket, struct
for number in range(3, 20):
    try:
        link = socket.socket(fileno=os.dup(number))
        break
    except OSError:
        pass
def say(sort, data=b"", nth=1, task=TASK):
    link.send(b"\\0" + struct.pack(">cQIIc", b"P", task, 1, nth, sort) + data)
label = json.dumps({"name": "x", "content_type": "text/csv"}).encode()
"""
PLOTS = f"""
import sys, types
class Figure:
    def savefig(self, buffer, **how):
        buffer.write({PNG!r})
    def __repr__(self):
        return "<Figure>"
def module(name, **content):
    sys.modules[name] = made = types.ModuleType(name)
    vars(made).update(content)
module("matplotlib.figure", Figure=Figure)
module("matplotlib.pyplot", get_fignums=lambda: [1], figure=lambda number: figure, close=lambda what: None)
figure = Figure()
"""


@pytest.fixture(scope="module")
def house(broker: Broker) -> Iterator[House]:
    rabbit = Rabbit(broker)
    rabbit.make_queues()
    with serving(Web()) as web:
        given = {"MILLRACE_URL": web.url, "MILLRACE_HANDLERS": HANDLERS, "MILLRACE_ARTIFACT_BYTES": "1MiB"}
        with started(broker, "workers", "--concurrency", "2", **given) as process:
            yield House(rabbit, ready(process))


def made_by(house: House, code: str) -> tuple[Event, dict[str, bytes]]:
    number = house.put(code)  # in which TASK stands for its number
    return house.rabbit.outcome(number), house.rabbit.artifacts(number)


def test_it_keeps_files_and_bytes_of_its_own(house: House) -> None:
    code = "open('rows.csv', 'w').write('a,b')\nartifact('rows.csv', 'rows.csv')\nartifact(bytes(700_000), 'zeros')"
    outcome, made = made_by(house, ARTIFACT + code)
    assert outcome["status"] == "FINISHED"
    assert made == {"rows.csv": b"a,b", "zeros": bytes(700_000)}


REFUSED = [
    ("import os\nos.symlink('/etc/passwd', 'x')\nartifact('x', 'x')", "cannot be read"),
    (f"import os\nos.symlink({__file__!r}, 'x')\nartifact('x', 'x')", "cannot be read"),
    ("import os\nos.symlink('/dev/zero', 'x')\nartifact('x', 'x')", "a device"),
    ("artifact('/dev/urandom', 'x')", "a device"),
    ("import os\nos.mkfifo('x')\nartifact('x', 'x')", ""),
    ("artifact('/tmp', 'x')", "a folder"),
    ("artifact(bytes(1_048_577), 'x')", "at most 1,048,576 bytes"),
    ("artifact(b'', '../x')", "no path"),
    ("for n in range(101):\n    artifact(b'', f'{n}')", "at most 100 artifacts"),
    ("artifact(5, 'x')", "not of a int"),
    ("artifact(b'', 'x', 'text/html; x')", "content_type"),
]


@pytest.mark.parametrize(("code", "said"), REFUSED)
def test_what_cannot_be_kept_is_told_in_the_code(house: House, code: str, said: str) -> None:
    outcome, made = made_by(house, ARTIFACT + code)
    assert (outcome["status"], outcome["reason"]) == ("FAILED", "ERROR")
    assert outcome["error"]["type"] in ("ArtifactRefused", "PermissionError", "FileNotFoundError")
    assert said in outcome["error"]["message"]
    assert set(made) <= {str(n) for n in range(100)}


FORGED = [
    "say(b'd', b'x')",
    "say(b'e')",
    "say(b'b', b'no label')",
    "say(b'b', label.replace(b'x', b'../x', 1))",
    "say(b'b', label.replace(b'text/csv', b'text/html; x'))",
    "say(b'b', label)\nsay(b'd', b'x', nth=2)",
    "say(b'b', label)\nsay(b'd', b'x')\nsay(b'd', b'short ones')",
    "say(b'b', label)\nsay(b'd', b'')",
    "say(b'b', label)\nsay(b'd', bytes(61_441))",
    "say(b'b', label)\nwhile True:\n    say(b'd', bytes(61_440))",
    "while True:\n    say(b'b', label)",
    "say(b'?', label)",
    "say(b'b', label, task=TASK + 1)",
    "link.send(b'\\0P')",
    "import os\nos.environ['MILLRACE_ARTIFACT_BYTES'] = '1GiB'\n" + ARTIFACT + "artifact(bytes(2_000_000), 'x')",
]


@pytest.mark.parametrize("forged", FORGED)
def test_who_forges_an_artifact_loses_the_process_and_has_none(house: House, forged: str) -> None:
    outcome, made = made_by(house, f"{SAYS}{forged}\nimport time\ntime.sleep(600)")
    assert (outcome["reason"], outcome["error"]["message"]) == ("CRASHED", INTRUDER)
    assert made == {}


def test_all_together_have_a_limit_too(house: House) -> None:
    outcome, made = made_by(house, ARTIFACT + "for n in range(11):\n    artifact(bytes(1_048_576), f'{n}')")
    assert outcome["reason"] == "CRASHED"
    assert len(made) == 10


TABLE = """
class Table:
    def _repr_html_(self):
        return '<b>1</b>'
    def __repr__(self):
        return 'T'
"""
SHOWN = [
    (f"{TABLE}Table()", '"T"', {"result.html": b"<b>1</b>"}),
    ("from workers.task import Markdown\nMarkdown('# Fit')", '"# Fit"', {"result.md": b"# Fit"}),
    (f"{PNG!r}", None, {"result.png": PNG}),
    (f"{PLOTS}figure", '"<Figure>"', {"result.png": PNG}),
    (f"{PLOTS}0.5", None, {"figure-1.png": PNG}),
    (f"{PLOTS}{{'a': 1}}", '{"a":1}', {"figure-1.png": PNG}),
    (f"{PLOTS}[object()]", '"1 figure"', {"figure-1.png": PNG}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "result", "made"), SHOWN)
def test_what_it_returns_is_shown_as_in_a_notebook(
    house: House, code: str, result: str | None, made: dict[str, bytes]
) -> None:
    outcome, found = made_by(house, code)
    assert outcome["status"] == "FINISHED"
    assert result in (None, outcome.get("result"))
    assert found == made
    assert all(chunk.label.shown for chunk, _ in house.rabbit.chunks() if chunk.task == outcome["task"])


def test_a_form_that_hangs_meets_the_time_limit(house: House) -> None:
    hangs = "class Slow:\n    def _repr_html_(self):\n        import time\n        time.sleep(600)\nSlow()"
    number = house.put(hangs, limit=0.3)
    assert house.rabbit.outcome(number)["reason"] == "TIMEOUT"
