"""The rules that the configuration declares: checked at start, so that a wrong one stops it with a sentence."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from cronzimus.errors import ConfigError, Invalid
from cronzimus.models.alert_rule import Rule
from cronzimus.models.faults import refusal
from cronzimus.services.alerts.rules import Rules


def declared_rules(given: Iterable[Mapping[str, Any]], rules: Rules) -> tuple[Rule, ...]:
    """The rules of `alerts.rules`; raises ConfigError."""
    found = [_rule(document, place, rules) for place, document in enumerate(given)]
    names = [rule.id for rule in found]
    for rule in found:
        if names.count(rule.id) > 1:
            raise ConfigError(f"alerts.rules: two rules are called {rule.id!r}")
    return tuple(found)


def _rule(document: Mapping[str, Any], place: int, rules: Rules) -> Rule:
    try:
        rule = Rule.model_validate(_listed(document))
        rules.check(rule)
    except ValidationError as error:
        raise ConfigError(
            f"alerts.rules[{place}].{refusal(error, known=Rule.model_fields).message}"
        ) from None
    except Invalid as error:
        raise ConfigError(f"alerts.rules[{place}].{error.message}") from None
    return rule


def _listed(value: Any) -> Any:
    """Settings hold tuples where documents hold lists."""
    if isinstance(value, Mapping):
        return {name: _listed(item) for name, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
