"""Rules as they are read from a configuration file."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.errors import ConfigError
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.reading import shipped_rules, shipped_text, validate_rules
from ourcli.memory.policy.rule import Range, Rule, Then, When
from ourcli.memory.record import Trust
from tests.promises import promise

UP: dict[str, object] = {"do": "promote", "to": "insights"}


def table(then: dict[str, object] = UP, **when: object) -> dict[str, object]:
    return {"name": "mine", "when": when, "then": then}


@promise("memory.rules.wrong")
@pytest.mark.parametrize(
    ("raw", "words", "hint"),
    [
        ({}, "rule 1: name is missing", "small letters"),
        ({**table(), "name": "My rule"}, "rule 'My rule': name is 'My rule'", "small letters"),
        ({**table(), "name": "user"}, "stands for what the user does by hand", ""),
        ({"name": "mine", "then": UP}, "rule 'mine': when is missing", "conditions"),
        ({**table(), "when": []}, "when is []", "conditions"),
        ({**table(), "wehn": {}}, "unknown key 'wehn'", "'when'"),
        (table(oldr_than="24h"), "rule 'mine': unknown key 'when.oldr_than'", "'older_than'"),
        (table(uses={"mim": 2}), "unknown key 'when.uses.mim'", "'min'"),
        (table(qqq=1), "unknown key 'when.qqq'", "there are layer, older_than"),
        (table(older_than=24), "when.older_than is 24", "24h"),
        (table(older_than="24 parsecs"), "when.older_than is '24 parsecs'", "24h"),
        (table(older_than="0h"), "longer than nothing", "24h"),
        (table(older_than="99999999w"), "at most 36500d", "24h"),
        (table(layer="intract"), "when.layer is 'intract'", "interact, insights and assets"),
        (table(tags="decision"), "when.tags is 'decision'", "list"),
        (table(tags=[]), "when.tags is [] (it is empty)", "list"),
        (table(uses={}), "it needs min, max or both", "{min = 2}"),
        (table(uses=3), "when.uses is 3", "{min = 2}"),
        (table(uses={"min": -1}), "when.uses.min is -1", "whole number"),
        (table(pinned="yes"), "when.pinned is 'yes'", "true or false"),
        (table(trust="nobody"), "when.trust is 'nobody'", "user, model, tool and web"),
        (table({"do": "fly"}), "then.do is 'fly'", "promote, demote"),
        (table({"do": "promote"}), "then.to is missing", "insights"),
        (table(UP, layer="insights"), "where the records are already", "another layer"),
        (table({"do": "expire", "to": "assets"}, older_than="1h"), "expire moves nothing", "leave it out"),
        (table({"do": "expire"}, layer="interact"), "lets records expire at once", "older_than"),
        (table({"do": "expire", "tags": ["x"]}, older_than="1h"), "does not go with expire", ""),
        (table({"do": "tag"}), "tag needs the tags to add", "tags"),
        (table({"do": "summarise", "to": "assets", "distil": True}), "does not go with summarise", "promote"),
    ],
)
def test_a_rule_that_is_wrong_is_told_with_its_name_and_field(raw: dict[str, object], words: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        validate_rules([raw])
    assert caught.value.message.startswith("memory.rules: rule ")
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two rules are called 'mine'"):
        validate_rules([table(), table(layer="interact")])


def test_more_rules_than_anybody_can_follow_are_refused() -> None:
    with pytest.raises(ConfigError, match="101 rules"):
        validate_rules([{**table(), "name": f"rule-{number}"} for number in range(101)])


@promise("memory.rules.shipped")
def test_without_rules_of_the_user_the_shipped_ones_hold() -> None:
    day, quarter = timedelta(hours=24), timedelta(days=90)
    assert validate_rules(()) == (
        Rule(
            name="promote-decision",
            when=When(layer=Layer.INTERACT, older_than=day, tags=("decision",)),
            then=Then(do=Verb.PROMOTE, to=Layer.INSIGHTS, distil=True),
        ),
        Rule(
            name="demote-stale-insight",
            when=When(layer=Layer.INSIGHTS, unused_for=quarter),
            then=Then(do=Verb.SUMMARISE, to=Layer.ASSETS),
        ),
        Rule(
            name="expire-interact",
            when=When(layer=Layer.INTERACT, older_than=day),
            then=Then(do=Verb.EXPIRE),
        ),
    )
    assert "promote-decision" in shipped_text()


def test_every_condition_and_effect_is_read() -> None:
    everything = {
        "layer": "interact",
        "older_than": "30m",
        "unused_for": "2w",
        "tags": ["a", "b", "a"],
        "kind": "turn",
        "uses": {"min": 1, "max": 5},
        "distinct_queries": {"min": 2},
        "trust": "tool",
        "pinned": True,
    }
    then: dict[str, object] = {"do": "demote", "to": "assets", "distil": True, "tags": ["old"]}
    rule = validate_rules([table(then, **everything)])[0]
    assert rule.when == When(
        layer=Layer.INTERACT,
        older_than=timedelta(minutes=30),
        unused_for=timedelta(days=14),
        tags=("a", "b"),
        kind="turn",
        uses=Range(least=1, most=5),
        distinct_queries=Range(least=2),
        trust=Trust.TOOL,
        pinned=True,
    )
    assert rule.then == Then(do=Verb.DEMOTE, to=Layer.ASSETS, distil=True, tags=("old",))


@promise("memory.rules.versioned")
def test_a_rule_has_a_version_that_changes_with_what_it_says_and_not_with_how() -> None:
    day = validate_rules([table(layer="interact", older_than="24h")])[0]
    the_same = validate_rules([{**table(older_than="1d", layer="interact"), "name": "mine"}])[0]
    other = validate_rules([table(layer="interact", older_than="25h")])[0]
    assert day.version == the_same.version != other.version
    assert len(day.version) == 64
    # known: a change of the canonical form would make every rule of every ledger look changed
    assert shipped_rules()[0].version == "351ab1460c396e1f071e8822b0fac9990eac10c3489e20032bde7df51cd5d66b"


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: str(rule.name))
def test_what_a_rule_says_reads_back_the_same(rule: Rule) -> None:
    assert validate_rules([rule.as_data()]) == (rule,)


PLAIN = st.recursive(
    st.booleans()
    | st.integers(-5, 10**12)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["24h"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["layer", "older_than", "tags", "uses", "trust", "pinned", "do", "to", "distil", "?"]), PLAIN
)


@promise("memory.rules.wrong")
@given(st.fixed_dictionaries({}, optional={"name": PLAIN, "when": FIELDS | PLAIN, "then": FIELDS | PLAIN, "x": PLAIN}))
def test_any_table_is_a_rule_or_told_in_words(raw: dict[str, object]) -> None:
    try:
        (rule,) = validate_rules([raw])
    except ConfigError as exc:
        told = exc.message
    else:
        assert validate_rules([rule.as_data()]) == (rule,)
        return
    assert told.startswith("memory.rules: rule ")
    assert "\n" not in told
