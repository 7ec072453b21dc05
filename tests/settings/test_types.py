"""Values are checked by kind, and secrets never show themselves."""

from typing import Any

import pytest
from pydantic import ValidationError

from cronzimus.settings import Dsn, Settings
from cronzimus.settings.types import Address, DatabaseUrl, Level, SecretText, Section, TextOrCount, Zone


class Sample(Section):
    """One field of each kind."""

    address: Address = None
    zone: Zone = "UTC"
    url: DatabaseUrl = None
    level: Level = "INFO"
    secret: SecretText = None
    mixed: TextOrCount = None


def refusal(**values: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Sample(**values)
    return str(refused.value.errors()[0]["msg"])


@pytest.mark.parametrize("text", ["0.0.0.0:8080", "localhost:0", "[::1]:65535", "[::]:80"])
def test_address_accepts_host_and_port(text: str) -> None:
    assert Sample(address=text).address == text


@pytest.mark.parametrize(
    "text", ["8080", ":8080", "host:", "host:65536", "::1:80", "host:-1", "host:http", ""]
)
def test_address_refuses_anything_else(text: str) -> None:
    assert "expected host:port, such as 0.0.0.0:8080 or [::]:8080" in refusal(address=text)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/St_Johns"])
def test_zone_accepts_names_of_the_tz_database(name: str) -> None:
    assert Sample(zone=name).zone == name


@pytest.mark.parametrize("name", ["Mars/Base", "", "../UTC", "/etc/localtime", "a\0b"])
def test_zone_refuses_unknown_names(name: str) -> None:
    assert "unknown time zone" in refusal(zone=name)


def test_zone_hints_at_the_nearest_name() -> None:
    assert "did you mean 'Europe/Berlin'?" in refusal(zone="Europe/Berln")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h:5432/d",
        "postgres://h/d",
        "postgresql:///d?host=/tmp",
        "postgresql://u@/d?host=%2Ftmp",
    ],
)
def test_database_url_accepts_postgresql(url: str) -> None:
    held = Sample(url=url).url  # type: ignore[arg-type]
    assert held is not None and held.get_secret_value() == url


@pytest.mark.parametrize("url", ["mysql://u:hunter2@h/d", "sqlite:///x.db", "host=h dbname=d", ""])
def test_database_url_names_the_supported_schemes(url: str) -> None:
    sentence = refusal(url=url)
    assert "supported: postgresql://, postgres://" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h:port/d", "postgresql://u:hunter2@h:99999/d"])
def test_database_url_refuses_a_bad_address_without_showing_it(url: str) -> None:
    sentence = refusal(url=url)
    assert "expected postgresql://user:password@host:5432/name" in sentence
    assert "hunter2" not in sentence


def test_database_url_shows_itself_without_its_password() -> None:
    dsn = Dsn("postgresql://u:hunter2@h/d")
    assert str(dsn) == "postgresql://u:***@h/d"
    assert "hunter2" not in repr(Sample(url=dsn))


def test_database_url_is_not_in_the_dump_as_text() -> None:
    settings = Settings(database={"url": "postgresql://u:hunter2@h/d"})  # type: ignore[arg-type]
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


def test_secret_text_never_shows_itself() -> None:
    sample = Sample(secret="hunter2")  # type: ignore[arg-type]
    assert "hunter2" not in repr(sample) + str(sample) + sample.model_dump_json()


@pytest.mark.parametrize(("text", "level"), [("debug", "DEBUG"), ("Warn", "WARNING")])
def test_level_accepts_any_case(text: Any, level: str) -> None:
    assert Sample(level=text).level == level


@pytest.mark.parametrize(("given", "value"), [("10", 10), (10, 10), ("10 days", "10 days"), (None, None)])
def test_text_or_count_makes_numbers_of_digits(given: Any, value: Any) -> None:
    assert Sample(mixed=given).mixed == value


@pytest.mark.parametrize("field", ["address", "zone", "url", "level", "secret", "mixed"])
def test_every_kind_refuses_a_list(field: str) -> None:
    assert refusal(**{field: ["x"]})


def test_section_refuses_unknown_keys_and_changes() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Sample(gone=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="frozen"):
        Sample().zone = "UTC"  # type: ignore[misc]
