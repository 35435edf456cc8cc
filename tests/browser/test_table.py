"""The table in a real browser: how it is laid out, walked through and remembered."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from apps.tasks.columns import COLUMNS
from apps.tasks.models import TableLook, Task
from tests.browser.rows import change, chip

Open = Callable[[str], Page]
Make = Callable[..., Task]


def test_cards_can_be_ordered_too(opened: Open, console: Page, make: Make, alice: User) -> None:
    for name in ("b", "a", "c"):
        make(name=name, status="FINISHED")
    TableLook.objects.create(user=alice, columns=list(COLUMNS))
    console.set_viewport_size({"width": 360, "height": 640})
    page = opened("/tasks/")
    heads = page.locator("thead a:visible")
    words = "Name, Kind, Queue, Priority, Value, Worker, Run time, Status, Started, Finished, Created at"
    expect(heads).to_have_text(words.split(", "))
    for head in heads.all():
        expect(head).to_be_in_viewport(ratio=1)
        assert (head.bounding_box() or {"height": 0})["height"] >= 24
    assert page.evaluate("getComputedStyle(document.querySelector('thead .t-queue'), '::before').content") == "none"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("link", name="Name").click()
    expect(page.locator("tbody .t-name")).to_have_text(["a", "b", "c"])


def test_what_has_the_focus_is_not_hidden_under_what_sticks(opened: Open, make: Make) -> None:
    for _ in range(50):
        make()
    page = opened("/tasks/")
    page.keyboard.press("j")
    for _ in range(30):
        page.keyboard.press("j")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert top >= page.locator("thead th").first.evaluate("head => head.getBoundingClientRect().bottom")


def test_a_name_with_markup_does_nothing(opened: Open, make: Make) -> None:
    task = make(name="<img src=/x onerror=window.broken=1><b hx-get=/y hx-trigger=load>{{7*7}}</b>")
    page = opened("/tasks/")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    change(task, status="FINISHED", value_text="1.0")
    expect(chip(page, task)).to_have_text("Finished")
    expect(page.locator(f"#task-{task.pk} .t-name")).to_contain_text("<b hx-get=/y")
    assert not page.evaluate("window.broken")
    assert all("/tasks/" in url for url in requests)


def test_keys_move_select_and_open(opened: Open, make: Make) -> None:
    older, newer = make(name="older"), make(name="newer")
    page = opened("/tasks/")
    page.keyboard.press("j")
    expect(page.locator(f"#task-{newer.pk} a")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(f"#task-{older.pk} input")).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("newer")


def test_the_menu_closes_on_escape_and_on_a_click_beside_it(opened: Open, make: Make) -> None:
    task = make()
    page = opened("/tasks/")
    page.locator(f"#task-{task.pk} input").check()
    for how in ("Escape", "click"):
        page.locator("button.menu").click()
        expect(page.locator("#menu")).to_be_visible()
        page.mouse.click(5, 300) if how == "click" else page.keyboard.press(how)
        expect(page.locator("#menu")).to_be_hidden()
    expect(page.locator(f"#task-{task.pk} input")).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_remembered(opened: Open, scheme: str) -> None:
    page = opened("/tasks/")
    page.locator("button.menu").click()
    page.get_by_label(scheme.title(), exact=True).check()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme


def test_rows_and_columns_stay_as_chosen_while_the_table_lives(opened: Open, make: Make) -> None:
    task = make(queue="gpu")
    page = opened("/tasks/")
    page.get_by_role("link", name="Rows and columns").click()
    page.get_by_label("Dense").check()
    page.locator("#look").get_by_label("Queue").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(f"#task-{task.pk} .t-queue")).to_have_text("gpu")
    height = page.locator(f"#task-{task.pk}").bounding_box()["height"]  # type: ignore[index]
    assert height < 30
    change(task, status="FINISHED", value_text="1.5")
    expect(chip(page, task)).to_have_text("Finished")
    expect(page.locator(f"#task-{task.pk} td")).to_have_count(7)
    make(name="new", status="FINISHED", queue="cpu")
    expect(page.locator("tbody .t-queue")).to_have_text(["cpu", "gpu"])
    assert page.locator(f"#task-{task.pk}").bounding_box()["height"] == height  # type: ignore[index]


def test_a_person_walks_through_what_they_searched_for_and_back(opened: Open, make: Make) -> None:
    failed = [make(name=f"fit {n}", status="FAILED") for n in range(60)][::-1]
    make(name="another", status="FINISHED")
    page = opened("/tasks/?q=status:FAILED")
    page.locator(f"#task-{failed[48].pk} .t-name a").click()
    expect(page.locator("h1")).to_have_text(failed[48].name)
    for key, at in (("n", 49), ("n", 50), ("p", 49), ("n", 50)):
        page.wait_for_load_state()  # its title is there before its scripts are
        page.keyboard.press(key)
        expect(page.locator("h1")).to_have_text(failed[at].name)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".head .chip")).to_have_text("Queueing")
    page.get_by_role("link", name="Next").click()  # the list has left it behind, not the person
    expect(page.locator("h1")).to_have_text(failed[51].name)
    page.get_by_role("link", name="Tasks status:FAILED").click()
    expect(page.locator(f"#task-{failed[51].pk}")).to_be_in_viewport()
    expect(page.locator("#q")).to_have_value("status:FAILED")
