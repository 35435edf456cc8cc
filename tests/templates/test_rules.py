"""What no template, no script and no source may contain, and that vendored files are what their lists say."""

import ast
import hashlib
import re
from collections.abc import Iterator
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
RUNS_TEXT = re.compile(
    r"(?<![\w.])(eval|exec)\(|\b(import|from) (pickle|marshal|shelve|yaml)\b|shell=True|os\.(system|popen)\("
)

CALLS = {"workers.posting", "urllib3", "urllib.request", "http.client", "requests", "httpx", "aiohttp", "smtplib"}


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


def test_nothing_but_the_sandbox_runs_what_is_text() -> None:
    """Nor reads what would run when it is read."""
    sources = [path for folder in ("apps", "site", "sink", "workers") for path in (ROOT / folder).rglob("*.py")]
    found = {path.relative_to(ROOT) for path in sources if RUNS_TEXT.search(path.read_text())}
    assert found == {Path("workers/sandbox/runner.py")}


def test_only_the_web_s_own_address_is_ever_called() -> None:
    """By the sink and the workers, as MILLRACE_URL says; nothing calls what a person has typed."""
    sources = [path for folder in ("apps", "site/config", "sink", "workers") for path in (ROOT / folder).rglob("*.py")]
    found = {path.relative_to(ROOT) for path in sources if not CALLS.isdisjoint(imported(path))}
    assert found == {Path("workers/endpoint.py")}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (str(node.module), *(f"{node.module}.{each.name}" for each in node.names))


def test_vendored_files_are_what_their_list_says() -> None:
    listed = {}
    for readme in (ROOT / "static" / "vendor").rglob("README.md"):
        for name, digest in re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", readme.read_text()):
            listed[readme.parent / name] = digest
    files = [path for path in (ROOT / "static" / "vendor").rglob("*") if path.is_file() and path.name != "README.md"]
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == listed
