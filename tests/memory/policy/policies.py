"""Rules and facts for tests of the policy."""

from datetime import datetime, timedelta

from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.facts import Facts
from ourcli.memory.policy.reading import validate_rules
from ourcli.memory.policy.rule import Rule
from ourcli.memory.usage import UNUSED, Usage
from tests.support.records import NOON, a_record

INTERACT, INSIGHTS, ASSETS = Layer.INTERACT, Layer.INSIGHTS, Layer.ASSETS
_EFFECTS: dict[Verb, dict[str, object]] = {
    Verb.PROMOTE: {"to": "insights"},
    Verb.DEMOTE: {"to": "assets"},
    Verb.SUMMARISE: {"to": "assets"},
    Verb.EXPIRE: {},
    Verb.TAG: {"tags": ["seen"]},
}


def a_rule(name: str, do: Verb, to: Layer | None = None, **when: object) -> Rule:
    """Return a rule as it is read from a file."""
    then = {"do": do.value, **_EFFECTS[do], **({"to": to.value} if to else {})}
    return validate_rules([{"name": name, "when": when, "then": then}])[0]


def facts(name: str, usage: Usage = UNUSED, promoted_at: datetime | None = None, **changes: object) -> Facts:
    """Return facts of a record written at noon whose id is `name`."""
    record = a_record(f"text of {name}", id=RecordId(name), **changes)
    return Facts(record=record, usage=usage, promoted_at=promoted_at)


def used(days_after_noon: float, times: int = 1, distinct_queries: int = 1) -> Usage:
    """Return the usage of a record that was last used so many days after noon."""
    last = NOON + timedelta(days=days_after_noon)
    return Usage(last_used=last, uses=times, distinct_queries=distinct_queries)


def later(**passed: float) -> datetime:
    """Return noon and what passed since."""
    return NOON + timedelta(**passed)
