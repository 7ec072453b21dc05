"""What a process of its own is told about the attempt it carries out: one line of JSON on its input."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Self
from uuid import UUID

from cronzimus.models.run import Cause, Claim


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt, with the little of the house that its function may need."""

    path: str
    args: list[Any]
    kwargs: dict[str, Any]
    allowed: list[str] | None
    claim: dict[str, Any]
    worker_id: str
    deadline: float | None
    database_url: str
    settings: dict[str, Any]
    sys_path: list[str]
    pythonpath: str | None
    secrets: list[str] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        path: str,
        args: list[Any],
        kwargs: dict[str, Any],
        allowed: tuple[str, ...] | None,
        claim: Claim,
        *,
        worker_id: str,
        deadline: float | None,
        database_url: str,
        settings: Any,
        secrets: Iterable[str] = (),
        inputs: Mapping[str, Any] | None = None,
    ) -> Self:
        """The request for an attempt of this process."""
        facts = asdict(claim) | {"run_id": str(claim.run_id), "cause": str(claim.cause)}
        facts["due_at"] = claim.due_at.isoformat() if claim.due_at else None
        return cls(
            path=path,
            args=args,
            kwargs=kwargs,
            allowed=None if allowed is None else list(allowed),
            claim=facts,
            worker_id=worker_id,
            deadline=deadline,
            database_url=database_url,
            settings=_plain(settings),
            sys_path=sys.path,
            pythonpath=os.environ.get("PYTHONPATH"),
            secrets=list(secrets),
            inputs=dict(inputs or {}),
        )

    def text(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The request of a line."""
        return cls(**json.loads(text))

    def claimed(self) -> Claim:
        """The claim as the worker holds it."""
        facts = dict(self.claim)
        facts["run_id"] = UUID(facts["run_id"])
        facts["cause"] = Cause(facts["cause"])
        facts["due_at"] = datetime.fromisoformat(facts["due_at"]) if facts["due_at"] else None
        return Claim(**facts)

    def settings_tree(self) -> SimpleNamespace:
        """The settings with the same names and dots, secrets masked."""
        return _namespace(self.settings)


def _plain(settings: Any) -> dict[str, Any]:
    dump = getattr(settings, "model_dump", None)
    plain: dict[str, Any] = dump(mode="json") if dump else json.loads(json.dumps(settings, default=vars))
    return plain


def _namespace(tree: Mapping[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{k: _namespace(v) if isinstance(v, Mapping) else v for k, v in tree.items()})
