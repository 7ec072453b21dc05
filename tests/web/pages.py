"""A page as a reader without scripts sees it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Element:
    """One element and what lies in it."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element | str"] = field(default_factory=list)

    @property
    def children(self) -> list["Element"]:
        """The elements right below."""
        return [one for one in self.inside if isinstance(one, Element)]

    def all(self, tag: str = "", **wanted: str) -> list["Element"]:
        """Every element below with that tag and those attributes."""
        return [
            one
            for one in self._walk()
            if tag in ("", one.tag)
            and all(one.attributes.get(name) == value for name, value in wanted.items())
        ]

    def one(self, tag: str = "", **wanted: str) -> "Element":
        """The only such element."""
        (found,) = self.all(tag, **wanted)
        return found

    @property
    def text(self) -> str:
        """Everything that can be read, spaces folded."""
        return " ".join(" ".join(self._words()).split())

    def _walk(self) -> Iterator["Element"]:
        for child in self.children:
            yield child
            yield from child._walk()

    def _words(self) -> Iterator[str]:
        for one in self.inside:
            if isinstance(one, Element):
                yield from one._words()
            else:
                yield one


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, and in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("document", {})
        self._open = [self.root]
        self.feed(text)
        assert [one.tag for one in self._open] == ["document"], "an element was not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"an attribute is given twice: {attrs}"
        self._open[-1].inside.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)


def read(web: FlaskClient, path: str, **options: Any) -> Element:
    """A page that is there."""
    answer = web.get(path, headers={"Accept": "text/html", **options.pop("headers", {})}, **options)
    assert answer.status_code == 200, answer.text
    return Page(answer.text).root


def press(web: FlaskClient, path: str, action: str, **values: str) -> TestResponse:
    """Send the form of a page that does `action`, as a browser without scripts does."""
    form = read(web, path).one("form", action=action, method="post")
    fields = {one.attributes["name"]: one.attributes.get("value", "") for one in form.all("input")}
    return web.post(action, data={**fields, **values}, headers={"Accept": "text/html"})
