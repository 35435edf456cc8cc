"""The style guide, photographed in both themes: it is whole, breaks no rule and no policy, and is not there in use."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.contrasts import SCHEMES
from tests.browser.test_pages import faults, sideways
from tests.fixtures.processes import ROOT

Open = Callable[[str], Page]


def test_the_style_guide_is_photographed_in_both_themes(
    opened: Open, console: Page, settings: Any, tmp_path: Path
) -> None:
    settings.DEBUG = True
    page = opened("/styleguide/")
    expect(page.locator(".specimen")).to_have_count(17)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(set(ids)) == len(ids)
    icons = re.findall(r"\.icon-([\w-]+) \{", (ROOT / "static/css/icons.css").read_text())
    expect(page.locator("#icons-shown .icon")).to_have_count(2 * len(icons))
    signs = page.locator(".toast .icon").evaluate_all("all => all.map(each => getComputedStyle(each).maskImage)")
    assert len(set(signs)) == len(signs) / 2  # each in two themes
    assert faults(page) == []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        picture = tmp_path / f"styleguide-{scheme}.png"
        page.screenshot(path=picture, full_page=True)
        assert picture.stat().st_size > 100_000
    grounds = page.locator(".side").evaluate_all("all => all.map(each => getComputedStyle(each).backgroundColor)")
    assert grounds[:2] == ["rgb(246, 247, 249)", "rgb(15, 19, 23)"]  # --canvas, whatever the page's own theme
    assert sideways(page) == {}


def test_there_is_no_style_guide_in_use(opened: Open) -> None:
    expect(opened("/styleguide/").locator("h1")).to_contain_text("Not found")
