"""How soon a change is on the screen, what a poll costs: `python -m tests.benchmarks.screen [--database postgresql]`.

Starts a stack of its own with 60 finished tasks and opens the table in a browser. Prints the time from the answer of
`createTask` until the browser shows the new row, and that of an unchanged poll, request to answer, over one connection.
"""

import argparse
import os
import random
import statistics
import time
from typing import Any

import urllib3

from tests.benchmarks.bench import CREATE_MANY, CREATE_ONE, percentile, running

# Not `locator.wait_for`, which looks no more than twice a second.
SHOWN = """id => new Promise(done => {
  const look = () => document.getElementById(id) ? done() : requestAnimationFrame(look);
  look();
})"""
APPEARANCES = 40
POLLS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with running(options.database, workers=2) as (stack, ask):
        tasks = [{"name": f"n{n}", "kind": "demo.noop", "params": {"x": n}} for n in range(60)]
        stack.call(CREATE_MANY, input=tasks)
        while ask("SELECT count(*) FROM tasks_task WHERE status <> 'FINISHED'"):
            time.sleep(0.01)
        polls, appearances = _in_a_browser(stack)
    print(f"{options.database}, load {os.getloadavg()[0]:.1f} at the end")
    print(f"created to on the screen: p50 {statistics.median(appearances):.0f} ms, worst {max(appearances):.0f} ms")
    print(f"unchanged poll (304, 0 bytes): p50 {statistics.median(polls):.2f} ms, p99 {percentile(polls, 99):.2f} ms")


def _in_a_browser(stack: Any) -> tuple[list[float], list[float]]:
    from playwright.sync_api import sync_playwright

    from tests.fixtures.browser import system_browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_browser())
        page = browser.new_page()
        page.goto(stack.link)
        polls = _polls(stack, page)
        page.goto(f"{stack.url}/tasks/")
        return polls, [_appears(stack, page) for _ in range(APPEARANCES)]


def _polls(stack: Any, page: Any) -> list[float]:
    """Milliseconds each, of polls that a signed-in browser would send."""
    live = page.locator("#live")
    address, tag = live.get_attribute("hx-get"), live.get_attribute("hx-ptag")
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies())
    page.goto("about:blank")  # whose own polls would be in the way
    pool = urllib3.HTTPConnectionPool("127.0.0.1", stack.port, maxsize=1)
    headers = {"Cookie": cookies, "HX-Request": "true", "HX-PTag": tag}
    return [_poll(pool, address, headers) for _ in range(POLLS)]


def _poll(pool: urllib3.HTTPConnectionPool, address: str, headers: dict[str, str]) -> float:
    started = time.perf_counter()
    answer = pool.request("GET", address, headers=headers)
    took = (time.perf_counter() - started) * 1000
    assert (answer.status, answer.data) == (304, b""), answer.status
    return took


def _appears(stack: Any, page: Any) -> float:
    """Milliseconds; the pause before it is random, so that it does not lock on to the page's rhythm."""
    time.sleep(random.uniform(0, 1))
    created = stack.call(CREATE_ONE, input={"name": "appears", "kind": "demo.noop", "params": {"x": 1}})
    started = time.perf_counter()
    page.evaluate(SHOWN, f"task-{created['createTask']['task']['number']}")
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
