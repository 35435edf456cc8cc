"""What a task returns, shown as in a notebook: its best form that needs no script becomes an artifact to be seen.

Images come before HTML, whose scripts never run here. Libraries are looked up among what is imported, never imported.
"""

import base64
import io
import sys
from collections.abc import Callable
from types import NoneType
from typing import Any, TypeVar

from workers.artifacts import SHOWN_BYTES, figures_text
from workers.raised import clean
from workers.returned import to_wire
from workers.sources import ArtifactRefused, image_type
from workers.task import current

_PLAIN = frozenset({NoneType, bool, int, float, str, list, dict, tuple})
_FORMS = {
    "image/svg+xml": ("_repr_svg_", "svg"),
    "image/png": ("_repr_png_", "png"),
    "image/jpeg": ("_repr_jpeg_", "jpg"),
    "text/html": ("_repr_html_", "html"),
    "text/markdown": ("_repr_markdown_", "md"),
}
_SHORT_BYTES = 500
_MOST_FIGURES = 20

Form = tuple[str, bytes]  # content type, bytes
T = TypeVar("T")


def presented(returned: Any, *, with_figures: bool = False) -> Any:
    """What is to be stored as the value: what was returned, or a short text when that was shown and is no JSON.

    `with_figures`: pyplot's open figures are shown as well, and closed.
    """
    if type(returned) in _PLAIN and not with_figures:
        return returned
    form = None if type(returned) in _PLAIN else _form_of(returned)
    is_shown = form is not None and _keep("result", form)
    figures = _keep_figures(besides=returned) if with_figures else 0
    if is_shown:
        return _or_text(returned, _short)
    return _or_text(returned, lambda _: figures_text(figures)) if figures else returned


def _form_of(returned: Any) -> Form | None:
    if isinstance(returned, type):
        return None
    if isinstance(returned, bytes | bytearray | memoryview):
        return _checked(image_type(bytes(returned[:16])), returned)
    if (figure := _figure_of(returned)) is not None:
        return _try(returned, "savefig", lambda: ("image/png", _png_of(figure)))
    return _bundled(returned) or _by_method(returned) or _as_frame(returned)


def _by_method(returned: Any) -> Form | None:
    for content_type, (method, _) in _FORMS.items():
        if form := _try(returned, method, lambda: _checked(content_type, _call(returned, method))):  # noqa: B023
            return form
    return None


def _as_frame(returned: Any) -> Form | None:
    """A column of pandas has no form of its own."""
    if not hasattr(type(returned), "to_frame"):
        return None
    return _try(returned, "to_frame", lambda: _by_method(returned.to_frame()))


def _bundled(returned: Any) -> Form | None:
    name = "_repr_mimebundle_"

    def best() -> Form | None:
        bundle = _call(returned, name, include=None, exclude=None)
        bundle = bundle[0] if isinstance(bundle, tuple) and bundle else bundle
        if not isinstance(bundle, dict):
            return None
        found = (_checked(content_type, bundle.get(content_type)) for content_type in _FORMS)
        return next((form for form in found if form), None)

    return _try(returned, name, best)


def _call(returned: Any, method: str, **arguments: Any) -> Any:
    found = getattr(type(returned), method, None)
    return found(returned, **arguments) if callable(found) else None


def _checked(content_type: str, data: Any) -> Form | None:
    """None for what is no such form. Images may come as base64, as they stand in a notebook's file."""
    if isinstance(data, tuple) and data:
        data = data[0]  # beside its metadata
    if content_type in ("image/png", "image/jpeg"):
        raw = base64.b64decode(data, validate=False) if isinstance(data, str) else data
        is_image = isinstance(raw, bytes | bytearray | memoryview) and image_type(bytes(raw[:16])) == content_type
        return (content_type, bytes(raw)) if is_image else None
    return (content_type, str.encode(data, errors="replace")) if content_type and isinstance(data, str) else None


def _figure_of(returned: Any) -> Any:
    """matplotlib's figure that this is, or is part of."""
    for module, name in (("matplotlib.figure", "Figure"), ("matplotlib.axes", "Axes")):
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(returned, kind):
            return returned if name == "Figure" else returned.figure  # type: ignore[attr-defined]
    return None


def _png_of(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight")
    return buffer.getvalue()


def _keep_figures(*, besides: Any) -> int:
    """How many."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return 0
    known, kept = _figure_of(besides), 0
    for number in _try(pyplot, "get_fignums", lambda: list(pyplot.get_fignums())[:_MOST_FIGURES]) or ():
        form = _try(pyplot, "savefig", lambda: _form_of_figure(pyplot, number, known))  # noqa: B023
        kept += form is not None and _keep(f"figure-{number}", form)
    _try(pyplot, "close", lambda: pyplot.close("all"))
    return kept


def _form_of_figure(pyplot: Any, number: Any, known: Any) -> Form | None:
    figure = pyplot.figure(number)
    return None if figure is known else ("image/png", _png_of(figure))


def _keep(stem: str, form: Form) -> bool:
    """Whether it is to be seen."""
    content_type, data = form
    is_small = len(data) <= SHOWN_BYTES
    if not is_small:
        _say(f"what was returned has {len(data):,} bytes as {content_type}; it can be downloaded, not shown")
    try:
        current.artifact(data, f"{stem}.{_FORMS[content_type][1]}", content_type, shown=is_small)
    except ArtifactRefused as refused:
        _say(f"what was returned is not shown: {refused}")
        return False
    return True


def _or_text(returned: Any, text_for: Callable[[Any], str]) -> Any:
    """A text for what has no form in JSON, or too large a one; all that it is can be seen."""
    try:
        to_wire(returned)
    except Exception:  # noqa: BLE001  it may do anything while it is looked through
        return text_for(returned)
    return returned


def _short(returned: Any) -> str:
    """On one line where that says as much."""
    shape = _try(returned, "shape", lambda: getattr(returned, "shape", None))
    if isinstance(shape, tuple) and shape and all(type(each) is int for each in shape):
        return f"{type(returned).__name__}, {' × '.join(f'{each:,}' for each in shape)}"  # noqa: RUF001
    return _try(returned, "__repr__", lambda: clean(repr(returned), _SHORT_BYTES)) or type(returned).__name__


def _try(of: Any, what: str, make: Callable[[], T]) -> T | None:
    """None when it raises, which is told where the task prints."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001  whoever wrote it, the task has done its work
        _say(f"{what} of {type(of).__name__} failed: {type(error).__name__}: {clean(_text_of(error), 500)}")
        return None


def _text_of(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001
        return ""


def _say(text: str) -> None:
    if sys.stderr:
        sys.stderr.write(f"{text}\n")
