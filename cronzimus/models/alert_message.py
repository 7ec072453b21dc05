"""What is said when somebody is told: the same facts as text, as HTML and as a CloudEvent."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final, Self

_COLOURS: Final = {"raised": "#b3261e", "reminder": "#b3261e", "resolved": "#1b6e3c", "test": "#3a5a8c"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message of an alert; `id` stays the same however often it is sent, so that a receiver can tell it again."""

    id: str
    kind: str
    severity: str
    at: str
    title: str
    facts: list[list[str]]
    url: str | None
    thread: str
    source: str
    data: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """As it is kept in the outbox."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Self:
        """As it was kept in the outbox."""
        return cls(**document)

    @property
    def text(self) -> str:
        """For people, a fact a line."""
        return "\n".join(self._lines()) + "\n"

    @property
    def html(self) -> str:
        """For people whose mail is drawn."""
        rows = "".join(
            f'<tr><th align="left" valign="top" style="padding:2px 12px 2px 0;color:#666">{escape(name)}</th>'
            f"<td>{_linked(value)}</td></tr>"
            for name, value in self.facts
        )
        colour = _COLOURS.get(self.kind, "#333")
        link = f'<p><a href="{escape(self.url)}">{escape(self.url)}</a></p>' if self.url else ""
        return (
            f'<div style="font-family:sans-serif"><h3 style="color:{colour}">{escape(self.title)}</h3>'
            f"<table>{rows}</table>{link}</div>"
        )

    @property
    def cloud_event(self) -> dict[str, Any]:
        """The envelope of CloudEvents 1.0 in JSON."""
        return {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": f"cronzimus.alert.{self.kind}",
            "subject": str(self.data.get("subject") or self.kind),
            "time": self.at,
            "datacontenttype": "application/json",
            "data": {
                **self.data,
                "title": self.title,
                "url": self.url,
                "facts": {name: value for name, value in self.facts},
            },
        }

    def _lines(self) -> Iterator[str]:
        yield self.title
        yield ""
        width = max((len(name) for name, _ in self.facts), default=0) + 1
        for name, value in self.facts:
            yield f"{name + ':':<{width}} {value}"
        if self.url:
            yield f"\n{self.url}"


def _linked(value: str) -> str:
    return escape(value).replace("\n", "<br>")
