"""Circles in which rules could move a record for ever, found in what each rule leaves behind.

A state is a layer with all that is known of a record there. Rules narrow what is known (a number of uses, a kind),
a summary starts anew. There are finitely many states, so whatever goes on without end passes one of them twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.overlap import both
from ourcli.memory.policy.rule import ANY, Range, Rule, When

SUMMARY_KIND = "summary"
"""Kind of a record that sums others up."""
_MOST_STATES = 1_000
"""With more states than this, numbers of uses are left out: then more may be reported than can happen, never less."""
_NEVER = Range(most=0)
_ONCE = Range(least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is known of a record: its layer and other conditions, and whether it came there just now.

    Ages and tags are left out: a record can be old enough for any rule and carry any tag.
    """

    known: When
    moved: bool = False


_Steps = Mapping[_State, Sequence[tuple[Rule, _State]]]


def find_loops(rules: Sequence[Rule]) -> list[tuple[Rule, ...]]:
    """Return circles of rules whose conditions can hold again at once, the shortest first.

    Rules that can go on without end have at least one. Of circles made of the same rules, and of circles with all
    rules of a shorter one, only one is returned.
    """
    movers = [rule for rule in rules if rule.then.do in (Verb.PROMOTE, Verb.DEMOTE, Verb.SUMMARISE)]
    steps = _explored(movers)
    if len(steps) > _MOST_STATES:
        steps = _explored([_uncounted(rule) for rule in movers])
    circles = sorted((circle for state in _endless(steps) if (circle := _circle(steps, state))), key=len)
    found: list[tuple[Rule, ...]] = []
    for circle in circles:
        if not any({rule.name for rule in shorter} <= {rule.name for rule in circle} for shorter in found):
            found.append(circle)
    return found


def _explored(movers: Sequence[Rule]) -> _Steps:
    """Return every state that can be reached, with the rules that lead on from it."""
    steps: dict[_State, list[tuple[Rule, _State]]] = {}
    waiting = [_State(known=When(layer=layer, pinned=pinned)) for layer in Layer for pinned in (False, True)]
    while waiting:
        state = waiting.pop()
        if state not in steps:
            steps[state] = [(rule, after) for rule in movers if (after := _after(rule, state)) is not None]
            waiting.extend(after for _, after in steps[state])
    return steps


def _after(rule: Rule, state: _State) -> _State | None:
    """Return what is known of a record after a rule took it, or None when it cannot take it."""
    wanted = replace(rule.when, older_than=None, unused_for=None, tags=())
    met = both(state.known, wanted) if rule.then.to is not state.known.layer else None
    if met is not None and state.moved and rule.when.unused_for is not None:
        met = both(met, When(uses=_ONCE, pinned=met.pinned))  # never used counts from the move, that is now
    if met is None:
        return None
    if rule.then.do is Verb.SUMMARISE:
        known = When(layer=rule.then.to, kind=SUMMARY_KIND, uses=_NEVER, distinct_queries=_NEVER)
        return _State(known=known)  # its time counts from when its sources were written
    known = replace(met, layer=rule.then.to, trust=None if rule.then.distil else met.trust)
    return _State(known=known, moved=True)


def _uncounted(rule: Rule) -> Rule:
    return replace(rule, when=replace(rule.when, uses=ANY, distinct_queries=ANY))


def _endless(steps: _Steps) -> Iterator[_State]:
    """Yield the states that are left when those without a way on are taken out, again and again."""
    left = set(steps)
    while dead := {state for state in left if not any(after in left for _, after in steps[state])}:
        left -= dead
    yield from (state for state in steps if state in left)


def _circle(steps: _Steps, start: _State) -> tuple[Rule, ...]:
    """Return the rules on a shortest way from a state back to itself, or nothing when there is none."""
    ways: dict[_State, tuple[Rule, ...]] = {}
    edge: list[tuple[_State, tuple[Rule, ...]]] = [(start, ())]
    while edge:
        further: list[tuple[_State, tuple[Rule, ...]]] = []
        for state, way in edge:
            for rule, after in steps[state]:
                if after == start:
                    return (*way, rule)
                if after not in ways:
                    ways[after] = (*way, rule)
                    further.append((after, ways[after]))
        edge = further
    return ()
