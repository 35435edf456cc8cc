"""Creating a task in a real browser: in the dialog, on its own page, and without JavaScript."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, Route, expect

from apps.tasks.models import Kind, Task

Open = Callable[[str], Page]
Make = Callable[..., Task]


def open_dialog(page: Page, kind: str = "demo.coin") -> None:
    page.keyboard.press("c")
    expect(page.locator("#create")).to_be_visible()
    if page.get_by_label("Kind").input_value() != kind:
        page.get_by_label("Kind").select_option(kind)
    expect(page.get_by_label("failure_rate")).to_be_visible()
    expect(page.locator("#create-form .unseen")).to_be_enabled()  # what is sent before is not sent


def intercept(page: Page, method: str, answer: Callable[[Route], None]) -> None:
    """Before the page is opened: one that is open already may let its next request slip through."""
    page.route("**/tasks/new/", lambda route: answer(route) if route.request.method == method else route.continue_())


def never(route: Route) -> None:
    pass


def test_a_task_is_created_in_the_dialog_and_appears_at_once(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    create = page.get_by_role("button", name="Create", exact=True)
    expect(create).to_be_disabled()
    page.get_by_label("Name").fill("toss it")
    page.get_by_label("failure_rate").fill("0.25")
    create.click()
    expect(page.locator("#create")).to_be_hidden()
    expect(page.locator("tbody tr")).to_contain_text("toss it")
    expect(page.locator("#toasts")).to_contain_text("created.")
    assert Task.objects.get().params == {"failure_rate": 0.25, "sides": 2, "fair": True, "grid": [1.0]}


def test_enter_in_the_name_creates(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("by enter")
    page.get_by_label("Name").press("Enter")
    expect(page.locator("tbody tr")).to_contain_text("by enter")
    page.goto("/tasks/new/?kind=demo.coin")
    page.get_by_label("Name").fill("on its page")
    page.get_by_label("Name").press("Enter")
    expect(page.locator("body")).to_contain_text("created.")
    assert Task.objects.filter(name="on its page").count() == 1


def test_the_name_has_the_cursor_when_the_dialog_opens(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("c")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("cjx?")
    expect(page.get_by_label("Name")).to_have_value("cjx?")
    page.keyboard.press("Escape")
    expect(page.locator("#create")).to_be_hidden()


def test_another_kind_keeps_the_name(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("c")
    page.get_by_label("Name").fill("kept")
    page.get_by_label("Kind").focus()
    page.get_by_label("Kind").select_option("demo.noop")
    expect(page.locator(".doc")).to_have_text("Returns x.")
    expect(page.get_by_label("Name")).to_have_value("kept")
    expect(page.get_by_label("Kind")).to_be_focused()


def test_nothing_can_be_typed_or_sent_while_another_kinds_parameters_are_on_their_way(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("too early")
    page.route("**/tasks/new/**", lambda _route: None)  # never answered
    page.get_by_label("Kind").select_option("demo.noop")
    expect(page.get_by_label("failure_rate")).to_be_disabled()
    create = page.get_by_role("button", name="Create", exact=True)
    expect(create).to_be_disabled()
    page.get_by_label("Name").fill("still too early")
    page.get_by_label("Name").press("Enter")
    expect(create).to_be_disabled()
    assert not Task.objects.exists()


def test_it_can_be_sent_once_they_have_come(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("in time")
    page.get_by_label("Kind").select_option("demo.noop")
    expect(page.get_by_label("x", exact=True)).to_be_visible()
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("in time")


def test_a_refused_form_keeps_the_text_and_goes_to_the_first_error(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("bad\u202ename")
    page.get_by_label("grid").fill('["not a number", ')
    page.get_by_role("button", name="Create", exact=True).click()
    name = page.get_by_label("Name")
    expect(name).to_be_focused()
    expect(name).to_have_value("bad\u202ename")
    expect(name).to_have_accessible_description("Control characters are not allowed in a name.")
    expect(page.get_by_label("grid")).to_have_value('["not a number", ')
    expect(page.get_by_text("Not JSON:")).to_be_visible()
    page.get_by_label("Name").fill("good name")
    page.get_by_label("grid").fill("[1, 2]")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("good name")


def test_two_quick_submits_make_one_task(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("once")
    page.get_by_role("button", name="Create", exact=True).dblclick()
    expect(page.locator("tbody tr")).to_contain_text("once")
    assert Task.objects.count() == 1


@pytest.mark.parametrize("path", ["/tasks/", "/tasks/new/?kind=demo.coin"])
def test_enter_pressed_again_and_again_makes_one_task(opened: Open, path: str) -> None:
    page = opened(path)
    if path == "/tasks/":
        page.get_by_role("link", name="New task").first.focus()
        page.keyboard.press("Enter")
    page.get_by_label("Name").fill("once")
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_contain_text("once")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_visible()
    assert page.locator("dialog[open]").count() == 0
    assert Task.objects.count() == 1


def test_no_button_of_a_form_on_its_way_can_be_pressed(opened: Open, console: Page, make: Make) -> None:
    intercept(console, "POST", never)
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("on its way")
    page.keyboard.press("Enter")
    expect(page.locator("#create-form button:enabled")).to_have_count(0)
    make(name="from elsewhere")
    expect(page.locator("#table")).to_contain_text("from elsewhere")
    page.keyboard.type("typed on")
    expect(page.locator("#create-form button:enabled")).to_have_count(0)


def test_the_focus_stays_in_the_page_after_a_task_is_created(opened: Open) -> None:
    page = opened("/tasks/")
    page.get_by_role("link", name="New task").first.click()
    page.get_by_label("Name").fill("once")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_row_of_a_created_task_is_marked(opened: Open, make: Make) -> None:
    make(name="older")
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("newer")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-fresh]")).to_contain_text("newer")
    page.emulate_media(reduced_motion="reduce")
    assert page.locator("tr[data-fresh]").evaluate("row => getComputedStyle(row).animationName") == "none"


def test_on_its_own_page_the_form_leads_to_the_table(opened: Open) -> None:
    page = opened("/tasks/new/?kind=demo.noop&name=alone")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/tasks/")
    expect(page.locator("tbody tr")).to_contain_text("alone")
    expect(page.locator("#toasts")).to_contain_text("created.")


@pytest.mark.parametrize("lost", ["abort", "time-out"])
def test_a_create_without_an_answer_says_so_and_keeps_the_form(opened: Open, console: Page, lost: str) -> None:
    intercept(console, "POST", Route.abort if lost == "abort" else never)
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("lost")
    if lost == "time-out":
        page.locator("#create-form").evaluate("form => form.setAttribute('hx-config', 'timeout:1ms')")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text(
        "The server did not answer. Send it again: it makes no second task."
    )
    expect(page.get_by_label("Name")).to_have_value("lost")
    expect(page.get_by_role("button", name="Create", exact=True)).to_be_enabled()


def first_answer_lost() -> Callable[[Route], None]:
    """The server does it, and nobody hears of it; what is sent again is answered."""
    lost: list[Route] = []

    def handle(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route)
            route.fetch()
            route.abort()

    return handle


def test_a_create_whose_answer_was_lost_is_sent_again_and_makes_one_task(opened: Open, console: Page) -> None:
    intercept(console, "POST", first_answer_lost())
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("once")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("The server did not answer.")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text(f"Task {Task.objects.get().pk} was created already.")
    expect(page.locator("#create")).to_be_hidden()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_form_that_was_changed_after_it_was_sent_asks_before_it_makes_another(opened: Open, console: Page) -> None:
    intercept(console, "POST", first_answer_lost())
    page = opened("/tasks/new/?kind=demo.coin")
    page.get_by_label("Name").fill("first")
    page.get_by_label("grid").fill("[3]")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("The server did not answer.")
    page.get_by_label("Name").fill("second")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("was already created from this form.")
    assert Task.objects.count() == 1
    expect(page.get_by_label("Name")).to_have_value("second")
    expect(page.get_by_label("grid")).to_have_value("[3]")
    page.get_by_label("Name").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert {task.name for task in Task.objects.all()} == {"first", "second"}


def test_a_form_come_back_to_can_be_sent_again(opened: Open, console: Page) -> None:
    sent: list[Route] = []

    def only_the_second(route: Route) -> None:
        sent.append(route)
        if len(sent) == 2:
            route.continue_()

    intercept(console, "POST", only_the_second)
    page = opened("/tasks/new/?kind=demo.noop")
    page.get_by_label("Name").fill("kept")
    page.get_by_label("Kind").select_option("demo.coin")
    page.get_by_label("grid").fill("[3]")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#create-form button:enabled")).to_have_count(0)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.get_by_label("Name").press("Enter")
    expect(page.locator("tbody tr")).to_contain_text("kept")
    assert Task.objects.get().params["grid"] == [3]


def test_options_stay_when_another_kind_is_chosen(opened: Open) -> None:
    Kind.objects.filter(name="demo.coin").update(timeout_seconds=90, max_attempts=4)
    page = opened("/tasks/new/?kind=demo.noop&name=limited")
    page.get_by_text("Options").click()
    expect(page.get_by_label("Time limit")).to_have_attribute("placeholder", "none")
    page.get_by_label("Tries").fill("2")
    page.get_by_label("Kind").select_option("demo.coin")
    expect(page.get_by_label("Time limit")).to_have_attribute("placeholder", "90")
    expect(page.get_by_label("Tries")).to_have_value("2")
    page.get_by_label("Time limit").fill("0")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_label("Time limit")).to_be_focused()
    page.get_by_label("Time limit").fill("1.5")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("limited")
    assert Task.objects.values_list("timeout_seconds", "max_attempts").get() == (1.5, 2)


def test_a_dialog_that_cannot_be_loaded_says_so(opened: Open, console: Page) -> None:
    intercept(console, "GET", Route.abort)
    page = opened("/tasks/")
    page.keyboard.press("c")
    expect(page.locator("#toasts")).to_contain_text("The server did not answer. Try again.")


def test_what_was_typed_survives_escape_and_a_click_beside_the_dialog(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("long thought about")
    page.mouse.click(5, 5)
    expect(page.locator("#create")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#create")).to_be_hidden()
    page.keyboard.press("c")
    expect(page.get_by_label("Name")).to_have_value("long thought about")
    expect(page.get_by_label("failure_rate")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.keyboard.press("c")
    expect(page.locator("#create")).to_be_visible()  # its field stands in the page a moment earlier
    expect(page.get_by_label("Name")).to_be_empty()
    page.mouse.click(5, 5)
    expect(page.locator("#create")).to_be_hidden()


def test_a_session_that_changed_keeps_the_form(opened: Open) -> None:
    page = opened("/tasks/")
    open_dialog(page)
    page.get_by_label("Name").fill("long thought about")
    page.locator("#create-form [name=csrfmiddlewaretoken]").evaluate("input => { input.value = 'x'.repeat(64); }")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Your session has changed")
    expect(page.get_by_label("Name")).to_have_value("long thought about")


def test_a_time_is_typed_in_the_readers_zone(opened: Open) -> None:
    page = opened("/tasks/new/?kind=demo.noop&name=later")
    zone = page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    page.get_by_text("Options").click()
    expect(page.locator("[data-zone]")).to_have_text(f"({zone})")
    page.get_by_label("Not before").fill("2035-01-01T10:00:00")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("created.")
    assert Task.objects.get().run_at


@pytest.fixture
def plain(new_context: Callable[..., BrowserContext], sign_in: Callable[[BrowserContext], None]) -> Page:
    """A browser without JavaScript."""
    context = new_context(java_script_enabled=False)
    sign_in(context)
    return context.new_page()


def test_everything_works_without_javascript(plain: Page, make: Make) -> None:
    gone = make(name="to be deleted")
    plain.goto("/tasks/")
    plain.get_by_role("link", name="New task").click()
    plain.get_by_label("Name").fill("plain task")
    plain.get_by_label("Kind").select_option("demo.coin")
    plain.get_by_role("button", name="Show its parameters").click()
    expect(plain.get_by_label("Name")).to_have_value("plain task")
    plain.get_by_label("grid").fill("[1, ")
    plain.get_by_role("button", name="Create", exact=True).click()
    expect(plain.get_by_text("Not JSON:")).to_be_visible()
    plain.get_by_label("grid").fill("[1]")
    plain.get_by_role("button", name="Create", exact=True).click()
    expect(plain.locator("tbody tr").first).to_contain_text("plain task")
    expect(plain.locator("#toasts")).to_contain_text("created.")
    plain.get_by_label(f"Select task {gone.pk}").check()
    plain.get_by_role("button", name="Delete").click()
    expect(plain.locator("h1")).to_have_text(f"Delete task {gone.pk}?")
    plain.get_by_role("button", name="Delete").click()
    expect(plain.locator("#toasts")).to_contain_text("1 task deleted.")
    plain.get_by_label("Select task").check()
    plain.get_by_role("button", name="Cancel").click()
    plain.get_by_role("button", name="Cancel task").click()
    expect(plain.locator("tbody tr")).to_contain_text("Cancelled")
    plain.get_by_label("Select task").check()
    plain.get_by_role("button", name="Retry").click()
    expect(plain.locator("#toasts")).to_contain_text("1 task retried.")
    plain.get_by_role("link", name="plain task").click()
    expect(plain.locator("h1")).to_have_text("plain task")
    plain.get_by_role("button", name="Delete").click()
    plain.get_by_role("button", name="Delete").click()
    expect(plain.get_by_text("No tasks yet")).to_be_visible()
    for _ in range(51):
        make(status="FINISHED")
    plain.reload()
    expect(plain.locator("#everything")).to_have_text("Choose all 51", use_inner_text=True)
    expect(plain.locator(".head kbd")).to_be_hidden()


def test_without_a_kind_the_dialog_says_to_start_a_worker(opened: Open, alice: User) -> None:
    page = opened("/tasks/")
    Kind.objects.all().delete()
    page.keyboard.press("c")
    expect(page.locator("#create")).to_contain_text("Start a worker")
