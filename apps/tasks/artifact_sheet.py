"""How artifacts may be seen: which ones, in what, and under which policy. None of them ever runs a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from apps.tasks import csv_sheet
from workers.artifacts import SHOWN_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

    from apps.tasks.models import Artifact

Make = Callable[[bytes], bytes]

HTML, SVG, MARKDOWN = "text/html", "image/svg+xml", "text/markdown"
TABLES = frozenset({"text/csv", "text/tab-separated-values"})
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
TEXTS = frozenset({"application/json", "application/xml", "application/yaml", "application/toml"})
PAGE = "text/html; charset=utf-8"
# Links of Markdown, whose HTML is made here, may open in a tab of their own.
POPUPS = "allow-popups allow-popups-to-escape-sandbox"
RENDERED_BYTES = 100_000  # the worst of such texts take 40 microseconds a byte; a longer one is shown as it is
FEW_BYTES = 700  # of a table or a text of a few lines
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """`make`: of the stored bytes, the first `reads`, what is sent; None: the same.

    `allowed`: what else its frame may do.
    """

    content_type: str
    make: Make | None = None
    reads: int = SHOWN_BYTES
    allowed: str = ""


def how_to_show(artifact: Artifact) -> Show | None:
    """None: it is for downloading alone."""
    kind = artifact.content_type
    if kind in IMAGES or kind == SVG:
        return Show(content_type=kind)
    if kind in TABLES:
        return Show(content_type=PAGE, make=_page_of_rows, reads=csv_sheet.READ_BYTES)
    if artifact.file.size > SHOWN_BYTES:
        return None
    if kind == HTML:
        return Show(content_type=PAGE, make=_page_of_html)
    if kind == MARKDOWN and artifact.file.size <= RENDERED_BYTES:
        return Show(content_type=PAGE, make=_page_of_markdown, allowed=POPUPS)
    is_text = kind.startswith("text/") or kind in TEXTS
    return Show(content_type="text/plain; charset=utf-8") if is_text else None


def headers(show: Show | None) -> dict[str, str]:
    """Whatever a browser makes of it, it is nobody's page here and runs nothing."""
    allowed = f" {show.allowed}" if show and show.allowed else ""
    return {
        "Content-Security-Policy": f"sandbox{allowed}; {POLICY}",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=3600",
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """An artifact as a page has it: `is_image`, or else in a frame of its own."""

    artifact: Artifact
    is_image: bool
    allowed: str

    @property
    def is_short(self) -> bool:
        return self.artifact.content_type in (HTML, MARKDOWN) and self.artifact.file.size < FEW_BYTES


@dataclass(frozen=True, slots=True)
class Listed:
    artifact: Artifact
    can_be_seen: bool


def shown(made: Sequence[Artifact]) -> list[Shown]:
    """What the task returned, of these."""
    ways = [(each, how_to_show(each)) for each in made if each.shown]
    return [
        Shown(each, is_image=each.content_type.startswith("image/"), allowed=way.allowed) for each, way in ways if way
    ]


def listed(made: Sequence[Artifact]) -> list[Listed]:
    return [Listed(each, can_be_seen=how_to_show(each) is not None) for each in made]


def _page_of_html(data: bytes) -> bytes:
    """A whole page knows how it is to look; a piece of one, such as a table, looks as ours do."""
    text = data.decode(errors="replace")
    return _page(WHITE if _WHOLE.match(text) else SHEET, text)


def _page_of_markdown(data: bytes) -> bytes:
    return _page(SHEET, _markdown.render(data.decode(errors="replace")))


def _page_of_rows(data: bytes) -> bytes:
    return _page(SHEET, csv_sheet.table(data))


def _page(style: str, body: str) -> bytes:
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style>{body}'.encode()


_WHOLE = re.compile(r"\s*<(!doctype|html)\b", re.IGNORECASE)
WHITE = ":root { color-scheme: light; background: #fff; color: #000; }"
SHEET = """
:root {
  --line: light-dark(#e2e6eb, #262e37);
  color-scheme: light dark;
  background: light-dark(#ffffff, #161b21);
  color: light-dark(#171d24, #e4e9ee);
  font: 14px/1.5 system-ui, sans-serif;
}
body { margin: 12px; overflow-wrap: anywhere; }
a { color: light-dark(#0b6a8f, #63c0e6); }
table { border: 0; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 10px; border: 0; border-bottom: 1px solid var(--line); text-align: right; overflow-wrap: normal; }
th { font-weight: 600; }
.text { text-align: left; }
pre, code { font: 12px/1.5 ui-monospace, monospace; background: light-dark(#f0f2f5, #12171c); border-radius: 4px; }
code { padding: 1px 4px; }
pre { padding: 8px 12px; overflow: auto; }
blockquote { margin-inline: 0; padding-inline-start: 12px; border-inline-start: 3px solid var(--line); }
img, svg { max-width: 100%; }
"""


def _link(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, environment: Any) -> str:
    tokens[index].attrSet("rel", "nofollow noopener noreferrer")
    tokens[index].attrSet("target", "_blank")
    return str(self.renderToken(tokens, index, options, environment))


_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_markdown.add_render_rule("link_open", _link)
