"""How soon a change is on the screen: `python -m tests.benchmarks.screen [--database postgresql]`.

Starts a stack of its own with 60 finished tasks and opens the table in a browser. Prints the time from the answer of
`createTask` until the browser shows the new row.
"""

import argparse
import os
import random
import statistics
import time
from typing import Any

from tests.benchmarks.bench import CREATE_MANY, CREATE_ONE, running

# Not `locator.wait_for`, which looks no more than twice a second.
SHOWN = """id => new Promise(done => {
  const look = () => document.getElementById(id) ? done() : requestAnimationFrame(look);
  look();
})"""
APPEARANCES = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with running(options.database, workers=2) as (stack, ask):
        tasks = [{"name": f"n{n}", "kind": "demo.noop", "params": {"x": n}} for n in range(60)]
        stack.call(CREATE_MANY, input=tasks)
        while ask("SELECT count(*) FROM tasks_task WHERE status <> 'FINISHED'"):
            time.sleep(0.01)
        appearances = _in_a_browser(stack)
    print(f"{options.database}, load {os.getloadavg()[0]:.1f} at the end")
    print(f"created to on the screen: p50 {statistics.median(appearances):.0f} ms, worst {max(appearances):.0f} ms")


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
