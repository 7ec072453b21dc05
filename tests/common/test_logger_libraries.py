"""What libraries say through the standard library comes out of the one log, as far as it is useful."""

import json
import logging
import sys
import warnings

import pytest

from cronzimus.common import logger as log


def test_library_line_keeps_its_name_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger("INFO", "json")
    logging.getLogger("some.library").warning("pool of %d", 3)
    line = json.loads(capsys.readouterr().err)
    assert (line["logger"], line["level"], line["message"]) == ("some.library", "WARNING", "pool of 3")


def test_library_exception_comes_along(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger("INFO", "json")
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("some.library").exception("failed")
    assert json.loads(capsys.readouterr().err)["exception"].endswith("KeyError: 'gone'")


def test_library_line_of_a_level_of_its_own_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger()
    logging.getLogger("some.library").log(25, "between")
    assert "some.library: between" in capsys.readouterr().err


def test_library_line_with_braces_is_not_formatted_again(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger()
    logging.getLogger("some.library").error("{0} %s", "{x}")
    assert "{0} {x}" in capsys.readouterr().err


def test_library_line_that_cannot_be_formatted_does_not_raise(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().handlers.clear()  # the test runner's own handler would raise
    log.init_logger()
    logging.getLogger("some.library").error("%d", "not a number")
    assert "Logging error" in capsys.readouterr().err


def test_library_below_the_level_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger("WARNING")
    logging.getLogger("some.library").info("dropped")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "name",
    ["werkzeug", "apscheduler.scheduler", "psycopg.pool", "alembic.runtime", "httpx2", "celery.app.trace"],
)
def test_chatty_library_is_quiet_at_info(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger("INFO")
    logging.getLogger(name).info("GET /livez 200")
    logging.getLogger(name).warning("trouble")
    err = capsys.readouterr().err
    assert "livez" not in err
    assert f"{name}: trouble" in err


@pytest.mark.parametrize("name", ["procrastinate.worker", "celery.worker.consumer", "kombu.transport.redis"])
def test_what_carries_deliveries_is_told_by_the_engine_alone(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.init_logger("INFO")
    logging.getLogger(name).critical("no broker, once more")
    assert capsys.readouterr().err == ""
    log.init_logger("DEBUG")
    logging.getLogger(name).error("no broker")
    assert f"{name}: no broker" in capsys.readouterr().err


def test_chatty_library_speaks_at_debug(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger("DEBUG")
    logging.getLogger("werkzeug").info("GET /")
    assert "werkzeug: GET /" in capsys.readouterr().err


def test_library_with_handlers_of_its_own_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    library = logging.getLogger("gunicorn.error")
    library.addHandler(logging.StreamHandler(sys.stderr))
    library.propagate = False
    log.init_logger()
    library.info("Booting worker")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("gunicorn.error: Booting worker")


def test_capture_catches_any_other_library(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger()
    library = logging.getLogger("third.party")
    library.addHandler(logging.StreamHandler(sys.stderr))
    library.propagate = False
    log.capture("third.party")
    library.error("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_plain_root_handler_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
    log.init_logger()
    logging.getLogger("some.library").error("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_root_handlers_of_others_stay(caplog: pytest.LogCaptureFixture) -> None:
    log.init_logger()
    logging.getLogger("some.library").error("both")
    assert caplog.messages == ["both"]


def test_intercept_is_added_once(capsys: pytest.CaptureFixture[str]) -> None:
    log.init_logger("INFO")
    log.init_logger("DEBUG")
    logging.getLogger("some.library").error("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_python_warnings_go_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.init_logger()
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "py.warnings" in capsys.readouterr().err
