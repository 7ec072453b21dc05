"""What was found wrong while the configuration was read: everything at once, each with its place."""

from dataclasses import dataclass, field

from cronzimus.common.masking import mask
from cronzimus.errors import ConfigError, Fault


def shown(value: object) -> str:
    """`value` for a sentence: as YAML would write it, short, secrets masked."""
    words = {True: "true", False: "false", None: "null"}
    text = words[value] if value is None or isinstance(value, bool) else mask(repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(slots=True)
class Report:
    """Collects faults, which stop the start, and warnings, which do not."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def fault(self, key: str, sentence: str, origin: str = "default") -> None:
        """`key` is wrong because of `sentence`; a value that is a default has no place to name."""
        place = "" if origin == "default" else f" (from {origin})"
        self.faults.append(Fault(key, f"{key}: {sentence}{place}"))

    def plain(self, sentence: str, key: str = "") -> None:
        """A fault whose sentence names its place itself."""
        self.faults.append(Fault(key, sentence))

    def raise_if_any(self) -> None:
        """Raise all faults as one ConfigError."""
        if len(self.faults) == 1:
            raise ConfigError(self.faults[0].message, faults=self.faults)
        if self.faults:
            listed = "".join(f"\n  {fault.message}" for fault in self.faults)
            raise ConfigError(f"{len(self.faults)} faults in the configuration:{listed}", faults=self.faults)
