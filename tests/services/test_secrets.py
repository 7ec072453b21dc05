"""Secrets by name: where they are looked for, who may use them, and that nobody sees them."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cronzimus.common.masking import MASK, mask
from cronzimus.errors import Invalid
from cronzimus.services.secrets import LARGEST_SECRET, Secrets
from cronzimus.settings import Settings

ENVIRON = {
    "APP_SECRET_DB": "from-the-environment",
    "APP_SECRET_": "nothing",
    "OTHER": "x",
    "APP_SECRET_EMPTY": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of secrets as Docker and Kubernetes mount them."""
    (tmp_path / "db").write_text("from-a-file\n")
    (tmp_path / "api.key").write_text("line one is long\nline two is long\n")
    (tmp_path / "short").write_text("123")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large").write_text("x" * (LARGEST_SECRET + 1))
    (tmp_path / "..data").mkdir()
    return tmp_path


@pytest.fixture
def secrets(folder: Path) -> Secrets:
    """Both kinds of source, and one secret that is not for all."""
    return Secrets("APP_SECRET_", str(folder), {"api.key": ["nightly-*", "a"]}, environ=ENVIRON)


def test_a_variable_wins_over_a_file(secrets: Secrets, folder: Path) -> None:
    assert secrets.value("db", "a") == "from-the-environment"
    assert Secrets("", str(folder), environ=ENVIRON).value("db", "a") == "from-a-file"


def test_names_are_listed_and_no_values(secrets: Secrets) -> None:
    assert secrets.names() == ("DB", "EMPTY", "api.key", "bytes", "db", "large", "short")
    assert Secrets(environ=ENVIRON).names() == ()


def test_what_was_looked_up_is_masked_from_then_on(secrets: Secrets) -> None:
    secrets.value("api.key", "a")
    assert mask("got line two is long here") == f"got {MASK} here"


def test_a_rotated_secret_is_seen_at_once(secrets: Secrets, folder: Path) -> None:
    assert secrets.value("api.key", "a").startswith("line one")
    (folder / "api.key").write_text("quite another")
    assert secrets.value("api.key", "a") == "quite another"


@pytest.mark.parametrize("name", ["nobody", "bytes", "large", "../db", "..data", "", "a/b", "short", "EMPTY"])
def test_what_cannot_be_used_is_refused_without_a_value(secrets: Secrets, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        secrets.value(name, "a")
    assert caught.value.code == "UNKNOWN_SECRET" and "123" not in caught.value.message


def test_a_misspelt_name_gets_a_hint(secrets: Secrets) -> None:
    with pytest.raises(Invalid, match="did you mean 'api.key'"):
        secrets.check("api.kei", "a")


def test_a_granted_secret_is_for_those_jobs_only(secrets: Secrets) -> None:
    assert secrets.value("api.key", "nightly-load") and secrets.may_use("db", "anybody")
    with pytest.raises(Invalid, match="not granted to job 'other'") as caught:
        secrets.value("api.key", "other")
    assert caught.value.code == "SECRET_NOT_GRANTED"


def test_resolved_tells_which_secrets_are_in_it(secrets: Secrets) -> None:
    value, used = secrets.resolved({"h": "Bearer ${secret:db}", "again": ["${secret:db}"]}, "a")
    assert value == {"h": "Bearer from-the-environment", "again": ["from-the-environment"]}
    assert used == ("from-the-environment",)
    plain = {"a": 1}
    assert secrets.resolved(plain, "a") == (plain, ())


def test_settings_say_where_they_lie(folder: Path) -> None:
    grants = [{"secret": "db", "jobs": ["a"]}, {"secret": "db", "jobs": ["b"]}]
    section = {"env_prefix": "", "dir": str(folder), "grants": grants, "allow_plain": True}
    secrets = Secrets.of(Settings.model_validate({"secrets": section}, strict=False))
    assert secrets.value("db", "b") == "from-a-file" and secrets.allow_plain
    assert not secrets.may_use("db", "c")
    assert Secrets.of(SimpleNamespace()).names() == ()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    secrets = Secrets("", str(tmp_path / "gone"), environ={})
    assert secrets.names() == ()
    with pytest.raises(Invalid):
        secrets.check("db", "a")
