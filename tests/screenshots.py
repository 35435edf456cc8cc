"""Makes the pictures of the README and the docs from the running product: `python -m tests.screenshots`."""

import os
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import expect, sync_playwright  # noqa: E402

from tests.fixtures.browser import system_browser  # noqa: E402
from tests.fixtures.processes import ROOT  # noqa: E402
from tests.fixtures.stack import Stack  # noqa: E402

CODE = """\
import numpy as np

x = np.linspace(0, 1, 50)
print("fitting", len(x), "points")
y = 2 * x + np.random.default_rng(1).normal(0, 0.1, 51)
slope, offset = np.polyfit(x, y, 1)
slope
"""
CREATE = "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { userErrors { message } } }"
FIRST: list[tuple[str, str, dict[str, object]]] = [
    ("Basket option, 20,000 paths", "montecarlo.sde", {"paths": 20000, "steps": 200, "seed": 7}),
    ("Basket option, volatility 0.4", "montecarlo.sde", {"paths": 20000, "volatility": 0.4, "seed": 7}),
    ("Drift check of the nightly run", "montecarlo.sde", {"paths": 5000, "drift": 0.02, "seed": 3}),
    ("Import of the March orders", "demo.coin", {"failure_rate": 1, "seconds": 0.2}),
    ("Summary of the calibration", "demo.noop", {"x": {"mean": 0.25, "runs": 12, "converged": True}}),
    ("Mail to the team", "demo.coin", {"failure_rate": 0, "seconds": 0.1}),
    ("Fit of the calibration", "code.python", {"code": CODE}),
]
THEN: list[tuple[str, str, dict[str, object]]] = [
    (f"Resample {n} of 4", "demo.coin", {"failure_rate": 0, "seconds": 20}) for n in range(1, 5)
]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="millrace-screenshots-") as folder, sync_playwright() as playwright:
        stack = Stack(Path(folder), workers=2)
        stack.start()
        try:
            browser = playwright.chromium.launch(executable_path=system_browser())
            page = browser.new_page(viewport={"width": 1120, "height": 560}, device_scale_factor=1.5)
            page.goto(stack.link)
            _create(stack, FIRST)
            expect(page.locator("#counts")).to_contain_text("Finished 5", timeout=30_000)
            _create(stack, THEN)
            expect(page.locator("#counts")).to_contain_text("Running 2", timeout=30_000)
            page.screenshot(path=ROOT / "docs/img/tasks.png")
            page.get_by_role("link", name="Fit of the calibration").click()
            expect(page.locator("#output")).to_contain_text("fitting 50 points")
            page.screenshot(path=ROOT / "docs/img/task.png", full_page=True)
            page.goto(f"{stack.url}/overview/")
            charts = page.locator("#past svg[role=img]")
            expect(charts).to_have_count(4, timeout=120_000)  # a minute is charted when it is over
            page.screenshot(path=ROOT / "docs/img/overview.png", full_page=True)
            browser.close()
        finally:
            stack.stop()


def _create(stack: Stack, tasks: list[tuple[str, str, dict[str, object]]]) -> None:
    inputs = [{"name": name, "kind": kind, "params": params} for name, kind, params in tasks]
    assert stack.call(CREATE, input=inputs)["createTasks"]["userErrors"] == []


if __name__ == "__main__":
    main()
