"""The pages in the app: problems for people, the colours the reader chose, addresses that stay programs'."""

import pytest
from flask.testing import FlaskClient

from tests.web.pages import Page, read


def test_people_get_a_page_for_a_problem(web: FlaskClient) -> None:
    answer = web.get("/nothing-here", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 404
    main = Page(answer.text).root.one("main")
    assert "nothing is served at '/nothing-here'" in main.text and "NOT_FOUND" in main.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/nothing-here", "*/*"), ("/nothing-here", "application/json"), ("/api/v1/jobs/no", "text/html")],
)
def test_programs_get_a_problem(web: FlaskClient, path: str, accept: str) -> None:
    answer = web.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ("pink", None), ("", None)]
)
def test_the_reader_s_colours_come_with_the_page(web: FlaskClient, cookie: str, theme: str | None) -> None:
    web.set_cookie("theme", cookie)
    assert read(web, "/").one("html").attributes.get("data-theme") == theme


def test_the_page_s_own_place_is_marked(web: FlaskClient) -> None:
    nav = read(web, "/jobs").one("nav", **{"aria-label": "Pages"})
    assert [one.text for one in nav.all("a") if "aria-current" in one.attributes] == ["Jobs"]


def test_without_a_database_a_page_says_so(web: FlaskClient) -> None:
    web.application.extensions.pop("cronzimus")
    answer = web.get("/jobs", headers={"Accept": "text/html"})
    assert (
        answer.status_code == 503 and "still starting" in answer.text and answer.headers["Retry-After"] == "1"
    )
