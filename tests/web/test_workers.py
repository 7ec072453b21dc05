"""The workers page."""

from flask.testing import FlaskClient

from cronzimus.house import House
from tests.web.pages import read


def test_every_process_is_shown(web: FlaskClient, house: House) -> None:
    assert "No process is there." in read(web, "/workers").text
    house.operating.processes.step()
    (row,) = [one for one in read(web, "/workers").all("tr") if "data-row" in one.attributes]
    assert house.name in row.text and "alive" in row.text and "0 of 10" in row.text
    assert "scheduler, api, worker" in row.text


def test_filter_by_state(web: FlaskClient, house: House) -> None:
    house.operating.processes.step()
    assert "No process" in read(web, "/workers?status=down").text
    house.operating.processes.leave()
    page = read(web, "/workers?status=down")
    assert house.name in page.text
    assert [one.text for one in page.all("a") if one.attributes.get("aria-current") == "true"] == ["down"]
