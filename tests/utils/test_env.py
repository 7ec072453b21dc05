"""Variables are converted strictly, and an error names the variable and what it accepts."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.utils.env import (
    ENVIRONMENT_VARIABLES,
    Env,
    EnvError,
    did_you_mean,
    duration,
    env,
    environment_variable,
    lookup,
    pairs,
)


def read(text: str, type: Any, **more: Any) -> Any:
    return env("P", type, environ={"P": text}, **more)


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("12", int, 12),
        (" -7 ", int, -7),
        ("+3", "int", 3),
        ("1.5", float, 1.5),
        ("2", float, 2.0),
        ("1e-3", "float", 0.001),
        ("true", bool, True),
        ("Yes", bool, True),
        ("ON", bool, True),
        ("1", bool, True),
        ("false", bool, False),
        ("no", bool, False),
        ("off", "bool", False),
        ("0", bool, False),
        ("a, b,,c ", list, ["a", "b", "c"]),
        ('["a, b", 2]', list, ["a, b", "2"]),
        ("one", "list", ["one"]),
        ("/tmp/x", Path, Path("/tmp/x")),
        ("~/x", "path", Path.home() / "x"),
        ("https://host/path?q=1", "url", "https://host/path?q=1"),
        ("postgresql:///name", "url", "postgresql:///name"),
        ("90", "duration", 90.0),
        ("90s", "duration", 90.0),
        ("1h30m", "duration", 5400.0),
        ("1.5h", "duration", 5400.0),
        ("500ms", "duration", 0.5),
        ("1d", "duration", 86400.0),
        ("2w", "duration", 1209600.0),
        ("PT5M", "duration", 300.0),
        ("pt1h0.5s", "duration", 3600.5),
        ("P1DT2H", "duration", 93600.0),
        ("P1W", "duration", 604800.0),
        ("  text ", str, "  text "),
        ("ff", lambda text: int(text, 16), 255),
    ],
)
def test_env_converts(text: str, type: Any, value: Any) -> None:
    assert read(text, type) == value


@pytest.mark.parametrize(
    ("text", "type", "expected"),
    [
        ("abc", int, "expected integer"),
        ("1.0", int, "expected integer"),
        ("1_000", int, "expected integer"),
        ("9" * 5000, int, "expected integer"),
        ("١٢", int, "expected integer"),
        ("abc", float, "expected number"),
        ("nan", float, "expected number"),
        ("inf", float, "expected number"),
        ("1_0", float, "expected number"),
        ("yes please", bool, "expected one of true, yes, on, 1, false, no, off, 0"),
        ('["a"', list, "expected a comma separated list or a JSON array"),
        ("host/path", "url", "expected a URL"),
        ("https://", "url", "expected a URL"),
        ("mailto:x", "url", "expected a URL"),
        ("-5", "duration", "expected a duration"),
        ("5 minutes", "duration", "expected a duration"),
        ("P", "duration", "expected a duration"),
        ("PT", "duration", "expected a duration"),
        ("PT1.2.3S", "duration", "expected a duration"),
        ("inf", "duration", "expected a duration"),
    ],
)
def test_env_refuses_with_the_name_and_the_accepted_forms(text: str, type: Any, expected: str) -> None:
    with pytest.raises(EnvError) as refused:
        read(text, type)
    assert str(refused.value).startswith(f"P: {expected}")
    assert repr(text) in str(refused.value)


def test_env_gives_the_default_when_unset() -> None:
    assert env("P", int, default=5, environ={}) == 5


def test_env_gives_none_when_unset_without_default() -> None:
    assert env("P", environ={}) is None


def test_env_counts_empty_as_unset() -> None:
    assert read("", int, default=5) == 5


def test_env_required_names_the_missing_variable() -> None:
    with pytest.raises(EnvError, match="^P is required and not set$"):
        env("P", required=True, environ={"P": ""})


def test_env_reads_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONZIMUS_TEST_NUMBER", "12")
    assert env("CRONZIMUS_TEST_NUMBER", int) == 12


def test_env_accepts_a_choice() -> None:
    assert read("2", int, choices=(1, 2)) == 2


def test_env_refuses_what_is_no_choice_and_hints() -> None:
    with pytest.raises(EnvError, match="P: expected one of fast, slow, got 'fats'; did you mean 'fast'?"):
        read("fats", str, choices=("fast", "slow"))


def test_lookup_reads_the_file_that_a_variable_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2xyz\n")
    assert lookup("KEY", {"KEY_FILE": str(secret)}, file=True) == "hunter2xyz"


def test_lookup_ignores_the_file_variable_unless_asked(tmp_path: Path) -> None:
    assert lookup("KEY", {"KEY_FILE": str(tmp_path)}) is None


def test_lookup_refuses_value_and_file_together() -> None:
    with pytest.raises(EnvError, match="KEY and KEY_FILE are both set"):
        lookup("KEY", {"KEY": "x", "KEY_FILE": "y"}, file=True)


def test_lookup_names_the_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match=r"KEY_FILE: cannot read .*gone: No such file"):
        lookup("KEY", {"KEY_FILE": str(tmp_path / "gone")}, file=True)


def test_lookup_refuses_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\xff\xfe")
    with pytest.raises(EnvError, match="it is not UTF-8 text"):
        lookup("KEY", {"KEY_FILE": str(tmp_path / "raw")}, file=True)


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("development", Env.DEVELOPMENT),
        ("dev", Env.DEVELOPMENT),
        ("stage", Env.STAGING),
        (" Staging ", Env.STAGING),
        ("PROD", Env.PRODUCTION),
        ("production", Env.PRODUCTION),
    ],
)
def test_env_named_accepts_short_forms(text: str, environment: Env) -> None:
    assert Env.named(text) is environment


def test_env_named_refuses_anything_else() -> None:
    with pytest.raises(
        EnvError, match="expected one of development, staging, production, got 'productoin'; did"
    ):
        Env.named("productoin")


def test_env_members_are_the_three_environments() -> None:
    assert list(Env) == ["development", "staging", "production"]


def clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_env_current_is_development_when_nothing_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    clear(monkeypatch)
    assert Env.current is Env.DEVELOPMENT


def test_env_current_follows_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear(monkeypatch)
    monkeypatch.setenv("env", "prod")
    first = Env.current
    monkeypatch.setenv("CRONZIMUS_ENV", "stage")
    assert (first, Env.current) == (Env.PRODUCTION, Env.STAGING)


def test_env_current_names_the_variable_it_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    clear(monkeypatch)
    monkeypatch.setenv("ENVIRONMENT", "moon")
    with pytest.raises(EnvError, match="^ENVIRONMENT: expected one of"):
        _ = Env.current


def test_environment_variable_prefers_the_most_specific_name() -> None:
    environ = dict.fromkeys(ENVIRONMENT_VARIABLES, "x")
    for name in ENVIRONMENT_VARIABLES:
        assert environment_variable(environ)[0] == name
        del environ[name]
    assert environment_variable(environ) == ("", "development")


def test_did_you_mean_is_silent_when_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["port", "host"]) == ""


@given(st.floats(min_value=0, max_value=1e9, allow_nan=False))
def test_duration_reads_plain_seconds_back(seconds: float) -> None:
    assert duration(repr(seconds)) == seconds


@given(st.text(max_size=30))
def test_duration_answers_or_refuses_any_text(text: str) -> None:
    try:
        assert 0 <= duration(text) < float("inf")
    except ValueError as error:
        assert str(error).startswith("expected a duration")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("zone=eu", {"zone": "eu"}),
        ("zone = eu , gpu=a=b,", {"zone": "eu", "gpu": "a=b"}),
        ('{"zone": "eu"}', {"zone": "eu"}),
    ],
)
def test_pairs_reads_names_and_values(text: str, found: dict[str, str]) -> None:
    assert pairs(text) == found


@pytest.mark.parametrize("text", ["zone", "=eu", "a=1,b", "{zone: eu}"])
def test_pairs_refuses_what_names_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="expected name=value"):
        pairs(text)
