"""A crontab as jobs: of a person or of the system, every line accounted for."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from cronzimus.importers.command import Command, command_of, read_command
from cronzimus.importers.report import Fate, Imported, Names, Note, shortened, told, trouble_with
from cronzimus.models.cron_zone import known_zone

_VARIABLE: Final = re.compile(
    r"""^\s*(?P<quote>["']?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)\s*=\s*(?P<value>.*?)\s*$"""
)
_WORD: Final = re.compile(r"\S+")
_FIELDS: Final = re.compile(r"^\s*(?P<quiet>-?)(?P<when>(?:\S+\s+){5})(?P<rest>\S.*)$")
_NICKNAME: Final = re.compile(r"^\s*(?P<quiet>-?)(?P<when>@\w+)\s+(?P<rest>\S.*)$")
_FIELD: Final = re.compile(r"^[0-9A-Za-z_*/,~#?()@-]+$")
_USER: Final = re.compile(r"^[a-z_][a-z0-9_.-]*\$?(?::[\w.-]+)?$")
# How the crontab that comes with a system shows its columns.
_HEADING: Final = "command to be executed"
_SIX: Final = "it has six fields; cron reads five and takes the last * for a command"
_REBOOT: Final = "@reboot"
_RANDOM: Final = re.compile(r"^(?P<low>\d*)~(?P<high>\d*)(?:/(?P<step>\d+))?$")
_SECRET: Final = re.compile(r"TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
_LIMITS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
# Variables that mean something to cron itself and are no environment of the command.
_ZONE: Final = "CRON_TZ"
_MAILS: Final = ("MAILTO", "MAILFROM")
_CRONS_OWN: Final = ("SHELL", "RANDOM_DELAY", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", _ZONE, *_MAILS)


class Line(NamedTuple):
    """A line that fires: when, as whom, and what."""

    when: str
    user: str | None
    command: str
    quiet: bool


@dataclass(slots=True)
class _Table:
    """The crontab as far as it was read; an entry sees the variables above it."""

    timezone: str
    user_column: bool
    include_disabled: bool
    variables: dict[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    documents: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def read(self, number: int, line: str) -> None:
        """Account for one line."""
        place = str(number)
        if not line.strip():
            self.notes.append(Note(place, Fate.BLANK))
        elif line.lstrip().startswith("#"):
            self._comment(place, line)
        elif (variable := _VARIABLE.match(line)) is not None:
            self._variable(place, variable["name"], _unquoted(variable["value"]))
        elif (entry := entry_of(line, user_column=self.user_column)) is None:
            self.notes.append(Note(place, Fate.REFUSED, f"no variable, comment or entry: {shortened(line)}"))
        else:
            self._entry(place, entry, disabled=False)

    def _comment(self, place: str, line: str) -> None:
        """A comment, unless what stands behind its mark would fire."""
        entry = entry_of(line.lstrip().lstrip("#"), user_column=self.user_column)
        if entry is None or _HEADING in line or self._trouble(entry) is not None:
            self.notes.append(Note(place, Fate.COMMENT))
        elif self.include_disabled:
            self._entry(place, entry, disabled=True)
        else:
            self.notes.append(Note(place, Fate.DISABLED, shortened(line)))

    def _variable(self, place: str, name: str, value: str) -> None:
        remark = ""
        fate = Fate.VARIABLE
        if name == _ZONE:
            remark = f"{name}: the entries below are read in {value}"
            try:
                known_zone(value)
            except ValueError as error:
                fate, remark = Fate.REFUSED, f"{name}: {error}"
        elif name == "TZ":
            remark = (
                "TZ: what commands see; when they are due is read in CRON_TZ or --timezone, as cron does it"
            )
        elif name in _MAILS:
            remark = f"{name}: nobody is mailed; give the jobs an alert rule"
        elif name == "RANDOM_DELAY":
            remark = "RANDOM_DELAY becomes the jitter of the entries below"
        elif _SECRET.search(name):
            remark = (
                f"{name}: looks like a secret; it is stored and shown with the jobs, so keep it elsewhere"
            )
        self.variables[name] = value
        self.notes.append(Note(place, fate, remark or name))

    def _entry(self, place: str, entry: Line, *, disabled: bool) -> None:
        command = read_command(entry.command)
        document, remarks = self._document(entry, command)
        trouble = _SIX if entry.command.startswith("* ") else trouble_with({"id": "a", **document})
        if trouble is not None:
            self.notes.append(Note(place, Fate.REFUSED, trouble))
            return
        job_id = self.names.slug(command.name)
        paused = {"paused": True} if disabled else {}
        self.documents.append({"id": job_id, **document, **paused})
        fate = Fate.PAUSED if disabled else Fate.JOB
        self.notes.append(Note(place, fate, told(remarks), job_id))

    def _trouble(self, entry: Line) -> str | None:
        document, _ = self._document(entry, read_command(entry.command))
        return trouble_with({"id": "a", **document})

    def _document(self, entry: Line, command: Command) -> tuple[dict[str, Any], list[str]]:
        trigger, remarks = _trigger(entry.when)
        delay = self.variables.get("RANDOM_DELAY", "")
        if delay.isdecimal() and int(delay) and trigger["type"] == "cron":
            trigger["jitter"] = int(delay) * 60
        if entry.user:
            remarks.append(f"ran as {entry.user}; here it runs as the worker does")
        if entry.quiet:
            remarks.append("the leading - kept it out of syslog and means nothing here")
        zone = self.variables.get(_ZONE) or self.timezone
        environment = {name: value for name, value in self.variables.items() if name not in _CRONS_OWN}
        params, told_of = command_of(command, self.variables.get("SHELL") or "/bin/sh", environment)
        document = {
            "description": shortened(f"crontab: {entry.when} {entry.command}"),
            "kind": "shell",
            "params": params,
            "trigger": trigger,
            **({} if zone == "UTC" else {"timezone": zone}),
        }
        return document, remarks + told_of


def import_crontab(
    text: str,
    *,
    user_column: bool | None = None,
    timezone: str = "UTC",
    include_disabled: bool = False,
) -> Imported:
    """Every line of a crontab; `user_column` None finds out by itself whether there is one.

    `timezone` is the zone of the machine whose crontab it is; raises ValueError when there is none of that name.
    """
    known_zone(timezone)
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[-1] == "":
        lines.pop()
    lines = [line.rstrip("\r") for line in lines]
    by_user = has_user_column(lines) if user_column is None else user_column
    table = _Table(timezone, by_user, include_disabled)
    for number, line in enumerate(lines, start=1):
        table.read(number, line)
    return Imported(tuple(table.documents), tuple(table.notes))


def entry_of(line: str, *, user_column: bool) -> Line | None:
    """The entry a line holds; None when it holds none."""
    found = _NICKNAME.match(line) or _FIELDS.match(line)
    if found is None or not all(_FIELD.match(word) for word in found["when"].split()):
        return None
    when, rest = " ".join(found["when"].split()), found["rest"]
    if not when.startswith("@") and not any(char.isdigit() or char in "*H~" for char in when.split()[0]):
        return None
    if not user_column:
        return Line(when, None, rest, bool(found["quiet"]))
    words = rest.split(None, 1)
    if len(words) < 2 or not _USER.match(words[0]):
        return None
    return Line(when, words[0], words[1], bool(found["quiet"]))


def has_user_column(lines: list[str]) -> bool:
    """Whether the sixth word of every entry could only be a user's name: that is how /etc/crontab looks."""
    entries = [entry for line in lines if (entry := entry_of(line, user_column=False)) is not None]
    users = [_first_words(entry.command) for entry in entries]
    return bool(users) and all(_is_user(user, following) for user, following in users)


def _first_words(command: str) -> tuple[str, str]:
    words = _WORD.findall(command)
    return words[0], words[1] if len(words) > 1 else ""


def _is_user(word: str, following: str) -> bool:
    """A name without a path before something that looks like a program; `root` and its like before anything."""
    if not _USER.match(word) or not following:
        return False
    return word in _SYSTEM_USERS or following.startswith(("/", "[", "test", "cd", "command", "if", "("))


_SYSTEM_USERS: Final = frozenset(
    "root www-data nobody daemon postgres mysql backup mail news git deploy ubuntu ec2-user nginx apache app".split()
)


def _trigger(when: str) -> tuple[dict[str, Any], list[str]]:
    if when == _REBOOT:
        return {"type": "manual"}, [
            "@reboot: nothing boots here; start it by hand or from a unit of the system"
        ]
    if when.startswith("@"):
        return {"type": "cron", "expression": when}, []
    fields, remarks = when.split(), []
    if any("~" in word for word in fields):
        remarks.append(
            "~ chose a random time at each start; here H gives the job a place of its own that stays"
        )
        fields = [_placed(word, *limits) for word, limits in zip(fields, _LIMITS, strict=True)]
    return {"type": "cron", "expression": " ".join(fields)}, remarks


def _placed(word: str, low: int, high: int) -> str:
    """`a~b` as `H(a-b)`; a list of them keeps its other members."""
    return ",".join(_spread(part, low, high) for part in word.split(","))


def _spread(part: str, low: int, high: int) -> str:
    found = _RANDOM.match(part)
    if found is None:
        return part
    step = f"/{found['step']}" if found["step"] else ""
    return f"H({found['low'] or low}-{found['high'] or high}){step}"


def _unquoted(value: str) -> str:
    """A value without the quotes around it; cron knows no others, and no escapes."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
