"""Which rules take which records: pure, and the same for the same facts whatever their order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.action import Action
from ourcli.memory.policy.because import because, inputs
from ourcli.memory.policy.facts import Facts
from ourcli.memory.policy.rule import Rule
from ourcli.memory.query import Filter

MOST_SOURCES = 8
"""Most records that become one summary: so many sentences fit what the embedding model reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A record and the rule that takes it."""

    rule: Rule
    facts: Facts


def decide(rules: Sequence[Rule], facts: Iterable[Facts], now: datetime) -> tuple[Action, ...]:
    """Return what is due, in the order in which it is to be done.

    For each record the first rule whose conditions hold decides. `tag` rules only add tags, which later rules see,
    and `expire` rules take what no other rule takes. A record that lies where a rule would move it is not taken by
    that rule. Ages are never negative, so nothing happens early when the clock goes backwards.

    Args:
        rules: In their order.
        facts: The records in question, each once.
        now: The moment that counts, aware.
    """
    ordered = sorted(facts, key=lambda one: (one.record.ts, one.record.id))
    tagging: list[Action] = []
    taken: list[_Taken] = []
    for one in ordered:
        added, deciding = _judged(rules, one, now)
        tagging.extend(added)
        if deciding is not None:
            taken.append(deciding)
    moves = [one for one in taken if one.rule.then.do is not Verb.SUMMARISE]
    summaries = [one for one in taken if one.rule.then.do is Verb.SUMMARISE]
    return (*tagging, *(_action([one], now) for one in moves), *_summaries(summaries, now))


def holds(rule: Rule, facts: Facts, now: datetime) -> bool:
    """Say whether all conditions of a rule hold for a record."""
    when, record, usage = rule.when, facts.record, facts.usage
    return (
        usage.pinned == when.pinned
        and (when.layer is None or when.layer is record.layer)
        and (when.kind is None or when.kind == record.kind)
        and (when.trust is None or when.trust is record.trust)
        and set(when.tags) <= set(record.tags)
        and when.uses.holds(usage.uses)
        and when.distinct_queries.holds(usage.distinct_queries)
        and (when.older_than is None or facts.age(now) > when.older_than)
        and (when.unused_for is None or facts.idle(now) > when.unused_for)
    )


def scopes(rules: Sequence[Rule], now: datetime) -> tuple[Filter, ...]:
    """Return filters that together let through every record that a rule could take: one a layer at most."""
    found = []
    for layer in Layer:
        about = [rule for rule in rules if rule.when.layer in (None, layer) and rule.then.to is not layer]
        if not about:
            continue
        ages = [rule.when.older_than for rule in about if rule.when.older_than is not None]
        until = now - min(ages) if len(ages) == len(about) else None
        found.append(Filter(layers=(layer,), until=until))
    return tuple(found)


def _judged(rules: Sequence[Rule], facts: Facts, now: datetime) -> tuple[list[Action], _Taken | None]:
    """Return the tags that are due for a record, and the rule that decides about it."""
    tagging: list[Action] = []
    expiring: _Taken | None = None
    for rule in rules:
        if rule.then.to is facts.record.layer or not holds(rule, facts, now):
            continue
        if rule.then.do is Verb.TAG:
            facts = _tagged(rule, facts, now, tagging)
        elif rule.then.do is Verb.EXPIRE:
            expiring = expiring or _Taken(rule=rule, facts=facts)
        else:
            return tagging, _Taken(rule=rule, facts=facts)
    return tagging, expiring


def _tagged(rule: Rule, facts: Facts, now: datetime, tagging: list[Action]) -> Facts:
    """Return the facts with the rule's tags, and note the action when any of them is new."""
    record = facts.record
    tags = tuple(dict.fromkeys((*record.tags, *rule.then.tags)))
    if tags == record.tags:
        return facts
    tagging.append(_action([_Taken(rule=rule, facts=facts)], now))
    return replace(facts, record=replace(record, tags=tags))


def _summaries(taken: Sequence[_Taken], now: datetime) -> Iterator[Action]:
    """Yield one action for every group of records that become one summary."""
    for _, members in groupby(sorted(taken, key=_group), key=_group):
        group = list(members)
        for start in range(0, len(group), MOST_SOURCES):
            yield _action(group[start : start + MOST_SOURCES], now)


def _group(one: _Taken) -> tuple[str, ...]:
    """Return what the records of one summary share: rule, layer, project, trust, and session or month."""
    record = one.facts.record
    of_a_session = record.layer is Layer.INTERACT and record.session
    together = record.session if of_a_session else f"{record.ts:%Y-%m}"
    return (one.rule.name, record.layer.value, record.project, record.trust.value, together)


def _action(taken: Sequence[_Taken], now: datetime) -> Action:
    rule, facts = taken[0].rule, [one.facts for one in taken]
    origin = facts[0].record.layer
    return Action(
        rule=rule.name,
        rule_version=rule.version,
        verb=rule.then.do,
        record_ids=tuple(one.record.id for one in facts),
        origin=origin,
        target=origin if rule.then.do is Verb.TAG else rule.then.to,
        because=because(rule, facts, now),
        inputs=inputs(rule, facts, now),
        distil=rule.then.distil,
        tags=rule.then.tags,
    )
