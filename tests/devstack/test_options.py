import re
from pathlib import Path

import pytest

from devstack import options, places
from devstack.screen import Stop

VARIABLES = ("MILLRACE_VAR", "MILLRACE_PORT", "MILLRACE_CONCURRENCY", "WEB_CONCURRENCY")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_everything_has_a_default() -> None:
    assert options.read([]) == options.Options(workers=2, port=8000, var=places.ROOT / "var", concurrency=1)


def test_an_option_counts_more_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_PORT", "9000")
    monkeypatch.setenv("MILLRACE_CONCURRENCY", "3")
    monkeypatch.setenv("MILLRACE_VAR", "/one")
    assert options.read([]) == options.Options(workers=2, port=9000, var=Path("/one"), concurrency=3)
    given = options.read(["--port", "9001", "--concurrency=4", "--var", "/two", "--workers", "8"])
    assert given == options.Options(workers=8, port=9001, var=Path("/two"), concurrency=4)


def test_a_folder_is_meant_from_where_the_person_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/alice")
    assert options.read(["--var", "data"]).var == tmp_path / "data"
    assert options.read(["--var", "~/data"]).var == Path("/home/alice/data")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("--workers 0", "--workers must be a whole number from 1 to 64 (got '0')"),
        ("--workers -1", "--workers must be a whole number from 1 to 64 (got '-1')"),
        ("--workers abc", "--workers must be a whole number from 1 to 64 (got 'abc')"),
        ("--workers 1000", "--workers must be a whole number from 1 to 64 (got '1000')"),
        ("--workers ٣", "--workers must be a whole number from 1 to 64 (got '٣')"),
        ("--workers " + "9" * 5000, "--workers must be a whole number from 1 to 64 (got '" + "9" * 39 + ")"),
        ("--workers=", "--workers must be a whole number from 1 to 64 (got '')"),
        ("--workers", "--workers needs a value; bin/dev --help tells the options"),
        ("--port 65536", "--port must be a whole number from 1 to 65535 (got '65536')"),
        ("--concurrency 65", "--concurrency must be a whole number from 1 to 64 (got '65')"),
        ("--var=", "--var must name a folder, with none of '\"$`\\: in its path (got '')"),
        ("--var a\nb", "--var must name a folder, with none of '\"$`\\: in its path (got 'a\\nb')"),
        ("--var bob's", '--var must name a folder, with none of \'"$`\\: in its path (got "bob\'s")'),
        (
            "--var ~nobody-of-this-name/x",
            "--var must name a folder, with none of '\"$`\\: in its path (got '~nobody-of-this-name/x')",
        ),
        ("--worker 3", "there is no option --worker; did you mean --workers?"),
        ("up", "there is no option up; there are --workers, --port, --var, --concurrency, --help"),
    ],
)
def test_a_wrong_option_is_answered_with_what_is_accepted(given: str, sentence: str) -> None:
    with pytest.raises(Stop) as stop:
        options.read(given.split(" "))
    assert (str(stop.value), stop.value.code) == (sentence, 2)


def test_a_wrong_folder_in_the_environment_is_answered_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_VAR", "bob's")
    with pytest.raises(Stop, match=r"^MILLRACE_VAR must name a folder"):
        options.read([])


@pytest.mark.parametrize("name", ["MILLRACE_PORT", "MILLRACE_CONCURRENCY", "WEB_CONCURRENCY"])
def test_a_wrong_environment_variable_is_answered_by_its_own_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "abc")
    with pytest.raises(Stop, match=rf"^{name} must be a whole number from 1 to \d+ \(got 'abc'\)$"):
        options.read([])


def test_a_checkout_in_a_folder_that_rabbitmq_cannot_bear_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "ROOT", tmp_path / "bob's")
    sentence = f"the path of this checkout has one of {options.NOT_IN_FOLDER} in it ({tmp_path}/bob's); move it"
    with pytest.raises(Stop, match=f"^{re.escape(sentence)}$"):
        options.read([])


def test_a_wrong_variable_is_refused_beside_the_option_that_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_PORT", "abc")
    with pytest.raises(Stop, match=r"^MILLRACE_PORT must be"):
        options.read(["--port", "9001"])


def test_a_variable_that_nothing_reads_is_told_with_the_one_that_may_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_PROT", "9000")
    assert options.unknown_variables() == ["there is no variable MILLRACE_PROT; did you mean MILLRACE_PORT?"]


def test_every_variable_of_the_documentation_is_known() -> None:
    documented = re.findall(r"`(MILLRACE_\w+)`", (places.ROOT / "docs/configuration.md").read_text())
    assert set(documented) <= set(options.VARIABLES)
