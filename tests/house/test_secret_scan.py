"""The secret scan finds what it should, and leaves examples alone."""

from pathlib import Path

import pytest

from tests.house import secret_scan
from tests.house.secret_scan import findings

# Split, or the scan would find them here.
SECRETS = [
    "-----BEGIN RSA PRIV" "ATE KEY-----",
    "AKIA" "ABCDEFGHIJKLMNOP",
    "ghp" "_abcdefghijklmnopqrstuvwxyz0123456789",
    "glpat" "-abcdefghij0123456789",
    "xoxb" "-0123456789-abcdef",
    "eyJ" "hbGciOiJIUzI1NiJ9.eyJ" "zdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "czk_" "abcdefghijklmnopqrstuvwxyz0123456789",
    "postgresql://app:hunter2" "@db.company.com/app",
    "api_key = 'q8Zr1Lw0Pk3" "Tn6Vb'",
    '"db_password": "q8Zr1Lw0Pk3' 'Tn6Vb"',
]
EXAMPLES = [
    "postgresql://postgres:postgres@127.0.0.1:5432/app",
    "postgresql://app:${DB_PASSWORD}@db.company.com/app",
    "postgresql://app:secret@db.example/app",
    "password = settings.database.password",
    "token: str = ''",
    "secret = 'aaaaaaaaaaaaaaaaaaaa'",
    "token = 'a-sentence-without-numbers'",
]


@pytest.mark.parametrize("line", SECRETS)
def test_findings_names_the_line(line: str) -> None:
    assert [number for number, _ in findings(f"# above\n{line}\n# below")] == [2]


@pytest.mark.parametrize("line", EXAMPLES)
def test_findings_leaves_examples_alone(line: str) -> None:
    assert list(findings(line)) == []


@pytest.mark.parametrize("line", SECRETS)
def test_findings_believes_a_remark(line: str) -> None:
    assert list(findings(f"{line}  # not a secret: it opens nothing")) == []


def test_findings_takes_named_values_in_tests_for_examples() -> None:
    assert list(findings(SECRETS[-1], invented=True)) == []
    assert list(findings(SECRETS[1], invented=True)) != []


def test_main_is_quiet_about_this_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    assert secret_scan.main() == 0, capsys.readouterr().out


def test_main_fails_on_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leak = tmp_path / "leak.py"
    leak.write_text(f"# first\nkey = '{SECRETS[1]}'\n")
    monkeypatch.setattr(secret_scan, "ROOT", tmp_path)
    monkeypatch.setattr(secret_scan, "checkout_files", lambda: (leak,))
    assert secret_scan.main() == 1
    assert "leak.py:2: looks like an AWS access key" in capsys.readouterr().out
