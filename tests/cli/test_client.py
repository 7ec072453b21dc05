"""The client: plain data out, every refusal as the error it stands for."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from cronzimus.api.queries import PageQuery
from cronzimus.cli.client import DEFAULT_URL, LARGEST_PAGE, Client, connect, is_loopback
from cronzimus.cli.command import Session
from cronzimus.errors import Conflict, CronzimusError, Forbidden, Invalid, NotFound, Unavailable
from cronzimus.version import version
from tests.fixtures.project import Project

Serve = Callable[[WSGIApplication], str]


class Stub:
    """Answers everything alike and remembers what it was asked."""

    def __init__(self, status: str = "200 OK", body: object = None, **headers: str) -> None:
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        self.asked: list[WSGIEnvironment] = []
        self.bodies: list[bytes] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        self.asked.append(environ)
        self.bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start(self.status, list(self.headers.items()))
        return [self.body]


def problem(status: str, code: str, detail: str, *errors: dict[str, str]) -> Stub:
    return Stub(status, {"code": code, "detail": detail, "errors": list(errors)})


def refusal(client: Client) -> CronzimusError:
    with pytest.raises(CronzimusError) as refused:
        client.get("jobs")
    return refused.value


def test_requests_say_who_asks_and_what_for(serving: Serve) -> None:
    stub = Stub(body={"id": "x"})
    client = Client(serving(stub) + "/", "t0ken")
    assert client.get("jobs", "x", next=5, at=None) == {"id": "x"}
    assert client.post("jobs", body={"id": "ü"}) == {"id": "x"}
    client.put("jobs", "x", body={}, if_version=3)
    client.patch("jobs", "x", body={"tags": []})
    client.delete("jobs", "x")
    client.post("jobs", "x", "pause")
    said = [
        (e["REQUEST_METHOD"], e["PATH_INFO"], e["QUERY_STRING"], e.get("HTTP_IF_MATCH")) for e in stub.asked
    ]
    assert said == [
        ("GET", "/api/v1/jobs/x", "next=5", None),
        ("POST", "/api/v1/jobs", "", None),
        ("PUT", "/api/v1/jobs/x", "", '"3"'),
        ("PATCH", "/api/v1/jobs/x", "", None),
        ("DELETE", "/api/v1/jobs/x", "", None),
        ("POST", "/api/v1/jobs/x/pause", "", None),
    ]
    assert {e["HTTP_AUTHORIZATION"] for e in stub.asked} == {"Bearer t0ken"}
    assert {e["HTTP_USER_AGENT"] for e in stub.asked} == {f"cronzimus/{version()}"}
    assert [json.loads(body) for body in stub.bodies if body] == [{"id": "ü"}, {}, {"tags": []}, {}]
    assert stub.asked[1]["CONTENT_TYPE"] == "application/json"


def test_without_a_token_none_is_sent(serving: Serve) -> None:
    stub = Stub()
    Client(serving(stub)).get("jobs")
    assert "HTTP_AUTHORIZATION" not in stub.asked[0]


def test_names_cannot_leave_their_place_in_the_path(serving: Serve) -> None:
    stub = Stub()
    Client(serving(stub)).get("jobs", "../x?y#z")
    assert stub.asked[0]["REQUEST_URI"] == "/api/v1/jobs/..%2Fx%3Fy%23z"


def test_a_service_may_live_below_a_path(serving: Serve) -> None:
    stub = Stub()
    Client(serving(stub) + "/cron/").get("jobs")
    assert stub.asked[0]["PATH_INFO"] == "/cron/api/v1/jobs"


def test_no_content_is_nothing(serving: Serve) -> None:
    assert Client(serving(Stub("204 NO CONTENT", b""))).delete("jobs", "x") is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("400 BAD REQUEST", Invalid),
        ("403 FORBIDDEN", Forbidden),
        ("404 NOT FOUND", NotFound),
        ("409 CONFLICT", Conflict),
        ("412 PRECONDITION FAILED", Conflict),
        ("413 CONTENT TOO LARGE", Invalid),
        ("415 UNSUPPORTED MEDIA TYPE", Invalid),
        ("422 UNPROCESSABLE CONTENT", Invalid),
        ("500 INTERNAL SERVER ERROR", CronzimusError),
        ("503 SERVICE UNAVAILABLE", Unavailable),
    ],
)
def test_problems_are_the_errors_they_stand_for(
    status: str, kind: type[CronzimusError], serving: Serve
) -> None:
    stub = problem(status, "SOME_CODE", "no good", {"field": "id", "message": "is required"})
    error = refusal(Client(serving(stub)))
    assert type(error) is kind and (error.code, error.message) == ("SOME_CODE", "no good")
    assert [(fault.field, fault.message) for fault in error.faults] == [("id", "is required")]


def test_who_lacks_a_token_is_told_where_to_put_it(serving: Serve) -> None:
    error = refusal(Client(serving(problem("401 UNAUTHORIZED", "UNAUTHORIZED", "this route wants a token"))))
    assert isinstance(error, Forbidden) and error.message.endswith(
        "set CRONZIMUS_TOKEN, CRONZIMUS_TOKEN_FILE or --token"
    )


@pytest.mark.parametrize(
    ("stub", "kind", "said"),
    [
        (Stub("200 OK", b"<html>"), CronzimusError, "answers 200 OK, and not as a Cronzimus service does"),
        (Stub("200 OK", [1]), CronzimusError, "answers 200 OK"),
        (Stub("404 NOT FOUND", b"nginx"), NotFound, "answers 404 Not Found"),
        (Stub("502 BAD GATEWAY", b"nginx"), Unavailable, "answers 502 Bad Gateway"),
        (
            Stub("301 MOVED PERMANENTLY", b"", Location="https://h/"),
            CronzimusError,
            "answers 301 Moved Permanently",
        ),
        (Stub("418 TEAPOT", {"code": 1}), CronzimusError, "answers 418"),
        (Stub("299 ODD", b""), CronzimusError, "answers 299"),
        (Stub("200 OK", b"[" * 100_000), CronzimusError, "answers 200 OK"),
    ],
)
def test_other_services_are_recognised(
    stub: Stub, kind: type[CronzimusError], said: str, serving: Serve
) -> None:
    error = refusal(Client(serving(stub)))
    assert type(error) is kind and said in error.message


def test_nothing_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    error = refusal(Client(url))
    assert isinstance(error, Unavailable)
    assert (
        error.message
        == f"nothing answers at {url}; is the service running? (start it with `cronzimus serve`)"
    )


def test_a_name_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = refusal(Client("http://cronzimus.invalid"))
    assert isinstance(error, Unavailable) and error.message.startswith(
        "http://cronzimus.invalid cannot be reached: "
    )


def test_a_service_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(Client(f"http://127.0.0.1:{silent.getsockname()[1]}", answer_within=0.2))
    assert isinstance(error, Unavailable) and error.message.endswith("does not answer in time")


def test_a_service_that_hangs_up(serving: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:
        rude.settimeout(10)
        hang_up = Thread(target=lambda: rude.accept()[0].close())
        hang_up.start()
        error = refusal(Client(f"http://127.0.0.1:{rude.getsockname()[1]}"))
        hang_up.join()
    assert isinstance(error, Unavailable) and "cannot be reached" in error.message


def test_a_metadata_address_is_never_asked() -> None:
    error = refusal(Client("http://169.254.169.254"))
    assert isinstance(error, Invalid) and "link-local" in error.message


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_no_proxy_stands_between_us_and_this_machine(variable: str, serving: Serve, project: Project) -> None:
    project.set(**{variable: "http://127.0.0.1:9"})
    assert Client(serving(Stub(body={"ok": 1}))).get("jobs") == {"ok": 1}


def test_what_the_environment_says_of_proxies_is_left_as_it_was(serving: Serve, project: Project) -> None:
    project.set(NO_PROXY="internal.example")
    Client(serving(Stub())).get("jobs")
    assert os.environ["NO_PROXY"] == "internal.example"


@pytest.mark.parametrize(
    "url", ["", "localhost:5000", "ftp://h", "http://", "http://h:99999", "http://h:x", "http://[::1"]
)
def test_urls_are_checked(url: str) -> None:
    with pytest.raises(Invalid):
        Client(url)


@pytest.mark.parametrize("url", ["http://me:secret@h", "http://h/?token=secret", "http://h#secret"])
def test_urls_hold_no_secrets(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        Client(url)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "größe"])
def test_tokens_are_checked_and_not_told(token: str) -> None:
    with pytest.raises(Invalid) as refused:
        Client(DEFAULT_URL, token)
    assert token not in refused.value.message


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:5000", True),
        ("http://localhost", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
        ("https://cron.example", False),
    ],
)
def test_is_loopback(url: str, local: bool) -> None:
    assert is_loopback(url) is local


def test_connect_follows_the_environment(project: Project) -> None:
    assert connect(Session()).url == DEFAULT_URL
    project.set(CRONZIMUS_URL="https://cron.example/")
    assert connect(Session()).url == "https://cron.example"
    assert connect(Session(url="http://other")).url == "http://other"


@pytest.mark.parametrize(
    ("variables", "session", "token"),
    [
        ({}, Session(), None),
        ({"CRONZIMUS_TOKEN": "a"}, Session(), "a"),
        ({"CRONZIMUS_TOKEN": "a"}, Session(token="b"), "b"),
        ({"CRONZIMUS_TOKEN": "a", "CRONZIMUS_API_TOKEN": "c"}, Session(), "a"),
        ({"CRONZIMUS_API_TOKEN": "c"}, Session(), "c"),
        ({"CRONZIMUS_API_TOKEN": "c"}, Session(url="https://cron.example"), None),
        ({"CRONZIMUS_TOKEN": "a"}, Session(url="https://cron.example"), "a"),
        ({"CRONZIMUS_TOKEN": ""}, Session(), None),
    ],
)
def test_connect_finds_the_token(
    variables: dict[str, str], session: Session, token: str | None, project: Project
) -> None:
    project.set(**variables)
    connect(session)
    assert session.token == token
    session.token = None


def test_connect_reads_the_token_from_a_file(project: Project, tmp_path: Path) -> None:
    project.set(CRONZIMUS_TOKEN_FILE=str(project.write("token", "from-a-file\n")))
    session = Session()
    connect(session)
    assert session.token == "from-a-file"


def test_connect_refuses_two_places_for_one_token(project: Project) -> None:
    project.set(CRONZIMUS_TOKEN="a", CRONZIMUS_TOKEN_FILE="b")
    with pytest.raises(Invalid, match="both set"):
        connect(Session())


class Listing(Stub):
    """A list of numbered things, in pages as small as the service likes."""

    def __init__(self, total: int, *, growing: int = 0) -> None:
        super().__init__()
        self.total, self.growing, self.limits = total, growing, []  # type: ignore[var-annotated]

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        query = {name: int(values[0]) for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        self.limits.append(query["limit"])
        new = len(self.limits[1:]) * self.growing
        every = [{"id": f"n{number}"} for number in range(-new, self.total)]
        body: dict[str, Any] = {"items": every[query["offset"] :][: query["limit"]], "total": len(every)}
        start("200 OK", [])
        return [json.dumps(body).encode()]


@pytest.mark.parametrize(
    ("limit", "offset", "total", "shown", "limits"),
    [
        (50, 0, 7, 7, [50]),
        (5, 0, 7, 5, [5]),
        (5, 5, 7, 2, [5]),
        (5, 9, 7, 0, [5]),
        (None, 0, 450, 450, [200, 200, 200]),
        (None, 440, 450, 10, [200]),
        (300, 0, 450, 300, [200, 100]),
        (None, 0, 0, 0, [200]),
    ],
)
def test_pages_are_put_together(
    limit: int | None, offset: int, total: int, shown: int, limits: list[int], serving: Serve
) -> None:
    listing = Listing(total)
    page = Client(serving(listing)).page("runs", limit=limit, offset=offset)
    assert [item["id"] for item in page["items"]] == [
        f"n{number}" for number in range(offset, offset + shown)
    ]
    assert (page["total"], page["limit"], page["offset"]) == (total, limit, offset)
    assert listing.limits == limits


def test_pages_of_a_growing_list_repeat_nothing(serving: Serve) -> None:
    page = Client(serving(Listing(450, growing=3))).page("runs", limit=None)
    names = [item["id"] for item in page["items"]]
    assert len(names) == len(set(names)) and {f"n{number}" for number in range(450)} <= set(names)


def test_pages_are_as_large_as_the_service_allows() -> None:
    assert PageQuery(limit=LARGEST_PAGE).limit == LARGEST_PAGE
    with pytest.raises(ValueError, match="200"):
        PageQuery(limit=LARGEST_PAGE + 1)


def test_patience_has_an_end(serving: Serve) -> None:
    def slow(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [])
        for _ in range(100):
            yield b" "
            time.sleep(0.05)

    assert isinstance(refusal(Client(serving(slow), answer_within=0.3)), Unavailable)
