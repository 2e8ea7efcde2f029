"""Finds what is wrong with a set of rules before it runs: rules that never fire, that fight, or that loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import combinations

from ourcli.memory.ledger import Verb
from ourcli.memory.policy.duration import in_words
from ourcli.memory.policy.loops import find_loops
from ourcli.memory.policy.overlap import both, covers, impossible, narrower
from ourcli.memory.policy.rule import Rule

_NOTHING = timedelta()


class Fault(StrEnum):
    """What can be wrong with rules."""

    NEVER = "never"
    FIGHT = "fight"
    LOOP = "loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong with rules.

    Attributes:
        fault: never (a rule cannot fire), fight (rules want opposite things of the same records) or loop (rules move
            a record round and round).
        rules: Names of the rules it is about, the one that should change first.
        reason: What happens, in a sentence.
    """

    fault: Fault
    rules: tuple[str, ...]
    reason: str


def check(rules: Sequence[Rule]) -> tuple[Problem, ...]:
    """Return what is wrong with rules, in their order: first what never fires, then fights, then loops.

    A rule that does not fire because an earlier one takes its records is judged as if rules run on schedule. A loop
    is reported when some record can go round at one moment; rules without any reach an end from every state.
    """
    loops = (
        Problem(fault=Fault.LOOP, rules=tuple(rule.name for rule in circle), reason=_round(circle))
        for circle in find_loops([rule for place, rule in enumerate(rules) if not _never_decides(rules, place)])
    )
    return (*_never(rules), *_fights(rules), *loops)


def _never(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Yield one problem for each rule that cannot fire."""
    for place, rule in enumerate(rules):
        if why := impossible(rule.when) or _without_effect(rule):
            yield Problem(fault=Fault.NEVER, rules=(rule.name,), reason=f"{rule.name!r} never fires: {why}")
        elif taker := _shadow(rules, place):
            reason = f"{rule.name!r} never fires: whatever it is about, {taker.name!r} takes first"
            yield Problem(fault=Fault.NEVER, rules=(rule.name, taker.name), reason=reason)
        elif taker := _forestaller(rules, rule):
            reason = f"{rule.name!r} never fires: its records are gone before, for {taker.name!r} takes them earlier"
            yield Problem(fault=Fault.NEVER, rules=(rule.name, taker.name), reason=f"{reason} ({_times(taker)})")


def _never_decides(rules: Sequence[Rule], place: int) -> bool:
    return bool(impossible(rules[place].when)) or _shadow(rules, place) is not None


def _without_effect(rule: Rule) -> str:
    if rule.then.do is Verb.TAG and set(rule.then.tags) <= set(rule.when.tags):
        return "its records carry already the tags that it adds"
    return ""


def _decides_before(rules: Sequence[Rule], place: int, other: int) -> bool:
    """Say whether the rule at `place` is asked before the one at `other` when the conditions of both hold."""
    expires, other_expires = (rules[at].then.do is Verb.EXPIRE for at in (place, other))
    return place < other if expires == other_expires else other_expires


def _takers(rules: Sequence[Rule], rule: Rule) -> Iterator[tuple[int, Rule]]:
    """Yield the other rules that could take, at any moment, whatever `rule` could take."""
    for place, taker in enumerate(rules):
        if taker is not rule and taker.then.do is not Verb.TAG and covers(taker, rule):
            yield place, taker


def _shadow(rules: Sequence[Rule], place: int) -> Rule | None:
    """Return a rule that decides before this one whenever this one could."""
    takers = _takers(rules, rules[place])
    return next((taker for at, taker in takers if _decides_before(rules, at, place)), None)


def _forestaller(rules: Sequence[Rule], rule: Rule) -> Rule | None:
    """Return a rule whose time comes always earlier, so that it has taken the records long before."""
    added = {tag for one in rules if one.then.do is Verb.TAG for tag in one.then.tags}
    takers = _takers(rules, rule)
    return next((taker for _, taker in takers if _is_earlier(taker, rule) and _is_steady(taker, added)), None)


def _times(taker: Rule) -> str:
    when = taker.when
    told = [("older than", when.older_than), ("unused for more than", when.unused_for)]
    return " and ".join(f"{words} {in_words(length)}" for words, length in told if length) or "at once"


def _is_earlier(taker: Rule, rule: Rule) -> bool:
    """Say whether the times that `taker` asks for have always passed before those that `rule` asks for.

    A record cannot have been unused for longer than it is old.
    """
    age, idle = (length or _NOTHING for length in (taker.when.older_than, taker.when.unused_for))
    own_age, own_idle = (length or _NOTHING for length in (rule.when.older_than, rule.when.unused_for))
    return age < max(own_age, own_idle) and (taker.when.unused_for is None or idle < own_idle)


def _is_steady(taker: Rule, added: set[str]) -> bool:
    """Say whether a record that meets the conditions later has met them before: nothing in them comes with time."""
    when = taker.when
    return not (when.pinned or when.uses.least or when.distinct_queries.least or set(when.tags) & added)


def _fights(rules: Sequence[Rule]) -> Iterator[Problem]:
    movers = [rule for rule in rules if rule.then.do not in (Verb.TAG, Verb.EXPIRE) and not impossible(rule.when)]
    for first, second in combinations(movers, 2):
        shared = both(first.when, second.when)
        if shared is None or shared.layer in (first.then.to, second.then.to):
            continue
        if not _opposed(first, second) or narrower(first.when, second.when):
            continue
        reason = (
            f"{first.name!r} and {second.name!r} are about the same records, and one would {_in_words(first)}, the "
            f"other {_in_words(second)}; the first one wins"
        )
        yield Problem(fault=Fault.FIGHT, rules=(first.name, second.name), reason=reason)


def _opposed(first: Rule, second: Rule) -> bool:
    """Say whether two rules want opposite things: up against down, or two different layers."""
    up = [rule.then.do is Verb.PROMOTE for rule in (first, second)]
    return up[0] != up[1] or first.then.to is not second.then.to


def _in_words(rule: Rule) -> str:
    return f"{rule.then.do} them to {rule.then.to}"


def _round(circle: Sequence[Rule]) -> str:
    names = " -> ".join(f"{rule.name!r} (to {rule.then.to})" for rule in circle)
    return f"a record that meets their conditions goes round: {names} -> {circle[0].name!r} again, at every run"
