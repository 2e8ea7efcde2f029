"""What rules decide about records."""

import json
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.ledger import Verb
from ourcli.memory.policy.decide import MOST_SOURCES, decide, holds, scopes
from ourcli.memory.policy.facts import Facts
from ourcli.memory.policy.reading import shipped_rules
from ourcli.memory.query import matches
from ourcli.memory.record import Trust
from ourcli.memory.usage import Usage
from tests.memory.policy.policies import ASSETS, INSIGHTS, INTERACT, a_rule, facts, later, used
from tests.promises import promise
from tests.support.records import NOON

SHIPPED = shipped_rules()
DECISION = facts("said", layer=INTERACT, tags=("decision",))
CHAT = facts("chat", layer=INTERACT)


@promise("memory.rules.promote-decision")
def test_a_decision_is_promoted_when_it_is_older_than_a_day_and_not_before() -> None:
    assert decide(SHIPPED, [DECISION], later(hours=24)) == ()
    (action,) = decide(SHIPPED, [DECISION], later(hours=24, seconds=1))
    assert (action.rule, action.rule_version, action.verb) == ("promote-decision", SHIPPED[0].version, Verb.PROMOTE)
    assert (action.record_ids, action.origin, action.target, action.distil) == (("said",), INTERACT, INSIGHTS, True)
    assert action.because == "promoted: in interact, 24 h old (more than 24 h) and tagged decision"


@promise("memory.rules.expire-interact")
def test_chat_expires_after_a_day_when_no_other_rule_takes_it() -> None:
    assert decide(SHIPPED, [CHAT], later(hours=24)) == ()
    (action,) = decide(SHIPPED, [CHAT], later(hours=26))
    assert (action.rule, action.verb, action.record_ids, action.target) == (
        "expire-interact",
        Verb.EXPIRE,
        ("chat",),
        None,
    )


@promise("memory.rules.expire-interact")
def test_expiring_comes_last_wherever_it_stands() -> None:
    backwards = tuple(reversed(SHIPPED))
    assert [action.verb for action in decide(backwards, [DECISION], later(days=2))] == [Verb.PROMOTE]


@promise("memory.rules.demote-stale-insight")
def test_an_insight_is_summarised_when_it_was_not_used_for_ninety_days() -> None:
    insight = facts("insight", usage=used(10))
    assert decide(SHIPPED, [insight], later(days=100)) == ()
    (action,) = decide(SHIPPED, [insight], later(days=101))
    assert (action.verb, action.origin, action.target) == (Verb.SUMMARISE, INSIGHTS, ASSETS)
    assert action.because == (
        "summarised: in insights and unused for 91 days, last used on 2026-03-11 (more than 90 days)"
    )


@promise("memory.rules.unused-since")
def test_never_used_counts_from_the_promotion_and_else_from_when_it_was_written() -> None:
    promoted, added = facts("promoted", promoted_at=later(days=1)), facts("added")
    due = decide(SHIPPED, [promoted, added], later(days=90, hours=12))
    assert [action.record_ids for action in due] == [("added",)]
    (action,) = decide(SHIPPED, [promoted], later(days=92))
    assert "never used in 91 days since it was moved here on 2026-03-02" in action.because


def test_use_before_the_promotion_still_counts_as_the_last_use() -> None:
    one = facts("one", usage=used(1), promoted_at=later(days=50))
    assert one.idle(later(days=100)) == timedelta(days=99)


@promise("memory.rules.pinned")
def test_pinned_records_are_left_alone_unless_a_rule_asks_for_them() -> None:
    pinned = Usage(pinned=True)
    everything = [facts("said", pinned, layer=INTERACT, tags=("decision",)), facts("stale", pinned)]
    assert decide(SHIPPED, everything, later(days=400)) == ()
    asking = a_rule("unpin", Verb.DEMOTE, layer="insights", pinned=True)
    assert [action.record_ids for action in decide([asking], everything, later(days=400))] == [("stale",)]
    assert decide([asking], [facts("loose")], later(days=400)) == ()


@promise("memory.rules.clock-backwards")
def test_nothing_happens_early_when_the_clock_goes_backwards() -> None:
    before = later(days=-500)
    written_later = [DECISION, CHAT, facts("insight", usage=used(3)), facts("up", promoted_at=later(days=2))]
    assert decide(SHIPPED, written_later, before) == ()
    assert all(one.age(before) == one.idle(before) == timedelta() for one in written_later)


def test_the_first_rule_that_holds_decides() -> None:
    keep = a_rule("keep", Verb.PROMOTE, layer="interact", kind="turn")
    turn = facts("turn", layer=INTERACT, kind="turn", tags=("decision",))
    assert [action.rule for action in decide([keep, *SHIPPED], [turn], later(days=2))] == ["keep"]
    assert [action.rule for action in decide([*SHIPPED, keep], [turn], later(days=2))] == ["promote-decision"]


def test_a_record_that_lies_in_the_target_is_left_to_the_other_rules() -> None:
    rules = [a_rule("gather", Verb.PROMOTE, tags=["keep"]), a_rule("rest", Verb.DEMOTE, older_than="1h")]
    there, elsewhere = facts("there", tags=("keep",)), facts("elsewhere", tags=("keep",), layer=ASSETS)
    found = {action.record_ids[0]: action.rule for action in decide(rules, [there, elsewhere], later(hours=2))}
    assert found == {"there": "rest", "elsewhere": "gather"}


def test_tags_are_added_first_and_later_rules_see_them() -> None:
    rules = [
        a_rule("mark", Verb.TAG, layer="interact", kind="turn"),
        a_rule("take", Verb.PROMOTE, layer="interact", tags=["seen"]),
    ]
    first, second = decide(rules, [facts("turn", layer=INTERACT, kind="turn")], later(hours=1))
    assert (first.verb, first.tags, first.origin, first.target) == (Verb.TAG, ("seen",), INTERACT, INTERACT)
    assert (second.verb, second.rule) == (Verb.PROMOTE, "take")


def test_a_record_that_has_the_tags_is_not_tagged_again() -> None:
    mark = a_rule("mark", Verb.TAG, layer="interact")
    assert decide([mark], [facts("turn", layer=INTERACT, tags=("seen",))], later(hours=1)) == ()


def test_every_condition_can_keep_a_record_out() -> None:
    one = facts("one", used(1, 3, 2), kind="note", tags=("a", "b"), trust=Trust.USER)
    now = later(days=3)
    fitting: dict[str, object] = {
        "layer": "insights",
        "older_than": "71h",
        "unused_for": "47h",
        "tags": ["b"],
        "kind": "note",
        "uses": {"min": 3, "max": 3},
        "distinct_queries": {"min": 1, "max": 2},
        "trust": "user",
    }
    wrong: dict[str, object] = {
        "layer": "interact",
        "older_than": "72h",
        "unused_for": "2d",
        "tags": ["b", "c"],
        "kind": "turn",
        "uses": {"min": 4},
        "distinct_queries": {"max": 1},
        "trust": "web",
        "pinned": True,
    }
    assert holds(a_rule("all", Verb.DEMOTE, None, **fitting), one, now)
    for name, value in wrong.items():
        assert not holds(a_rule("all", Verb.DEMOTE, None, **{**fitting, name: value}), one, now), name


@promise("memory.rules.summary-groups")
def test_what_becomes_one_summary_is_of_one_project_trust_and_month_or_session() -> None:
    rule = a_rule("sum-up", Verb.SUMMARISE, older_than="1h")
    given_facts = [
        facts("a"),
        facts("b", ts=later(days=20)),
        facts("next-month", ts=later(days=40)),
        facts("theirs", project="other"),
        facts("from-web", trust=Trust.WEB),
        facts("s1", layer=INTERACT, session="s"),
        facts("s2", layer=INTERACT, session="s", ts=later(days=40)),
        facts("t1", layer=INTERACT, session="t"),
    ]
    groups = {action.record_ids for action in decide([rule], given_facts, later(days=60))}
    assert groups == {("a", "b"), ("next-month",), ("theirs",), ("from-web",), ("s1", "s2"), ("t1",)}


@promise("memory.rules.summary-groups")
def test_a_summary_has_a_bounded_number_of_sources() -> None:
    stale = [facts(f"record-{number:02}", ts=later(minutes=number)) for number in range(2 * MOST_SOURCES + 1)]
    sizes = [len(action.record_ids) for action in decide(SHIPPED, stale, later(days=100))]
    assert sizes == [MOST_SOURCES, MOST_SOURCES, 1]
    (first, *_) = decide(SHIPPED, stale, later(days=100))
    assert first.because.startswith(
        f"summarised: {MOST_SOURCES} records that are each in insights and unused for 99 days"
    )


@promise("memory.rules.because")
def test_facts_and_thresholds_are_told_as_data_without_the_text() -> None:
    (action,) = decide(SHIPPED, [DECISION], later(hours=30))
    data = json.loads(json.dumps(action.inputs))
    assert data["when"] == {"layer": "interact", "older_than": "24h", "tags": ["decision"]}
    assert data["records"][0]["age_s"] == 30 * 3600
    assert data["records"][0]["unused_since"] == {"at": NOON.isoformat(), "what": "written"}
    assert "text of said" not in json.dumps(action.inputs)


MOMENTS = st.integers(-200, 200).map(lambda days: NOON + timedelta(days=days))
FACTS = st.builds(
    lambda number, usage, promoted, changes: facts(f"record-{number}", usage, promoted, **changes),
    st.integers(0, 10**6),
    st.builds(
        Usage,
        last_used=st.none() | MOMENTS,
        uses=st.integers(0, 5),
        distinct_queries=st.integers(0, 3),
        pinned=st.booleans(),
    ),
    st.none() | MOMENTS,
    st.fixed_dictionaries(
        {
            "layer": st.sampled_from([INTERACT, INSIGHTS, ASSETS]),
            "ts": MOMENTS,
            "tags": st.sampled_from([(), ("decision",), ("seen",)]),
            "session": st.sampled_from(["", "s"]),
            "trust": st.sampled_from(list(Trust)),
        }
    ),
)
MANY = st.lists(FACTS, max_size=12, unique_by=lambda one: one.record.id)


@promise("memory.rules.deterministic")
@given(MANY, MOMENTS, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_changes_nothing(many: list[Facts], now: datetime, random: object) -> None:
    shuffled = sorted(many, key=lambda one: hash((one.record.id, repr(random))))
    assert decide(SHIPPED, shuffled, now) == decide(SHIPPED, many, now)


@promise("memory.rules.once")
@given(MANY, MOMENTS)
def test_no_record_is_moved_twice_and_none_that_is_pinned_or_young(many: list[Facts], now: datetime) -> None:
    moved = [record_id for action in decide(SHIPPED, many, now) for record_id in action.record_ids]
    by_id = {str(one.record.id): one for one in many}
    assert len(moved) == len(set(moved))
    for one in (by_id[record_id] for record_id in moved):
        waited = one.age(now) if one.record.layer is INTERACT else one.idle(now)
        assert not one.usage.pinned
        assert waited > timedelta(hours=24 if one.record.layer is INTERACT else 24 * 90)


@given(MANY, MOMENTS)
def test_the_scopes_of_rules_leave_out_nothing_that_they_would_take(many: list[Facts], now: datetime) -> None:
    rules = [*SHIPPED, a_rule("cold", Verb.PROMOTE, layer="assets", uses={"min": 2})]
    filters = scopes(rules, now)
    within = [one for one in many if any(one.record.layer in f.layers and matches(one.record, f) for f in filters)]
    assert decide(rules, within, now) == decide(rules, many, now)


def test_layers_that_no_rule_is_about_are_not_read() -> None:
    assert [where.layers for where in scopes(SHIPPED, NOON)] == [(INTERACT,), (INSIGHTS,)]
    assert scopes(SHIPPED, NOON)[0].until == later(hours=-24)
