"""The API document is valid and whole; its page asks no other host."""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from ruamel.yaml import YAML

import cronzimus
from cronzimus.models.access import Role
from cronzimus.models.alert import NotificationKind
from cronzimus.models.job import JobDefinition
from cronzimus.models.kinds import Kind
from cronzimus.models.worker import WorkerRole

OPENAPI = "/api/v1/openapi.json"
PACKAGE = Path(cronzimus.__file__).parent
API = PACKAGE.with_name("API.md").read_text(encoding="utf-8")
NOT_OVER_HTTP = {
    "CRONZIMUS_ERROR",
    "CONFIG_ERROR",
    "NO_TOKEN_CONFIGURED",
    "FENCED",
    "LEDGER_INCOMPLETE",
    "NO_OTEL",
    "NOT_DELIVERED",
    "WORKER_ID_IN_USE",
}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("Kind", Kind),
        ("NotificationKind", NotificationKind),
        ("Role", Role),
        ("WorkerRole", WorkerRole),
    ],
)
def test_words_of_one_name_are_those_of_one_noun(web: FlaskClient, schema: str, words: type[StrEnum]) -> None:
    described = (web.get(OPENAPI).json or {})["components"]["schemas"]
    assert described[schema]["enum"] == [word.value for word in words]


class Links(HTMLParser):
    """Collects what a page loads, and the scripts and styles written into it."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.inline: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.urls += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def document_of(web: FlaskClient) -> dict[str, Any]:
    return dict(web.get(OPENAPI).json or {})


def operations(whole: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in whole["paths"].items()
        for method, operation in item.items()
    }


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(references(value) for value in node))
    return set()


def test_the_document_is_openapi_31(web: FlaskClient) -> None:
    answer = web.get(OPENAPI)
    assert answer.mimetype == "application/json"
    assert document_of(web)["openapi"].startswith("3.1.")


def test_the_document_has_every_route(web: FlaskClient, app: Flask) -> None:
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(operations(document_of(web))) == served


def test_every_reference_leads_somewhere(web: FlaskClient) -> None:
    whole = document_of(web)
    known = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    assert references(whole) <= known


def test_every_schema_is_a_schema(web: FlaskClient) -> None:
    whole = document_of(web)
    for name in whole["components"]["schemas"]:
        root = {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}
        jsonschema_rs.Draft202012Validator(root)


def test_operations_are_told_apart_and_described(web: FlaskClient) -> None:
    found = list(operations(document_of(web)).values())
    assert len({operation["operationId"] for operation in found}) == len(found)
    assert all(operation["summary"].endswith((".", ")")) for operation in found)


def test_every_operation_may_answer_with_a_problem(web: FlaskClient) -> None:
    for operation in operations(document_of(web)).values():
        content = operation["responses"]["default"]["content"]
        assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_scopes_are_documented(build: Callable[..., Flask]) -> None:
    tokens = ({"name": "reader", "token": "read-key", "scopes": ("read",)},)
    web = build(environment="production", api={"auth": {"tokens": tokens}}).test_client()
    whole = dict(web.get(OPENAPI, headers={"Authorization": "Bearer read-key"}).json or {})
    found = operations(whole)
    assert whole["components"]["securitySchemes"] == {"bearer": {"type": "http", "scheme": "bearer"}}
    assert found["GET", "/api/health"]["security"] == []
    assert found["GET", "/api/v1/jobs"]["security"] == [{"bearer": ["read"]}]
    assert found["POST", "/api/v1/jobs/{job_id}/run"]["security"] == [{"bearer": ["operate"]}]
    assert found["DELETE", "/api/v1/jobs/{job_id}"]["security"] == [{"bearer": ["admin"]}]


def test_an_open_app_documents_that_a_token_is_not_needed(web: FlaskClient) -> None:
    assert operations(document_of(web))["GET", "/api/v1/jobs"]["security"] == [{}, {"bearer": ["read"]}]


def test_bounds_are_documented(web: FlaskClient) -> None:
    parameters = operations(document_of(web))["GET", "/api/v1/jobs"]["parameters"]
    limit = next(parameter["schema"] for parameter in parameters if parameter["name"] == "limit")
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50)
    assert not any("null" in str(parameter["schema"]) for parameter in parameters)


def test_the_page_asks_no_other_host(web: FlaskClient) -> None:
    answer = web.get("/docs")
    page = Links()
    page.feed(answer.text)
    assert answer.mimetype == "text/html"
    assert page.inline == []
    assert len(page.urls) == 4 and all(url.startswith("/docs/") for url in page.urls)
    assert "http:" not in answer.text and "https:" not in answer.text


def test_the_page_has_its_files(web: FlaskClient) -> None:
    page = Links()
    page.feed(web.get("/docs").text)
    kinds = {url: web.get(url).mimetype for url in page.urls}
    assert kinds == {
        "/docs/logo.svg": "image/svg+xml",
        "/docs/swagger-ui.css": "text/css",
        "/docs/swagger-ui-bundle.js": "text/javascript",
        "/docs/start.js": "text/javascript",
    }


def test_the_page_starts_from_our_document_only(web: FlaskClient) -> None:
    script = web.get("/docs/start.js").text
    assert f'url: "{OPENAPI}"' in script
    assert "validatorUrl: null" in script
    assert "://" not in script


def test_the_styles_load_nothing(web: FlaskClient) -> None:
    styles = web.get("/docs/swagger-ui.css").text
    urls = re.findall(r"url\(\s*[\"']?([^\"')]{0,12})", styles)
    assert urls and all(url.startswith("data:") for url in urls)
    assert "@import" not in styles


@pytest.mark.parametrize("route", ["/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js"])
def test_the_browser_is_told_to_load_from_here_only(web: FlaskClient, route: str) -> None:
    policy = dict(
        part.split(" ", 1) for part in web.get(route).headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'" and policy["connect-src"] == "'self'"
    assert policy["style-src"] == "'self' 'unsafe-inline'" and policy["img-src"] == "'self' data:"


@pytest.mark.parametrize("name", ["swagger-ui.css.map", "oauth2-redirect.html", "..%2f__init__.py", "none"])
def test_the_page_has_no_other_files(web: FlaskClient, name: str) -> None:
    assert web.get(f"/docs/{name}").status_code == 404


def test_the_page_moves_with_its_setting(build: Callable[..., Flask]) -> None:
    web = build(api={"docs_url": "/reference/"}, app={"name": "<Ops & co>"}).test_client()
    page = web.get("/reference").text
    assert 'src="/reference/start.js"' in page and "<title>&lt;Ops &amp; co&gt;</title>" in page
    assert web.get("/reference/start.js").status_code == 200
    assert web.get("/docs").status_code == 404


@pytest.mark.parametrize("route", [OPENAPI, "/docs", "/docs/start.js"])
def test_strangers_see_neither(build: Callable[..., Flask], route: str) -> None:
    assert build(environment="production").test_client().get(route).status_code == 401


def test_every_code_is_described() -> None:
    rooms = ("api", "services", "jobs", "workers", "controller", "models")
    texts = [path.read_text(encoding="utf-8") for room in rooms for path in (PACKAGE / room).rglob("*.py")]
    codes = set(re.findall(r'\bcode(?:: str)? ?= ?"([A-Z_]+)"', "\n".join(texts)))
    assert len(codes) > 20
    assert sorted(code for code in codes - NOT_OVER_HTTP if f"`{code}`" not in API) == []


def test_every_example_is_what_the_api_takes(web: FlaskClient) -> None:
    examples = [json.loads(body) for body in re.findall(r"-d '(\{.*?\})'", API, re.DOTALL)]
    documents = [example for example in examples if "id" in example]
    assert len(examples) > 4 and len(documents) > 2
    for example in documents:
        route = "/scheduler/jobs" if "func" in example else "/api/v1/jobs"
        answer = web.post(route, json=example)
        assert answer.status_code in (200, 201), answer.text


def test_the_document_in_the_description_is_taken(web: FlaskClient) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", API, re.DOTALL)
    described = YAML(typ="safe").load(text)
    assert described.keys() | {"id"} == JobDefinition.model_fields.keys()
    answer = web.post(
        "/api/v1/jobs", json={**described, "params": {"func": "cronzimus.controller.task:task"}}
    )
    assert answer.status_code == 201, answer.text
