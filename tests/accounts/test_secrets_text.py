"""The texts of tokens and links."""

import pytest

from apps.accounts import secrets_text


@pytest.mark.parametrize("prefix", ["", "mrp_"])
def test_a_text_has_256_random_bits_and_a_check(prefix: str) -> None:
    text = secrets_text.make(prefix)
    assert text.startswith(prefix)
    assert len(text) == len(prefix) + 43 + 6
    assert secrets_text.make(prefix) != text


def test_only_a_digest_is_stored() -> None:
    assert len(secrets_text.hashed("a")) == 64


def test_a_mistyped_text_is_known_as_such() -> None:
    text = secrets_text.make("mrp_")
    assert secrets_text.is_whole(text)
    for wrong in (text[:-1], text[:-2] + text[-1] + text[-2] + "x", text.swapcase(), "", "é" * 60):
        assert not secrets_text.is_whole(wrong)
