"""A newcomer's first minutes, in a real browser on the real stack."""

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.fixtures.stack import Stack

CREATE = """mutation($input: [CreateTaskInput!]!) {
  createTasks(input: $input) { tasks { number } userErrors { message } }
}"""


def test_a_newcomer_signs_in_creates_watches_deletes_and_signs_out(stack: Stack, watched: Page) -> None:
    page, link = watched, stack.manage("link")

    page.goto(f"{stack.url}/tasks/")
    expect(page).to_have_url(re.compile("/login/"))

    page.goto(link)
    expect(page).to_have_url(f"{stack.url}/tasks/")
    expect(page.locator("#live[data-htmx-powered]")).to_be_attached()

    page.keyboard.press("c")
    page.get_by_label("Kind").select_option("demo.coin")
    page.get_by_label("Name").fill("my first toss")
    page.get_by_label("failure_rate").fill("0")
    page.get_by_label("seconds", exact=True).fill("3")
    page.get_by_role("button", name="Create", exact=True).click()
    row = page.locator("tbody tr", has_text="my first toss")
    for word in ("Running", "Finished"):
        expect(row).to_contain_text(word)
    expect(row.locator(".t-value")).to_have_text(re.compile(r"^\s*[\d.]+(e-\d+)?\s*$"))
    assert Axe().run(page).violations_count == 0

    row.get_by_role("link", name="my first toss").click()
    expect(page.locator("main")).to_contain_text("Finished")
    expect(page.locator("main")).to_contain_text("demo.coin")
    assert Axe().run(page).violations_count == 0
    page.go_back()

    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)

    page.get_by_role("button", name="admin").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login/"))
    page.goto(link)
    expect(page.locator("main")).to_contain_text("used")


def test_a_queueing_task_is_seen_to_wait_run_and_finish_without_a_reload(stack: Stack, watched: Page) -> None:
    create = "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { userErrors { message } } }"
    watched.goto(stack.manage("link"))
    expect(watched.locator("#live[data-htmx-powered]")).to_be_attached()
    watched.evaluate("window.same = true")
    params = {"failure_rate": 0, "seconds": 3}
    stack.call(create, input=[{"name": f"waits its turn {n}", "kind": "demo.coin", "params": params} for n in range(4)])
    last = watched.locator("tbody tr", has_text="waits its turn 3")
    for word in ("Queueing", "Running", "Finished"):
        expect(last).to_contain_text(word)
    assert watched.evaluate("window.same")


RETURNS_HTML = """
from workers.task import artifact
artifact(bytes(range(256)) * 3000, "weights.bin")

class Table:
    def __repr__(self):
        return "a table"
    def _repr_html_(self):
        return "<table><tr><td>0.25</td></tr></table><script>document.body.textContent = 'ran'</script>"

Table()
"""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
RETURNS_PNG = f"import base64\nbase64.b64decode('{PNG}')"


def test_what_code_returns_is_shown_inert_and_what_it_keeps_is_downloaded(stack: Stack, page: Page) -> None:
    page.goto(stack.manage("link"))
    created = stack.call(CREATE, input=[{"name": "a table", "kind": "code.python", "params": {"code": RETURNS_HTML}}])
    (task,) = created["createTasks"]["tasks"]
    page.goto(f"{stack.url}/tasks/{task['number']}/")
    frame = page.frame_locator("#shown iframe")
    expect(frame.locator("td")).to_have_text("0.25")
    expect(frame.locator("body")).not_to_contain_text("ran")
    expect(page.locator("#artifacts")).to_contain_text("weights.bin")
    assert Axe().run(page).violations_count == 0
    with page.expect_download() as started:
        page.get_by_role("link", name="weights.bin").click()
    assert Path(started.value.path()).read_bytes() == bytes(range(256)) * 3000
    rest = page.request.get(started.value.url, headers={"Range": "bytes=767990-"})
    assert (rest.status, rest.body()) == (206, bytes(range(246, 256)))


def test_a_picture_that_code_returns_is_seen(stack: Stack, watched: Page) -> None:
    page = watched
    page.goto(stack.manage("link"))
    created = stack.call(CREATE, input=[{"name": "a dot", "kind": "code.python", "params": {"code": RETURNS_PNG}}])
    (task,) = created["createTasks"]["tasks"]
    page.goto(f"{stack.url}/tasks/{task['number']}/")
    picture = page.get_by_role("img", name="result.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1


def test_code_typed_into_the_form_is_run_and_shows_its_value_and_output(stack: Stack, watched: Page) -> None:
    page = watched
    page.goto(stack.manage("link"))
    page.goto(f"{stack.url}/tasks/new/?kind=code.python")
    page.get_by_label("Name").fill("a sum")
    page.get_by_label("code", exact=True).fill("print('adds up')\nsum(range(10)) / 4")
    page.get_by_role("button", name="Create", exact=True).click()
    row = page.locator("tbody tr", has_text="a sum")
    expect(row).to_contain_text("Finished")
    expect(row.locator(".t-value")).to_have_text(re.compile(r"11\.25"))
    row.get_by_role("link", name="a sum").click()
    expect(page.locator("main")).to_contain_text("adds up")
    assert Axe().run(page).violations_count == 0
