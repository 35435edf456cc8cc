"""How soon a change is on the screen: `python -m tests.benchmarks.screen [--database postgresql] [--json FILE]`.

Starts a stack of its own with 60 finished tasks and opens the table in a browser. Prints the time from the answer of
`createTask` until the browser shows the new row.
"""

import random
import time
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.bench import CREATE_ONE, create_many, median, running, wait_until_left

# Not `locator.wait_for`, which looks no more than twice a second.
SHOWN = """id => new Promise(done => {
  const look = () => document.getElementById(id) ? done() : requestAnimationFrame(look);
  look();
})"""
APPEARANCES = 40


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with running(options.database, workers=2) as (stack, ask):
        create_many(stack, 60)
        wait_until_left(ask, 0)
        appearances = _in_a_browser(stack)
    told = report.Report("screen", options)
    told.table(f"{options.database}: ms from created to on the screen", "", "p50", "worst", "samples")
    told.row("one row", median(appearances), max(appearances), len(appearances))
    told.save()


def _in_a_browser(stack: Any) -> list[float]:
    from playwright.sync_api import sync_playwright

    from tests.fixtures.browser import system_browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_browser())
        page = browser.new_page()
        page.goto(stack.link)
        return [_appears(stack, page) for _ in range(APPEARANCES)]


def _appears(stack: Any, page: Any) -> float:
    """Milliseconds; the pause before it is random, so that it does not lock on to the page's rhythm."""
    time.sleep(random.uniform(0, 1))
    created = stack.call(CREATE_ONE, input={"name": "appears", "kind": "demo.noop", "params": {"x": 1}})
    started = time.perf_counter()
    page.evaluate(SHOWN, f"task-{created['createTask']['task']['number']}")
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
