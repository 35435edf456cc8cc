"""What is returned, in the form that is shown; whatever an object does about it, its task has done its work."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from workers.answers import note_in
from workers.pieces import BEGIN, DATA, piece_in
from workers.returned import NotSerialisable, to_wire
from workers.shown import presented
from workers.task import Markdown, current

PNG = b"\x89PNG\r\n\x1a\n..."
JPEG = b"\xff\xd8\xff..."
Made = dict[str, tuple[str, bytes]]


@pytest.fixture
def made() -> Iterator[Made]:
    """What is handed over: content type and bytes, by name."""
    found: Made = {}
    names: list[str] = []

    def take(body: bytes) -> None:
        piece = piece_in(body)
        assert piece
        assert not note_in(body)
        if piece.sort == BEGIN:
            label = json.loads(piece.data)
            assert label["shown"]
            names.append(label["name"])
            found[names[-1]] = (label["content_type"], b"")
        elif piece.sort == DATA:
            content_type, data = found[names[-1]]
            found[names[-1]] = (content_type, data + piece.data)

    current.begin(1, 1, take)
    yield found
    current.end()


def that(**methods: Any) -> Any:
    """An object with these methods, which return or raise what is given."""

    def method(answer: Any) -> Any:
        def call(_self: Any, **_: Any) -> Any:
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call

    return type("Thing", (), {"__repr__": lambda _: "a thing", **{n: method(each) for n, each in methods.items()}})()


@pytest.mark.parametrize("value", [None, 1, 0.5, "text", [1], {"a": 1}, (1, 2), np.float64(0.5), np.arange(3)])
def test_numbers_and_json_stay_as_they_are(made: Made, value: Any) -> None:
    assert presented(value) is value
    assert made == {}


HTML, SVG = "<b>1</b>", "<svg/>"
FORMS = [
    (that(_repr_html_=HTML), "result.html", "text/html", HTML.encode()),
    (that(_repr_svg_=SVG), "result.svg", "image/svg+xml", SVG.encode()),
    (that(_repr_png_=PNG, _repr_html_=HTML), "result.png", "image/png", PNG),
    (that(_repr_jpeg_=JPEG), "result.jpg", "image/jpeg", JPEG),
    (that(_repr_png_=base64.b64encode(PNG).decode()), "result.png", "image/png", PNG),
    (that(_repr_markdown_="# M"), "result.md", "text/markdown", b"# M"),
    (that(_repr_mimebundle_={"text/html": HTML, "text/plain": "p"}), "result.html", "text/html", HTML.encode()),
    (that(_repr_mimebundle_=({"image/png": PNG}, {})), "result.png", "image/png", PNG),
    (that(_repr_mimebundle_={"text/latex": "x"}, _repr_html_=HTML), "result.html", "text/html", HTML.encode()),
    (that(_repr_html_=(HTML, {"isolated": True})), "result.html", "text/html", HTML.encode()),
    (that(to_frame=that(_repr_html_=HTML)), "result.html", "text/html", HTML.encode()),
    (that(_repr_html_="\ud800"), "result.html", "text/html", b"?"),
    (PNG, "result.png", "image/png", PNG),
    (bytearray(JPEG), "result.jpg", "image/jpeg", JPEG),
]


@pytest.mark.parametrize(("value", "name", "content_type", "data"), FORMS)
def test_the_best_form_is_shown_and_a_short_text_is_its_value(
    made: Made, value: Any, name: str, content_type: str, data: bytes
) -> None:
    short = presented(value)
    assert made == {name: (content_type, data)}
    assert isinstance(short, str)
    assert len(short) <= 500
    assert to_wire(short)


def test_an_image_of_pillow_is_a_picture(made: Made) -> None:
    assert "Image" in presented(Image.new("RGB", (20, 10), "teal"))
    ((name, (content_type, data)),) = made.items()
    assert (name, content_type) == ("result.png", "image/png")
    assert Image.open(io.BytesIO(data)).size == (20, 10)


def test_markdown_is_a_text_and_shown(made: Made) -> None:
    assert presented(Markdown("# Fit")) == "# Fit"
    assert made == {"result.md": ("text/markdown", b"# Fit")}


NONSENSE = [
    that(),
    that(_repr_html_=ValueError("no")),
    that(_repr_html_=None, _repr_png_=b"no png", _repr_svg_=5),
    that(_repr_mimebundle_=5),
    that(_repr_mimebundle_={"text/html": 5}),
    that(_repr_png_="no base64 of a png"),
    b"other bytes",
    type(that(_repr_html_=HTML)),
    [that(_repr_html_=HTML)],
]


@pytest.mark.parametrize("value", NONSENSE)
def test_what_has_no_form_fails_as_it_did(made: Made, value: Any) -> None:
    assert presented(value) is value
    assert made == {}
    with pytest.raises(NotSerialisable):
        to_wire(value)


def test_a_form_that_raises_is_told_and_the_next_one_shown(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    presented(that(_repr_png_=ValueError("no canvas"), _repr_html_=HTML))
    assert list(made) == ["result.html"]
    assert "_repr_png_ of Thing failed: ValueError: no canvas" in capsys.readouterr().err


def test_a_table_is_told_by_its_size(made: Made) -> None:
    table = that(_repr_html_=HTML)
    type(table).shape = (4000, 6)
    assert presented(table) == "Thing, 4,000 × 6"  # noqa: RUF001


def test_a_repr_that_raises_leaves_the_name_of_its_type(made: Made) -> None:
    assert presented(that(_repr_html_=HTML, __repr__=ValueError("no"))) == "Thing"
