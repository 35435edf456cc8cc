"""Trying the API out: what is typed is completed, run, told when it is wrong, and there again after a reload."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from apps.tasks.models import Task

Open = Callable[[str], Page]
Make = Callable[..., Task]


FOCUSED = """() => {
    const focus = document.activeElement;
    const editor = focus.closest(".CodeMirror");
    const { outlineStyle, boxShadow } = getComputedStyle(editor ?? focus);
    const page = focus === document.body;
    const name = editor ? "editor" : page ? "page" : focus.getAttribute("aria-label") ?? focus.innerText;
    return [name, page || outlineStyle !== "none" || boxShadow !== "none"];
}"""


def tabbed(page: Page) -> tuple[str, bool]:
    """Whereto the key leads, and whether that is seen."""
    page.keyboard.press("Tab")
    name, seen = page.evaluate(FOCUSED)
    return name, seen


def test_a_query_is_written_run_and_kept(opened: Open, make: Make) -> None:
    task = make(name="to be found")
    page = opened("/tasks/")
    page.get_by_role("button", name="alice").click()
    page.get_by_role("link", name="GraphiQL").click()
    editor, answer = page.get_by_label("Query Editor"), page.get_by_label("Result Window")
    expect(editor).to_contain_text("viewer { username }")
    expect(editor.locator(".CodeMirror-focused")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(answer).to_contain_text('"username": "alice"')

    page.keyboard.press("Control+a")
    page.keyboard.type("{viewer{username")
    page.keyboard.press("Shift+Control+P")
    expect(editor).to_contain_text("viewer {")
    assert tabbed(page) == ("editor", True)  # it indents
    page.keyboard.press("Escape")
    ways = [tabbed(page)]
    while ways.count(ways[0]) < 2 and len(ways) < 80:
        ways.append(tabbed(page))
    assert ways[0] == ways[-1] == ("Execute query (Ctrl-Enter)", True)
    assert [name for name, seen in ways if not seen] == []
    page.keyboard.press("Enter")
    expect(answer).to_contain_text('"username": "alice"')

    editor.locator(".CodeMirror").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("query($n: Int) { task(number: $n) { na")
    page.keyboard.press("Control+Space")
    expect(page.locator(".CodeMirror-hint-active")).to_have_text("name")
    page.keyboard.press("Enter")
    page.keyboard.type(" ")
    page.get_by_role("button", name="Variables").click()
    page.get_by_label("Variables").locator(".CodeMirror").click()
    page.keyboard.type(f'{{"n": {task.pk}')
    page.keyboard.press("Control+Enter")
    expect(answer).to_contain_text('"name": "to be found"')
    page.reload()
    expect(editor).to_contain_text("task(number: $n) { name")

    page.get_by_label("Show Documentation Explorer").click()
    page.get_by_role("link", name="Mutation", exact=True).click()
    expect(page.get_by_text("Make the next attempt of a task that has ended; or")).to_be_visible()
    page.get_by_role("button", name="Hide Documentation Explorer").click()


def test_a_copied_view_is_opened_in_it_and_mistakes_are_told(opened: Open, make: Make) -> None:
    make(name="first"), make(name="second")
    page = opened("/tasks/?q=second")
    page.get_by_role("link", name="Copy as").click()
    page.get_by_role("link", name="Open in GraphiQL").click()
    expect(page).to_have_url("/graphiql/")
    editor, answer = page.get_by_label("Query Editor"), page.get_by_label("Result Window")
    expect(editor).to_contain_text('query: "second"')
    page.set_viewport_size({"width": 360, "height": 700})
    page.get_by_role("button", name="Execute query").click()
    expect(answer).to_contain_text('"name": "second"')
    assert "first" not in answer.inner_text().replace("first: 50", "")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    editor.locator(".CodeMirror").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("{ tasks(last: 101) { totalCount } }")
    page.keyboard.press("Control+Enter")
    expect(answer).to_contain_text("last must be from 1 to 100 (got 101).")
