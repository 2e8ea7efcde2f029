"""Why a rule takes records: a sentence for people, and the same as data for the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ourcli.memory.ledger import Verb
from ourcli.memory.policy.duration import in_words
from ourcli.memory.policy.facts import Facts
from ourcli.memory.policy.rule import ANY, Range, Rule

_DONE: Mapping[Verb, str] = {
    Verb.PROMOTE: "promoted",
    Verb.DEMOTE: "demoted",
    Verb.SUMMARISE: "summarised",
    Verb.EXPIRE: "expired, as no other rule takes it",
    Verb.TAG: "tagged",
}


def because(rule: Rule, facts: Sequence[Facts], now: datetime) -> str:
    """Return the reason in a sentence with facts and thresholds.

    Args:
        rule: The rule that takes the records.
        facts: The records: one, or those that become one summary.
        now: The moment that counts.
    """
    reasons = _of_one(rule, facts[0], now) if len(facts) == 1 else _of_many(rule, facts, now)
    if len(facts) == 1:
        return f"{_DONE[rule.then.do]}: {_listed([*reasons])}"
    return f"{_DONE[rule.then.do]}: {len(facts)} records that are each {_listed([*reasons])}"


def inputs(rule: Rule, facts: Sequence[Facts], now: datetime) -> Mapping[str, object]:
    """Return facts and thresholds as plain JSON data: `now`, `rule` (when and then) and `records`."""
    data = rule.as_data()
    return {
        "now": now.isoformat(),
        "when": data["when"],
        "then": data["then"],
        "records": [one.as_data(now) for one in facts],
    }


def _of_one(rule: Rule, facts: Facts, now: datetime) -> Iterator[str]:
    when, record = rule.when, facts.record
    yield f"in {record.layer}"
    if when.older_than is not None:
        yield f"{in_words(facts.age(now))} old (more than {in_words(when.older_than)})"
    if when.unused_for is not None:
        yield f"{facts.idle_in_words(now)} (more than {in_words(when.unused_for)})"
    if when.uses != ANY:
        yield f"used {_times(facts.usage.uses)} ({_bounds(when.uses)})"
    if when.distinct_queries != ANY:
        yield f"found by {facts.usage.distinct_queries} different questions ({_bounds(when.distinct_queries)})"
    yield from _unmeasured(rule)


def _of_many(rule: Rule, facts: Sequence[Facts], now: datetime) -> Iterator[str]:
    when = rule.when
    yield f"in {facts[0].record.layer}"
    if when.older_than is not None:
        ages = [one.age(now) for one in facts]
        yield f"{_between(ages)} old (more than {in_words(when.older_than)})"
    if when.unused_for is not None:
        yield f"unused for {_between([one.idle(now) for one in facts])} (more than {in_words(when.unused_for)})"
    if when.uses != ANY:
        yield f"used {_bounds(when.uses)} times"
    if when.distinct_queries != ANY:
        yield f"found by {_bounds(when.distinct_queries)} different questions"
    yield from _unmeasured(rule)


def _unmeasured(rule: Rule) -> Iterator[str]:
    when = rule.when
    if when.tags:
        yield f"tagged {', '.join(when.tags)}"
    if when.kind is not None:
        yield f"of kind {when.kind}"
    if when.trust is not None:
        yield f"of trust {when.trust}"
    if when.pinned:
        yield "pinned"


def _between(lengths: Sequence[timedelta]) -> str:
    least, most = in_words(min(lengths)), in_words(max(lengths))
    return least if least == most else f"{least} to {most}"


def _bounds(given: Range) -> str:
    if given.least is not None and given.most is not None:
        return f"{given.least} to {given.most}"
    return f"at least {given.least}" if given.least is not None else f"at most {given.most}"


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def _listed(reasons: Sequence[str]) -> str:
    return reasons[0] if len(reasons) == 1 else f"{', '.join(reasons[:-1])} and {reasons[-1]}"
