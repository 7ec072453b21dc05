"""The dependency scan never calls audited what nobody looked up."""

import json
import subprocess

import pytest

from tests.house import dependency_scan
from tests.house.dependency_scan import NOTHING, Audit, ask, first_answer, main, read, verdict

SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLED = {"name": "jinja2", "version": "3.1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["3.1.6"]}]}
UNKNOWN = {"name": "alembic", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def _report(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_read_counts_only_what_was_looked_up() -> None:
    audit = read(_report(SOUND, HOLED, UNKNOWN))
    assert audit.audited == ("flask 3.1.3", "jinja2 3.1.0")
    assert audit.skipped == ("alembic",)
    assert audit.holes == ("jinja2 3.1.0: CVE-1, fixed in 3.1.6",)


@pytest.mark.parametrize("report", ["", "Traceback (most recent call last)", "[]", "{}"])
def test_read_takes_no_report_for_no_audit(report: str) -> None:
    assert read(report) == Audit()


@pytest.mark.parametrize("offline_ok", [True, False])
def test_verdict_says_that_nothing_was_audited(offline_ok: bool) -> None:
    code, lines = verdict(read(_report(UNKNOWN)), offline_ok=offline_ok)
    assert (code, list(lines)) == (0 if offline_ok else 1, [NOTHING])


@pytest.mark.parametrize(("packages", "code"), [((SOUND,), 0), ((SOUND, HOLED), 1), ((SOUND, UNKNOWN), 1)])
def test_verdict_fails_on_holes_and_gaps(packages: tuple[dict[str, object], ...], code: int) -> None:
    assert verdict(read(_report(*packages)), offline_ok=True)[0] == code


def test_first_answer_goes_on_to_the_next_service(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"pypi": Audit(skipped=("flask",)), "osv": Audit(audited=("flask 3.1.3",))}
    monkeypatch.setattr(dependency_scan, "ask", lambda service, lock: answers[service])
    assert first_answer("requirements.txt").audited == ("flask 3.1.3",)


def test_ask_outlives_a_service_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pip-audit", 300)

    monkeypatch.setattr(subprocess, "run", hang)
    assert ask("pypi", "requirements.txt") == Audit()


@pytest.mark.parametrize(("wish", "code"), [("0", 1), ("1", 0)])
def test_main_lets_the_caller_demand_a_source(
    wish: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECURITY_OFFLINE_OK", wish)
    monkeypatch.setattr(dependency_scan, "ask", lambda service, lock: Audit())
    assert main(["requirements.txt"]) == code
    assert NOTHING in capsys.readouterr().out
