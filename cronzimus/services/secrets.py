"""Secrets by name: looked up in variables and files when a run begins, and masked from then on."""

import os
import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from cronzimus.common.masking import register_secret
from cronzimus.errors import Invalid
from cronzimus.models.references import SECRET_NAME, replaced
from cronzimus.utils.env import did_you_mean

LARGEST_SECRET: Final = 65_536
# What is shorter could not be masked without masking half of every line.
SHORTEST_SECRET: Final = 4
_SHORTEST_LINE: Final = 8


class Secrets:
    """What jobs may refer to. A value is read anew for every run: what was rotated is seen at once."""

    def __init__(
        self,
        env_prefix: str = "",
        folder: str | None = None,
        grants: Mapping[str, Collection[str]] | None = None,
        *,
        allow_plain: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`grants` says for a name which jobs may use it; one that is not there is for all."""
        self._prefix = env_prefix
        self._folder = Path(folder) if folder else None
        self._grants = dict(grants or {})
        self._environ = os.environ if environ is None else environ
        self.allow_plain = allow_plain

    @classmethod
    def of(cls, settings: Any) -> "Secrets":
        """Those of the settings tree; none where it has no such section."""
        own = getattr(settings, "secrets", None)
        if own is None:
            return cls()
        grants: dict[str, tuple[str, ...]] = {}
        for grant in own.grants:
            grants[grant.secret] = (*grants.get(grant.secret, ()), *grant.jobs)
        return cls(own.env_prefix, own.dir, grants, allow_plain=own.allow_plain)

    def names(self) -> tuple[str, ...]:
        """The names that can be referred to, in order; never a value."""
        in_environment = {
            name.removeprefix(self._prefix)
            for name in self._environ
            if self._prefix and name.startswith(self._prefix) and name != self._prefix
        }
        return tuple(sorted(in_environment | set(self._files())))

    def may_use(self, name: str, job_id: str) -> bool:
        """Whether a job was granted a secret; one without grants is for all."""
        patterns = self._grants.get(name)
        return patterns is None or any(fnmatchcase(job_id, pattern) for pattern in patterns)

    def check(self, name: str, job_id: str) -> None:
        """Raise Invalid UNKNOWN_SECRET or SECRET_NOT_GRANTED unless a job can use the secret here."""
        if not self.may_use(name, job_id):
            raise Invalid(f"secret {name!r} is not granted to job {job_id!r}", code="SECRET_NOT_GRANTED")
        if self._text(name) is None:
            raise Invalid(
                f"there is no secret {name!r}{did_you_mean(name, self.names())}", code="UNKNOWN_SECRET"
            )

    def value(self, name: str, job_id: str) -> str:
        """The secret, masked everywhere from now on; raises Invalid as `check` does."""
        self.check(name, job_id)
        text = self._text(name) or ""
        if len(text) < SHORTEST_SECRET:
            raise Invalid(
                f"secret {name!r} is shorter than {SHORTEST_SECRET} characters and could not be masked",
                code="UNKNOWN_SECRET",
            )
        for line in (text, *text.splitlines()):
            if line == text or len(line) >= _SHORTEST_LINE:
                register_secret(line)
        return text

    def resolved(self, value: Any, job_id: str) -> tuple[Any, tuple[str, ...]]:
        """The value with every reference replaced, and the secrets that are in it now."""
        used: list[str] = []

        def _one(name: str) -> str:
            used.append(self.value(name, job_id))
            return used[-1]

        return replaced(value, _one), tuple(dict.fromkeys(used))

    def _text(self, name: str) -> str | None:
        """A variable wins over a file. A file's last line break is the editor's and not the secret's."""
        if not SECRET_NAME.fullmatch(name):
            return None
        variable = self._prefix + re.sub(r"[.-]", "_", name).upper()
        if self._prefix and (text := self._environ.get(variable)):
            return text
        return self._read(name)

    def _read(self, name: str) -> str | None:
        if self._folder is None:
            return None
        try:
            with (self._folder / name).open("rb") as file:
                data = file.read(LARGEST_SECRET + 1)
            return None if len(data) > LARGEST_SECRET else data.decode().rstrip("\r\n") or None
        except (OSError, UnicodeError):
            return None

    def _files(self) -> list[str]:
        if self._folder is None:
            return []
        try:
            return [entry.name for entry in self._folder.iterdir() if SECRET_NAME.fullmatch(entry.name)]
        except OSError:
            return []
