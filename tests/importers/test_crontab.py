"""Crontabs: a long one of every shape, line by line, and each rule by itself."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronzimus.importers.crontab import entry_of, has_user_column, import_crontab
from cronzimus.importers.report import Fate, Imported
from cronzimus.models.job import JobDefinition

FIXTURES = Path(__file__).parents[1] / "fixtures"


def test_two_hundred_lines_are_accounted_for() -> None:
    text = (FIXTURES / "crontab.txt").read_bytes().decode()
    expected = (FIXTURES / "crontab_expected.txt").read_text(encoding="utf-8").splitlines()
    found = import_crontab(text, include_disabled=True)
    documents = {document["id"]: document for document in found.documents}
    assert len(text.split("\n")) == len(found.notes) == len(expected) == 200
    for note, line in zip(found.notes, expected, strict=True):
        assert told(note.place, note.fate, note.job_id, documents) == line
    assert len(documents) == sum(note.job_id is not None for note in found.notes)
    assert all(note.text for note in found.refused)


def told(place: str, fate: str, job_id: str | None, documents: dict[str, dict[str, Any]]) -> str:
    if job_id is None:
        return f"{place} {fate}"
    document = documents[job_id]
    trigger = document["trigger"]
    when = trigger.get("expression", trigger["type"])
    when += f" jitter {trigger['jitter']}" if "jitter" in trigger else ""
    command = json.dumps(document["params"]["command"], ensure_ascii=False)
    return f"{place} {fate} {job_id} | {when} | {document.get('timezone', 'UTC')} | {command}"


def test_what_is_disabled_is_reported_unless_it_is_asked_for() -> None:
    found = import_crontab("#0 5 * * * /usr/bin/old\n")
    assert found.documents == () and found.notes[0].fate is Fate.DISABLED
    assert found.notes[0].text == "#0 5 * * * /usr/bin/old"
    (document,) = import_crontab("#0 5 * * * /usr/bin/old\n", include_disabled=True).documents
    assert document["paused"] is True


def only(text: str, **options: Any) -> dict[str, Any]:
    (document,) = import_crontab(text, **options).documents
    return dict(document)


def test_variables_hold_for_the_lines_below() -> None:
    first, second = import_crontab(
        "0 1 * * * /a\nSHELL=/bin/zsh\nX='y z'\nHOME=/h\n0 2 * * * b | c\n"
    ).documents
    assert first["params"] == {"command": ["/a"]}
    assert second["params"] == {
        "command": ["/bin/zsh", "-c", "b | c"],
        "env": {"X": "y z", "HOME": "/h"},
        "cwd": "/h",
    }


def test_a_path_of_its_own_needs_the_shell_that_searches_it() -> None:
    assert only("PATH=/opt/bin\n0 1 * * * tool\n")["params"]["command"] == ["/bin/sh", "-c", "tool"]
    assert only("PATH=/opt/bin\n0 1 * * * /x/tool\n")["params"]["command"] == ["/x/tool"]


def test_zones() -> None:
    assert only("0 1 * * * /a\n")["id"] == "a" and "timezone" not in only("0 1 * * * /a\n")
    assert only("0 1 * * * /a\n", timezone="Europe/Berlin")["timezone"] == "Europe/Berlin"
    assert only("CRON_TZ=Asia/Tokyo\n0 1 * * * /a\n", timezone="Europe/Berlin")["timezone"] == "Asia/Tokyo"
    seen_by_the_command = only("TZ=Asia/Tokyo\n0 1 * * * /a\n")
    assert "timezone" not in seen_by_the_command and seen_by_the_command["params"]["env"] == {
        "TZ": "Asia/Tokyo"
    }
    with pytest.raises(ValueError, match="unknown time zone"):
        import_crontab("", timezone="Nowhere")


def test_entries_below_a_zone_that_is_none_are_refused() -> None:
    found = import_crontab("CRON_TZ=Mars/Olympus\n0 1 * * * /a\nCRON_TZ=UTC\n0 1 * * * /b\n")
    assert [note.fate for note in found.notes] == ["refused", "refused", "variable", "job"]
    assert "unknown time zone 'Mars/Olympus'" in found.notes[1].text


def test_secrets_are_pointed_out() -> None:
    notes = import_crontab("DB_PASSWORD=x\nAPI_KEY=y\nMONKEY=z\n").notes
    assert ["secret" in note.text for note in notes] == [True, True, False]
    assert not any("x" == note.text for note in notes)


SYSTEM = """\
SHELL=/bin/sh
17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly
25 6 * * * www-data /usr/bin/php /srv/cron.php
@daily postgres /usr/bin/vacuumdb -a
# 9 9 * * * root /usr/bin/off
"""


def test_a_system_crontab_is_recognised() -> None:
    found = import_crontab(SYSTEM)
    assert [document["id"] for document in found.documents] == ["run-parts", "cron", "vacuumdb"]
    assert found.documents[1]["params"]["command"] == ["/usr/bin/php", "/srv/cron.php"]
    assert "ran as www-data; here it runs as the worker does" in found.notes[2].text
    assert found.notes[4].fate is Fate.DISABLED


def test_the_user_column_can_be_said() -> None:
    line = "0 5 * * * backup /srv\n"
    assert only(line, user_column=False)["params"]["command"] == ["backup", "/srv"]
    assert only(line, user_column=True)["params"]["command"] == ["/srv"]
    refused = import_crontab("0 5 * * * /usr/bin/no-user\n", user_column=True)
    assert refused.notes[0].fate is Fate.REFUSED


@pytest.mark.parametrize(
    ("lines", "system"),
    [
        (["0 1 * * * root /a"], True),
        (["0 1 * * * someone /a", "@daily nobody true x"], True),
        (["0 1 * * * /a b"], False),
        (["0 1 * * * root /a", "0 1 * * * /b"], False),
        (["0 1 * * * echo hello"], False),
        ([], False),
    ],
)
def test_user_columns_are_found_out(lines: list[str], system: bool) -> None:
    assert has_user_column(lines) is system


def test_either_day_is_enough() -> None:
    """Day of month and day of week: cron fires when one of them matches."""
    document = only("0 0 13 * 5 /a\n")
    definition = JobDefinition.model_validate(document)
    due = definition.schedule.between(at("2026-11-01"), at("2026-11-30"))
    assert [instant.day for instant in due] == [6, 13, 20, 27]
    definition = JobDefinition.model_validate(only("0 0 14 * 5 /a\n"))
    due = definition.schedule.between(at("2026-11-01"), at("2026-11-30"))
    assert [instant.day for instant in due] == [6, 13, 14, 20, 27]


def at(day: str) -> Any:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_the_last_line_needs_no_end(ending: str) -> None:
    found = import_crontab(f"0 1 * * * /a{ending}")
    assert len(found.notes) == 1 and found.documents[0]["params"]["command"] == ["/a"]


def test_nothing_is_nothing() -> None:
    assert import_crontab("") == Imported((), ())


def test_entries_of_other_words_are_none() -> None:
    assert entry_of("see man 5 crontab for more words", user_column=False) is None
    assert entry_of("1 2 3", user_column=False) is None


@given(st.text(alphabet=st.sampled_from(" \t*0159/,-~#@%=\\\"'$abrHL\r"), max_size=60))
def test_any_line_is_accounted_for(line: str) -> None:
    found = import_crontab(line)
    assert len(found.notes) == (1 if line else 0)
    for document in found.documents:
        JobDefinition.model_validate(document)
