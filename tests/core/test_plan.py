"""Plans as values: what is refused, in which order steps run, how a plan is written down."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.errors import PlanError
from ourcli.core.kinds import KINDS
from ourcli.core.notation import Param, Ref, format_value, parse_value
from ourcli.core.plan import Plan, Step, validate
from ourcli.testing.steps import ANY_KIND
from tests.promises import promise

ANY = {"any": ANY_KIND}


def plan(*steps: Step) -> Plan:
    return Plan(goal="a goal", recipe="test", steps=steps)


def step(step_id: str, *needs: str, **inputs: object) -> Step:
    return Step(
        id=step_id, kind="any", needs=needs, inputs={name: parse_value(value) for name, value in inputs.items()}
    )


@promise("core.plan.refused")
@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((), "the plan has no steps"),
        ((step("one"), step("one")), "step 'one': another step has the same id"),
        ((step("one", "two"),), "step 'one': it needs 'two', which is no step"),
        ((step("one", a="$two.out"),), "step 'one': input 'a' refers to 'two', which is no step"),
        ((step("two"), step("one", a="$two.answer")), "'answer', which 'two' does not give"),
        ((step("one", a="$question"),), "step 'one': input 'a' uses the unknown parameter 'question'"),
        ((step("one", z="text"),), "step 'one': a any step has no input 'z'"),
        ((Step(id="one", kind="fly"),), "step 'one': unknown kind 'fly'"),
    ],
)
def test_a_plan_that_cannot_run_is_refused_with_the_step_and_the_reason(steps: tuple[Step, ...], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        validate(plan(*steps), ANY)
    assert message in caught.value.message


@promise("core.plan.refused")
def test_steps_that_need_each_other_in_a_circle_are_named() -> None:
    circle = plan(step("first", "third"), step("second", "first"), step("third", a="$second.out"))
    with pytest.raises(PlanError) as caught:
        validate(circle, ANY)
    assert all(repr(name) in caught.value.message for name in ("first", "second", "third"))


def test_a_step_that_needs_itself_is_a_circle() -> None:
    with pytest.raises(PlanError, match="in a circle"):
        validate(plan(step("one", "one")), ANY)


def test_an_input_that_a_kind_requires_must_be_there() -> None:
    with pytest.raises(PlanError, match="a recall step needs the input 'query'"):
        validate(plan(Step(id="one", kind="recall")), KINDS)


def test_a_reference_is_a_need_too() -> None:
    assert step("two", "zero", a="$one.out", b=["$zero.out", "$one.out"]).dependencies == ("zero", "one")


@promise("core.plan.order")
@given(st.data())
def test_steps_run_in_an_order_that_respects_every_need(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    names = data.draw(st.permutations([f"s{number}" for number in range(size)]))
    steps = [
        step(name, *data.draw(st.lists(st.sampled_from(names[:position]), unique=True) if position else st.just([])))
        for position, name in enumerate(names)
    ]
    shuffled = data.draw(st.permutations(steps))

    order = plan(*shuffled).order()

    assert sorted(order) == sorted(names)
    assert all(order.index(need) < order.index(one.id) for one in steps for need in one.needs)


def test_a_plan_is_written_with_references_that_can_be_read_back() -> None:
    made = Plan(goal="g", recipe="r", steps=(step("one"), step("two", a="$one.out", b="$$5", c=["x", 1, True, None])))

    written = json.loads(json.dumps(made.to_json()))

    assert written["goal"] == "g"
    assert written["steps"][1] == {
        "id": "two",
        "kind": "any",
        "inputs": {"a": "$one.out", "b": "$$5", "c": ["x", 1, True, None]},
        "needs": ["one"],
        "timeout_s": 60.0,
        "retries": 0,
        "side_effect": "none",
    }


@pytest.mark.parametrize("text", ["$", "$5", "$ name", "$a.b.c", "$a.", "$.b"])
def test_a_text_that_starts_with_a_dollar_and_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="is no reference"):
        parse_value(text)


def test_a_table_is_no_input() -> None:
    with pytest.raises(PlanError, match="cannot be a dict"):
        parse_value({"a": 1})


_VALUES = st.recursive(
    st.text()
    | st.integers()
    | st.booleans()
    | st.none()
    | st.builds(Ref, st.just("step"), st.just("output"))
    | st.builds(Param, st.just("question")),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@promise("core.plan.notation")
@given(_VALUES)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert parse_value(json.loads(json.dumps(format_value(value)))) == value  # type: ignore[arg-type]  # any shape


@promise("tools.ask.fixed-control-flow")
def test_what_a_tool_step_does_must_not_come_from_another_step() -> None:
    recall = Step(id="recall", kind="recall", inputs={"query": "q"})
    tool = Step(id="tool", kind="tool", inputs={"question": Ref("recall", "hits")})
    with pytest.raises(PlanError, match="must not depend on what others wrote"):
        validate(plan(recall, tool), KINDS)
