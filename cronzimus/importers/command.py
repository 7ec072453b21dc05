"""What a crontab line runs: words where no shell is needed, else the shell, and what it reads on standard input."""

import re
import shlex
from typing import Any, Final, NamedTuple

# A command of such words alone means the same without a shell; anything else is left to one.
_PLAIN: Final = re.compile(r"^[\w@%+:,./-][\w@%+=:,./-]*$", re.ASCII)
_ASSIGNMENT: Final = re.compile(r"^[A-Za-z_]\w*=")
_BUILTINS: Final = frozenset(
    ". : [ alias bg break cd command continue eval exec exit export fg getopts hash if for jobs local"
    " read readonly return set shift source test times trap type ulimit umask"
    " unalias unset wait while until case do done then fi esac".split()
)
# Programs that carry out another one; the name of a job comes from what they carry out.
_CARRIERS: Final = frozenset(
    "sudo nice ionice env time timeout flock chronic cronic setlock systemd-cat bash sh zsh dash python python3 perl"
    " ruby php node java exec command nohup chpst chroot run-one docker test".split()
)
# What only prepares the command: a change of folder, a file of variables, a test, the user to be, a lock.
_PREPARED: Final = re.compile(
    r"^\(?\s*(?:(?:cd|\.|source|\[|test)\s[^&|;]*(?:&&|\|\||;)|for\s.*?;\s*do\s|if\s.*?;\s*then\s|trap\s[^;]*;"
    r"|sleep\s+\S+\s*(?:&&|;)|sudo\s+-u\s+\S+\s|flock\s+(?:-\w+\s+)*\S+\s)\s*"
)
_NOT_NAMES: Final = re.compile(r"^(-|\d|/dev/|[<>|&;(){}\[\]!]|.*=)")


class Command(NamedTuple):
    """A command as cron would run it, what it would read, and what to call it."""

    text: str
    stdin: str | None
    name: str


def read_command(written: str) -> Command:
    r"""The command of an entry: the first % ends it, every further one is a line of its input, \% is a %."""
    parts = re.split(r"(?<!\\)%", written)
    text, *lines = (part.replace("\\%", "%") for part in parts)
    stdin = "\n".join(lines) + "\n" if lines else None
    return Command(text.strip(), stdin, name_of(text))


def command_of(command: Command, shell: str, environment: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The parameters of a shell job, and what to know about them."""
    remarks: list[str] = []
    words = plain_words(command.text) if command.stdin is None else None
    if words is not None and "PATH" in environment and "/" not in words[0]:
        words = None  # only a shell looks where the job's own PATH points
    if words is None:
        text = command.text
        if command.stdin is not None:
            text = f"printf %s {shlex.quote(command.stdin)} | {shlex.quote(shell)} -c {shlex.quote(command.text)}"
            remarks.append("what follows % is its standard input")
        words = [shell, "-c", text]
        remarks.append(f"needs {shell} in worker.allowed_commands")
    params: dict[str, Any] = {"command": words}
    if environment:
        params["env"] = dict(environment)
    if environment.get("HOME"):
        params["cwd"] = environment["HOME"]
    return params, remarks


def plain_words(text: str) -> list[str] | None:
    """The words of a command that no shell has to read; None when one has to."""
    words = text.split()
    if not words or _ASSIGNMENT.match(words[0]) or words[0] in _BUILTINS:
        return None
    return words if all(_PLAIN.match(word) for word in words) else None


def name_of(text: str) -> str:
    """What a command is called by people: its program or script, and the first words that say more."""
    while (shorter := _PREPARED.sub("", text, count=1)) != text:
        text = shorter
    words = [word.strip("\"'`;()") for word in text.split()]
    telling = [word for word in words if word and not _NOT_NAMES.match(word)]
    own = [word for word in telling if _base(word) not in _CARRIERS and _base(word) not in _BUILTINS]
    chosen = own or telling or ["job"]
    first = _base(chosen[0])
    following = [_base(word) for word in chosen[1:3] if re.match(r"^[A-Za-z][\w:-]*$", word)]
    return " ".join([first, *following])


def _base(word: str) -> str:
    name = word.rstrip("/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix in {"sh", "py", "pl", "rb", "php", "js", "jar", "bash"} and stem else name
