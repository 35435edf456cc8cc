"""What people compute with numpy, pandas, scipy and matplotlib, in one worker that has them imported already."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import Any

import pytest

from apps.tasks import examples
from tests.fixtures.broker import Broker
from tests.workers.fixtures import started
from tests.workers.rig import Rabbit, Web, ready, serving, task
from workers.builtin import SANDBOX

PRELOAD = "numpy,numpy.random,pandas,scipy.stats,matplotlib.pyplot"  # as docs/code.md has it
DRAW = "import random\nimport numpy as np\n[random.random(), np.random.rand(), np.random.default_rng().random()]"
CODES = {
    "imported": "import sys\n[name in sys.modules for name in ('numpy', 'pandas', 'scipy.stats', 'matplotlib.pyplot')]",
    "a table": """\
import pandas as pd
sales = pd.DataFrame({"city": ["Bern", "Lyon", "Bern"], "sold": [3, 5, 4]})
sales.groupby("city").agg(sold=("sold", "sum"))""",
    "a column": """\
import pandas as pd
pd.Series([1.5, 2.5], index=pd.date_range("2026-01-01", periods=2), name="height")""",
    "files of a table": """\
import sqlite3
import pandas as pd
from workers.task import artifact
table = pd.DataFrame({"t": pd.to_datetime(["2026-03-01"]), "name": ["Zoë"]})
table.to_csv("table.csv", index=False)
artifact("table.csv", "table.csv")
table.to_sql("t", base := sqlite3.connect("base.db"))
pd.read_csv("table.csv").name[0] + pd.read_sql("select name from t", base).name[0]""",
    "a figure": """\
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 4, 9], label="é")
axes.legend()
figure""",
    "plots on the way": """\
import matplotlib.pyplot as plt
for n in (1, 2):
    plt.figure()
    plt.hist([n])
    plt.show()
0.5""",
    "a plot of pandas": "import pandas as pd\npd.DataFrame({'a': [1, 3, 2]}).plot(title='$x^2$')",
    "a fit": """\
import numpy as np
from scipy.optimize import curve_fit
x = np.linspace(0, 4, 50)
found, covariance = curve_fit(lambda x, a, b: a * np.exp(-b * x), x, 2.5 * np.exp(-1.3 * x))
found""",
    "an equation": """\
from scipy import integrate, linalg, sparse, stats
solved = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], rtol=1e-8)
[solved.y[0, -1], stats.norm.cdf(0), linalg.det([[2.0, 0], [0, 3]]), sparse.eye(3).sum()]""",
    "threads": """\
from concurrent.futures import ThreadPoolExecutor
import numpy as np
def norm(n):
    return float(np.linalg.norm(np.full((300, 300), n) @ np.eye(300)))
with ThreadPoolExecutor(8) as pool:
    norms = list(pool.map(norm, range(16)))
norms""",
    "draws": DRAW,
    "other draws": DRAW,
    "a seed": "import numpy as np\nnp.random.seed(1)\nnp.random.rand()",
    "a pool": """\
import multiprocessing
import numpy as np
def square(x):
    return float(np.square(x))
with multiprocessing.get_context("fork").Pool(2) as pool:
    squares = pool.map(square, range(4))
squares""",
    "all of the memory": "import numpy as np\nnp.ones((100_000, 100_000))",
    **{f"example {name}": example.code for name in ("plot", "table") if (example := examples.find(name))},
}


@dataclass
class Ended:
    outcome: dict[str, Any]
    made: dict[str, bytes]

    @property
    def result(self) -> Any:
        assert self.outcome["status"] == "FINISHED", self.outcome
        return json.loads(self.outcome["result"])


Ends = dict[str, Ended]


@pytest.fixture(scope="module")
def ends(broker: Broker) -> Iterator[Ends]:
    """Of all of them, which are there at once."""
    _compile()
    rabbit = Rabbit(broker)
    rabbit.make_queues()
    given = {"MILLRACE_HANDLERS": SANDBOX, "MILLRACE_SANDBOX_PRELOAD": PRELOAD, "MILLRACE_SANDBOX_PROCESSES": "3"}
    with (
        serving(Web()) as web,
        started(broker, "workers", "--concurrency", "2", MILLRACE_URL=web.url, **given) as process,
    ):
        ready(process)
        numbers = dict(enumerate(CODES, start=1))
        rabbit.put(*[task(number, "code.python", code=CODES[name]) for number, name in numbers.items()])
        outcomes = {each["task"]: each for each in rabbit.outcomes(len(CODES), timeout_seconds=240)}
        yield {name: Ended(outcomes[number], rabbit.artifacts(number)) for number, name in numbers.items()}
        assert "PRELOAD" not in process.output


def _compile() -> None:
    """The setup leaves this to the first import, and the sandbox keeps nothing: it would take 4 s in each run."""
    pandas = find_spec("pandas")
    if pandas and pandas.origin and not Path(cache_from_source(pandas.origin)).exists():
        subprocess.run([sys.executable, "-c", f"import {PRELOAD}"], check=True)


def test_what_is_named_is_there_without_an_import(ends: Ends) -> None:
    assert ends["imported"].result == [True] * 4


def test_a_table_is_shown_and_told_in_short(ends: Ends) -> None:
    assert ends["a table"].result == "DataFrame, 2 × 1"  # noqa: RUF001
    shown = ends["a table"].made["result.html"].decode()
    assert shown.count("<tr") == 4
    assert all(each in shown for each in ("Bern", "<td>7</td>", "Lyon", "<td>5</td>"))


def test_a_column_is_shown_as_a_table(ends: Ends) -> None:
    shown = ends["a column"].made["result.html"].decode()
    assert all(each in shown for each in ("height", "2026-01-02", "<td>2.5</td>"))


def test_tables_are_written_and_read(ends: Ends) -> None:
    assert ends["files of a table"].result == "ZoëZoë"
    assert ends["files of a table"].made == {"table.csv": "t,name\n2026-03-01,Zoë\n".encode()}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("a figure", {"result.png"}),
        ("plots on the way", {"figure-1.png", "figure-2.png"}),
        ("a plot of pandas", {"result.png"}),
    ],
)
def test_figures_are_shown(ends: Ends, name: str, files: set[str]) -> None:
    assert ends[name].outcome["status"] == "FINISHED", ends[name].outcome
    assert ends[name].made.keys() == files
    assert all(made.startswith(b"\x89PNG") and len(made) > 3_000 for made in ends[name].made.values())


def test_a_figure_leaves_the_value_as_it_is(ends: Ends) -> None:
    assert ends["plots on the way"].outcome["value"] == "0.5"


def test_the_examples_are_shown(ends: Ends) -> None:
    assert float(ends["example plot"].outcome["value"]) == pytest.approx(20, abs=2)
    assert ends["example plot"].made.keys() == {"figure-1.png"}
    assert ends["example table"].made.keys() == {"orders.csv", "result.html"}
    assert all(city in ends["example table"].made["result.html"].decode() for city in ("Bern", "Lyon", "Turin"))


def test_scipy_fits_and_solves(ends: Ends) -> None:
    assert ends["a fit"].result == pytest.approx([2.5, 1.3])
    assert ends["an equation"].result == pytest.approx([0.3678794, 0.5, 6, 3])


def test_threads_compute_side_by_side(ends: Ends) -> None:
    assert ends["threads"].result == pytest.approx([300.0 * n for n in range(16)])


def test_chance_is_another_one_in_each_task(ends: Ends) -> None:
    assert not set(ends["draws"].result) & set(ends["other draws"].result)
    assert float(ends["a seed"].outcome["value"]) == pytest.approx(0.417022)


def test_a_pool_of_processes_works_where_they_are_allowed(ends: Ends) -> None:
    assert ends["a pool"].result == [0, 1, 4, 9]


def test_too_large_an_array_is_told_with_its_size(ends: Ends) -> None:
    error = ends["all of the memory"].outcome["error"]
    assert "MemoryError" in error["type"]
    assert "74.5 GiB" in error["message"]
