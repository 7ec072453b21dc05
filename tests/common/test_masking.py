"""No secret reaches a line: neither a registered value nor what looks like one."""

import json
import logging
from collections.abc import Iterator

import pytest

from cronzimus.common.logger import get_logger, init_logger
from cronzimus.common.masking import mask, mask_all, mask_dsn, register_secret
from tests.fixtures.process_log import restored_log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    with restored_log():
        yield


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://u:hunter2@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:p@ss@h:5432/db?x=1", "postgresql://u:***@h:5432/db?x=1"),
        ("redis://:hunter2@h", "redis://:***@h"),
        ("amqp://u:a@h and http://v:b@i", "amqp://u:***@h and http://v:***@i"),
        ("postgresql://h/db?user=u&password=hunter2&x=1", "postgresql://h/db?user=u&password=***&x=1"),
        ("postgresql://h/db?sslpassword=hunter2", "postgresql://h/db?sslpassword=***"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        ("http://h:80/x then mail a@b.c", "http://h:80/x then mail a@b.c"),
        ('{"url": "http://h:80", "mail": "a@b"}', '{"url": "http://h:80", "mail": "a@b"}'),
    ],
)
def test_mask_dsn_hides_only_the_password(text: str, masked: str) -> None:
    assert mask_dsn(text) == masked
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("host=h password=hunter2 dbname=d", "host=h password=*** dbname=d"),
        ("password='a b' host=h", "password=*** host=h"),
        ("POST /x?token=abc&y=1", "POST /x?token=***&y=1"),
        ("api_key=abc, api-key=def", "api_key=***, api-key=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("the password is safe", "the password is safe"),
        ("passwords=2", "passwords=2"),
        ("", ""),
    ],
)
def test_mask_hides_values_that_are_named_secret(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_mask_hides_a_registered_value_wherever_it_stands() -> None:
    register_secret("hunter2xyz")
    assert mask("xhunter2xyz, hunter2xyz") == "x***, ***"


def test_mask_hides_the_forms_a_value_takes_in_urls_and_json() -> None:
    register_secret('p/w"d@1')
    assert mask('p%2Fw%22d%401 p/w\\"d@1 p/w"d@1') == "*** *** ***"


def test_mask_hides_the_longer_of_two_values_whole() -> None:
    register_secret("secret-one")
    register_secret("secret-one-and-more")
    assert mask("secret-one-and-more") == "***"


def test_register_secret_leaves_short_values_alone() -> None:
    register_secret("abc")
    register_secret("")
    assert mask("abc") == "abc"


def test_mask_takes_long_texts_in_stride() -> None:
    # A pattern that backtracks would not come back from this.
    text = "a" * 300_000 + "://" + "b" * 300_000
    assert mask(text) == text


@pytest.mark.parametrize("format", ["text", "json"])
def test_lines_show_no_secret_in_message_extra_or_exception(
    format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    register_secret("hunter2xyz")
    init_logger("INFO", format)
    logger = get_logger("x").bind(own="hunter2xyz", nested={"k": ["hunter2xyz"]})
    try:
        raise RuntimeError("cannot reach postgresql://u:other@h/db as hunter2xyz")
    except RuntimeError:
        logger.exception("message hunter2xyz")
    text = capsys.readouterr().err
    assert "hunter2xyz" not in text
    assert "other" not in text
    assert "***" in text


def test_masking_keeps_json_valid_when_a_secret_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    register_secret("123456")
    init_logger("INFO", "json")
    get_logger("x").bind(count=123456).info("pin 123456")
    line = json.loads(capsys.readouterr().err)
    assert line["message"] == "pin ***"


def test_lines_of_libraries_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    register_secret("hunter2xyz")
    init_logger()
    logging.getLogger("some.library").error("connecting with %s", "hunter2xyz")
    assert "connecting with ***" in capsys.readouterr().err


def test_mask_all_hides_what_its_name_gives_away_and_keeps_the_rest() -> None:
    value = {
        "client_secret": "a",
        "API-Key": "b",
        "cookies": ["c"],
        "password": "",
        "max_tokens": 7,
        "deep": [{"note": "postgresql://u:p@h/d", "on": True}, None],
    }
    assert mask_all(value) == {
        "client_secret": "***",
        "API-Key": "***",
        "cookies": "***",
        "password": "",
        "max_tokens": 7,
        "deep": [{"note": "postgresql://u:***@h/d", "on": True}, None],
    }


def test_secret_of_several_lines_is_masked_line_by_line() -> None:
    register_secret("-----BEGIN KEY-----\nMIIEvQIBADANBg\nq==\n-----END KEY-----\n")
    assert mask("the key: MIIEvQIBADANBg, q==") == "the key: ***, q=="
    register_secret("from-a-file\n")
    assert mask("it is from-a-file.") == "it is ***."
