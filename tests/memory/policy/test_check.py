"""What is found wrong with rules before they run."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.action import Action
from ourcli.memory.policy.check import Fault, check
from ourcli.memory.policy.decide import decide
from ourcli.memory.policy.duration import written
from ourcli.memory.policy.facts import Facts
from ourcli.memory.policy.loops import SUMMARY_KIND
from ourcli.memory.policy.reading import shipped_rules
from ourcli.memory.policy.rule import Rule
from ourcli.memory.record import Trust
from ourcli.memory.usage import UNUSED, Usage
from tests.memory.policy.policies import ASSETS, INSIGHTS, INTERACT, a_rule, facts
from tests.promises import promise
from tests.support.records import NOON


def found(*rules: Rule) -> list[tuple[Fault, tuple[str, ...]]]:
    return [(problem.fault, problem.rules) for problem in check(rules)]


def test_nothing_is_wrong_with_the_shipped_rules() -> None:
    assert check(shipped_rules()) == ()


@promise("memory.rules.never")
def test_conditions_that_contradict_each_other_never_hold() -> None:
    crossed = a_rule("crossed", Verb.PROMOTE, layer="interact", uses={"min": 3, "max": 2})
    curious = a_rule("curious", Verb.PROMOTE, layer="interact", uses={"max": 1}, distinct_queries={"min": 2})
    assert found(crossed, curious) == [(Fault.NEVER, ("crossed",)), (Fault.NEVER, ("curious",))]
    assert "no number of uses is at least 3 and at most 2" in check([crossed])[0].reason


@promise("memory.rules.never")
def test_a_rule_behind_one_that_takes_all_its_records_never_fires() -> None:
    all_of_it = a_rule("all", Verb.DEMOTE, layer="insights")
    some = a_rule("some", Verb.DEMOTE, layer="insights", tags=["old"])
    assert found(all_of_it, some) == [(Fault.NEVER, ("some", "all"))]
    assert found(some, all_of_it) == []


@promise("memory.rules.never")
def test_a_rule_that_waits_longer_than_records_stay_never_fires() -> None:
    expire = a_rule("expire", Verb.EXPIRE, layer="interact", older_than="24h")
    late = a_rule("late", Verb.PROMOTE, layer="interact", older_than="48h", tags=["decision"])
    assert found(late, expire) == [(Fault.NEVER, ("late", "expire"))]
    assert check([late, expire])[0].reason == (
        "'late' never fires: its records are gone before, for 'expire' takes them earlier (older than 24 h)"
    )
    assert found(replace(late, when=replace(late.when, older_than=timedelta(hours=24))), expire) == []


@promise("memory.rules.never")
def test_records_cannot_be_unused_for_longer_than_they_stay() -> None:
    expire = a_rule("expire", Verb.EXPIRE, older_than="30d")
    late = a_rule("late", Verb.DEMOTE, layer="insights", unused_for="90d")
    assert found(late, expire) == [(Fault.NEVER, ("late", "expire"))]


def test_a_rule_is_not_forestalled_by_conditions_that_come_with_time() -> None:
    late = a_rule("late", Verb.PROMOTE, layer="interact", older_than="48h", uses={"min": 3})
    expire = a_rule("expire", Verb.EXPIRE, layer="interact", older_than="24h", uses={"min": 2})
    assert found(late, expire) == []


@promise("memory.rules.never")
def test_expiring_behind_a_rule_that_takes_the_same_records_never_happens() -> None:
    expire = a_rule("expire", Verb.EXPIRE, layer="interact", older_than="24h")
    keep = a_rule("keep", Verb.PROMOTE, layer="interact", older_than="24h")
    assert found(expire, keep) == [(Fault.NEVER, ("expire", "keep"))]


def test_a_tag_that_the_rule_asks_for_is_never_added() -> None:
    mark = a_rule("mark", Verb.TAG, tags=["seen", "old"])
    assert found(mark) == [(Fault.NEVER, ("mark",))]


def test_a_rule_is_not_shadowed_by_one_that_leaves_the_records_of_its_own_target() -> None:
    gather = a_rule("gather", Verb.PROMOTE)
    rest = a_rule("rest", Verb.DEMOTE, layer="insights", unused_for="90d")
    assert Fault.NEVER not in [fault for fault, _ in found(gather, rest)]


@promise("memory.rules.fight")
def test_rules_that_want_opposite_things_of_the_same_records_fight() -> None:
    up = a_rule("up", Verb.PROMOTE, INTERACT, layer="insights", uses={"min": 3})
    down = a_rule("down", Verb.DEMOTE, layer="insights", unused_for="30d")
    (problem,) = check([up, down])
    assert (problem.fault, problem.rules) == (Fault.FIGHT, ("up", "down"))
    assert "one would promote them to interact, the other demote them to assets; the first one wins" in problem.reason


def test_rules_about_different_records_do_not_fight() -> None:
    up = a_rule("up", Verb.PROMOTE, INTERACT, layer="insights", uses={"min": 3})
    for when in ({"uses": {"max": 2}}, {"uses": {"max": 2}, "kind": "note"}, {"pinned": True}):
        down = a_rule("down", Verb.DEMOTE, None, **{"layer": "insights", **when})
        assert found(up, down) == []


def test_an_exception_that_stands_before_the_rule_is_no_fight() -> None:
    keep = a_rule("keep", Verb.PROMOTE, ASSETS, layer="insights", tags=["keep"], unused_for="90d")
    rest = a_rule("rest", Verb.SUMMARISE, ASSETS, layer="insights", unused_for="90d")
    assert found(keep, rest) == []
    assert (Fault.FIGHT, ("keep", "every")) in found(
        keep, a_rule("every", Verb.DEMOTE, layer="insights", tags=["keep"])
    )


@promise("memory.rules.loop")
def test_rules_that_move_a_record_round_and_round_are_a_loop() -> None:
    up = a_rule("up", Verb.PROMOTE, layer="assets", uses={"min": 5})
    down = a_rule("down", Verb.DEMOTE, layer="insights", unused_for="90d")
    (problem,) = check([up, down])
    assert problem.fault is Fault.LOOP
    assert sorted(problem.rules) == ["down", "up"]
    assert "goes round" in problem.reason


@promise("memory.rules.loop")
def test_a_loop_over_three_layers_names_every_rule() -> None:
    circle = [
        a_rule("one", Verb.PROMOTE, INSIGHTS, layer="interact"),
        a_rule("two", Verb.PROMOTE, ASSETS, layer="insights"),
        a_rule("three", Verb.DEMOTE, INTERACT, layer="assets"),
    ]
    (problem,) = check(circle)
    assert problem.fault is Fault.LOOP
    assert sorted(problem.rules) == ["one", "three", "two"]


def test_conditions_that_exclude_each_other_make_no_loop() -> None:
    used = a_rule("up", Verb.PROMOTE, layer="assets", uses={"min": 5})
    assert found(used, a_rule("down", Verb.DEMOTE, layer="insights", uses={"max": 4})) == []
    notes = a_rule("up", Verb.PROMOTE, layer="assets", kind="note")
    assert found(notes, a_rule("down", Verb.DEMOTE, layer="insights", kind="turn")) == []
    never_used = a_rule("up", Verb.PROMOTE, layer="assets", uses={"max": 0})
    assert found(never_used, a_rule("down", Verb.DEMOTE, layer="insights", unused_for="90d")) == []


def test_a_summary_that_is_promoted_and_summed_up_again_is_a_loop() -> None:
    down = a_rule("down", Verb.SUMMARISE, layer="insights", older_than="90d")
    assert (Fault.LOOP, ("up", "down")) in [
        (fault, tuple(sorted(names, reverse=True)))
        for fault, names in found(a_rule("up", Verb.PROMOTE, layer="assets", kind=SUMMARY_KIND), down)
    ]


def carried_out(action: Action, known: dict[str, Facts], round_number: int) -> None:
    """Do to facts what the lifecycle does to records."""
    taken = [known.pop(record_id) for record_id in action.record_ids]
    if action.verb is Verb.EXPIRE or action.target is None:
        return
    if action.verb is Verb.SUMMARISE:
        newest = max(one.record.ts for one in taken)
        name = RecordId(f"summary of {action.record_ids[0]} in round {round_number}")
        base = replace(taken[0].record, id=name, ts=newest, kind=SUMMARY_KIND)
        known[name] = Facts(record=replace(base, layer=action.target), promoted_at=None)
        return
    (one,) = taken
    tags = tuple(dict.fromkeys((*one.record.tags, *action.tags)))
    moved_at = one.promoted_at if action.verb is Verb.TAG else NOON
    known[one.record.id] = replace(
        one, record=replace(one.record, layer=action.target, tags=tags), promoted_at=moved_at
    )


LAYERS = st.sampled_from(list(Layer))
LENGTHS = st.sampled_from([None, timedelta(days=1), timedelta(days=30)])
RANGES = st.fixed_dictionaries({}, optional={"min": st.integers(0, 3), "max": st.integers(0, 3)}).filter(bool)


@st.composite
def a_drawn_rule(draw: st.DrawFn, number: int) -> Rule:
    do = draw(st.sampled_from([Verb.PROMOTE, Verb.DEMOTE, Verb.SUMMARISE, Verb.EXPIRE, Verb.TAG]))
    lengths = {"older_than": draw(LENGTHS), "unused_for": draw(LENGTHS)}
    when: dict[str, object] = {name: written(length) for name, length in lengths.items() if length}
    layer = draw(st.none() | LAYERS)
    if layer:
        when["layer"] = layer.value
    if do is Verb.EXPIRE and not when.keys() & lengths.keys():
        when["older_than"] = "1d"
    optional = {
        "kind": st.sampled_from(["note", SUMMARY_KIND]),
        "uses": RANGES,
        "distinct_queries": RANGES,
        "trust": st.sampled_from(["user", "web"]),
        "pinned": st.booleans(),
        "tags": st.sampled_from([["a"], ["seen"], ["a", "seen"]]),
    }
    when |= draw(st.fixed_dictionaries({}, optional=optional))
    to = (
        draw(LAYERS.filter(lambda one: one is not layer)) if do in (Verb.PROMOTE, Verb.DEMOTE, Verb.SUMMARISE) else None
    )
    return a_rule(f"rule-{number}", do, to, **when)


RULES = st.integers(1, 5).flatmap(lambda count: st.tuples(*(a_drawn_rule(number) for number in range(count))))


@st.composite
def some_facts(draw: st.DrawFn, number: int) -> Facts:
    age = draw(st.sampled_from([0, 2, 40]))
    uses = draw(st.integers(0, 4))
    usage = Usage(
        last_used=NOON - timedelta(days=draw(st.integers(0, age))) if uses else None,
        uses=uses,
        distinct_queries=min(uses, draw(st.integers(0, 4))),
        pinned=draw(st.booleans()),
    )
    return facts(
        f"record-{number}",
        usage if usage != Usage() else UNUSED,
        layer=draw(LAYERS),
        ts=NOON - timedelta(days=age),
        kind=draw(st.sampled_from(["note", SUMMARY_KIND])),
        trust=draw(st.sampled_from([Trust.USER, Trust.WEB])),
        tags=draw(st.sampled_from([(), ("a",), ("seen",)])),
    )


SOME = st.tuples(*(some_facts(number) for number in range(6)))


@promise("memory.rules.fixed-point")
@settings(max_examples=200)
@given(RULES, SOME)
def test_rules_without_a_reported_loop_come_to_an_end(rules: tuple[Rule, ...], some: tuple[Facts, ...]) -> None:
    if any(problem.fault is Fault.LOOP for problem in check(rules)):
        return
    known = {str(one.record.id): one for one in some}
    for round_number in range(40):
        actions = decide(rules, known.values(), NOON)
        if not actions:
            return
        for action in actions:
            carried_out(action, known, round_number)
    raise AssertionError("the rules go on without end")


@promise("memory.rules.never")
@settings(max_examples=200)
@given(RULES, SOME)
def test_a_rule_that_is_always_forestalled_decides_nothing(rules: tuple[Rule, ...], some: tuple[Facts, ...]) -> None:
    first = {problem.rules[0] for problem in check(rules) if problem.fault is Fault.NEVER}
    always = {problem.rules[0] for problem in check(rules) if "takes first" in problem.reason}
    fired = {action.rule for action in decide(rules, some, NOON)}
    assert not fired & always
    assert always <= first
