"""What no template and no script may contain, and that vendored files are what their lists say."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
FORBIDDEN = {
    "unescaped text": r"\|\s*safe\b|autoescape off|\|\s*safeseq",
    "an inline style": r"\sstyle=|<style",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an inline handler": r"\son[a-z]+=|hx-on",
    "evaluated code": r"js:|javascript:|hx-trigger=\"[^\"]*\[",
    "another host": r"https?://|src=\"//",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_breaks_the_policy(template: Path) -> None:
    text = template.read_text()
    assert [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_writes_markup_or_evaluates_text(script: Path) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|\beval\b|new Function|document\.write", script.read_text()
    )


def test_no_python_marks_text_as_safe() -> None:
    sources = [*(ROOT / "apps").rglob("*.py"), *(ROOT / "site").rglob("*.py")]
    assert [path for path in sources if re.search(r"mark_safe|SafeString", path.read_text())] == []


def test_vendored_files_are_what_their_list_says() -> None:
    listed = {}
    for readme in (ROOT / "static" / "vendor").rglob("README.md"):
        for name, digest in re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", readme.read_text()):
            listed[readme.parent / name] = digest
    files = [path for path in (ROOT / "static" / "vendor").rglob("*") if path.is_file() and path.name != "README.md"]
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == listed
