"""Conditions compared: can they ever hold, hold together, or does one follow from the other."""

from dataclasses import replace
from datetime import timedelta

from ourcli.memory.policy.rule import Range, Rule, When


def impossible(when: When) -> str:
    """Return why conditions can never all hold, or ""."""
    for name, bounds in (("uses", when.uses), ("distinct_queries", when.distinct_queries)):
        if _empty(bounds):
            return f"no number of {name} is at least {bounds.least} and at most {bounds.most}"
    least, most = when.distinct_queries.least or 0, when.uses.most
    if most is not None and least > most:
        return f"a record used at most {most} times was not used by {least} different questions"
    return ""


def both(one: When, other: When) -> When | None:
    """Return the conditions under which both hold, or None when no record meets both."""
    if one.pinned != other.pinned:
        return None
    for mine, theirs in ((one.layer, other.layer), (one.kind, other.kind), (one.trust, other.trust)):
        if mine is not None and theirs is not None and mine != theirs:
            return None
    met = When(
        layer=one.layer or other.layer,
        older_than=_longer(one.older_than, other.older_than),
        unused_for=_longer(one.unused_for, other.unused_for),
        tags=tuple(dict.fromkeys((*one.tags, *other.tags))),
        kind=one.kind if one.kind is not None else other.kind,
        uses=_meet(one.uses, other.uses),
        distinct_queries=_meet(one.distinct_queries, other.distinct_queries),
        trust=one.trust or other.trust,
        pinned=one.pinned,
    )
    return None if impossible(met) else met


def covers(taker: Rule, rule: Rule) -> bool:
    """Say whether, at any moment, `taker` could take every record that `rule` could take."""
    if taker.then.to is not None and rule.when.layer in (None, taker.then.to):
        return False  # what lies in the taker's target is left to the other rule
    # a record cannot have been unused for longer than it is old
    when = replace(rule.when, older_than=_longer(rule.when.older_than, rule.when.unused_for))
    return both(when, taker.when) == when


def narrower(one: When, other: When) -> bool:
    """Say whether the first is an exception from the second: it says more of whom it is about, and nothing less."""
    met = both(one, other)
    return met is not None and _subject(met) == _subject(one) != _subject(other)


def _subject(when: When) -> tuple[object, ...]:
    """Return the conditions that do not change with time and use."""
    return (when.layer, when.kind, when.trust, when.pinned, frozenset(when.tags))


def _empty(bounds: Range) -> bool:
    return bounds.least is not None and bounds.most is not None and bounds.least > bounds.most


def _meet(one: Range, other: Range) -> Range:
    leasts = [bound for bound in (one.least, other.least) if bound is not None]
    mosts = [bound for bound in (one.most, other.most) if bound is not None]
    return Range(least=max(leasts, default=None), most=min(mosts, default=None))


def _longer(one: timedelta | None, other: timedelta | None) -> timedelta | None:
    return max((length for length in (one, other) if length is not None), default=None)
