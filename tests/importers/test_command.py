"""Commands of crontab lines: words or a shell, standard input, and what to call them."""

import subprocess
from pathlib import Path

import pytest

from cronzimus.importers.command import command_of, name_of, plain_words, read_command


@pytest.mark.parametrize(
    ("written", "text", "stdin"),
    [
        ("/a b", "/a b", None),
        (r"date +\%F", "date +%F", None),
        ("cat%one%two", "cat", "one\ntwo\n"),
        (r"cat%100\%%", "cat", "100%\n\n"),
        ("cat%", "cat", "\n"),
    ],
)
def test_percent_signs(written: str, text: str, stdin: str | None) -> None:
    command = read_command(written)
    assert (command.text, command.stdin) == (text, stdin)


@pytest.mark.parametrize(
    "text",
    ["a | b", "a > b", "a && b", "X=1 a", "a $X", "a *", "a 'b c'", "cd /", ". x", "a;b", "a `b`", "~/a", ""],
)
def test_a_shell_is_left_to_what_needs_one(text: str) -> None:
    assert plain_words(text) is None


@pytest.mark.parametrize("text", ["/usr/bin/a --b=c d.e", "a -x 5 user@host:/p", "date +%F"])
def test_plain_words_need_none(text: str) -> None:
    assert plain_words(text) == text.split()


def test_standard_input_arrives_as_cron_gives_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    params, _ = command_of(read_command(rf"cat > {out}%it's%50\% and $HOME"), "/bin/sh", {})
    subprocess.run(params["command"], check=True)
    assert out.read_text() == "it's\n50% and $HOME\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/usr/local/bin/backup.sh", "backup"),
        ("cd /srv/shop && php artisan schedule:run", "artisan schedule:run"),
        ("sudo -u postgres /usr/bin/vacuumdb -a", "vacuumdb"),
        ("flock -n /tmp/a.lock /srv/feed.py", "feed"),
        ('[ "$(date +%d)" = 01 ] && /srv/month-end', "month-end"),
        ("for f in *.csv; do load.sh $f; done", "load"),
        ("env", "env"),
        ("???", "???"),
        ("", "job"),
    ],
)
def test_names_say_what_is_done(text: str, name: str) -> None:
    assert name_of(text) == name
