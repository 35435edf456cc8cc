from typing import Any

import pytest

from apps.tasks.strict_json import BadJson, loads


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Not JSON: Expecting value in line 1, column 1."),
        ('{\n  "a": }', "Not JSON: Expecting value in line 2, column 8."),
        ("NaN", "NaN and Infinity are not JSON numbers."),
        ('{"a": -Infinity}', "NaN and Infinity are not JSON numbers."),
        ("1e999", "NaN and Infinity are not JSON numbers."),
        ('{"a": 1, "a": 2}', "The name 'a' stands there twice."),
        ("[" * 10_000 + "]" * 10_000, "Nested too deeply (limit 64)."),
        ("[" * 65 + "]" * 65, "Nested too deeply (limit 64)."),
        ("9" * 5000, "A whole number has at most 400 digits (one has 5,000)."),
        ('"' + "x" * 70_000 + '"', "At most 65,536 bytes (it has 70,002)."),
        (r'"\ud800"', "Not valid Unicode: a NUL or half of a surrogate pair."),
        (r'{"\u0000": 1}', "Not valid Unicode: a NUL or half of a surrogate pair."),
    ],
)
def test_bad_json_says_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(BadJson) as error:
        loads(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "value"), [("{}", {}), ("-0", 0), ('{"a": [1.5, null, "ü"]}', {"a": [1.5, None, "ü"]})]
)
def test_good_json_is_read(text: str, value: Any) -> None:
    assert loads(text) == value
