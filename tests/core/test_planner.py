"""The planner: which recipe, and what its plan holds."""

import pytest

from ourcli.common.errors import NotFoundError, PlanError
from ourcli.core.kinds import KINDS
from ourcli.core.plan import validate
from ourcli.core.planner import Planner, bind
from ourcli.core.recipe import Cookbook, Recipe, parse, shipped
from ourcli.core.router import Request, RequestKind, route
from tests.promises import promise

MINE = """
name = "mine"
description = "d"
when = ["question"]
[parameters.question]
[parameters.depth]
[[steps]]
id = "recall"
kind = "recall"
inputs = { query = "$question", limit = "$depth" }
"""


def mine(text: str = MINE) -> Recipe:
    return parse(text, file="mine.toml", origin="home/mine.toml")


def test_an_unknown_recipe_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="no recipe 'other'"):
        Planner(shipped()).plan(route("hello"), recipe="other")


def test_a_parameter_that_nothing_gives_is_missed_by_name() -> None:
    with pytest.raises(PlanError, match="'mine' needs the parameter 'depth'"):
        Planner(Cookbook(recipes={"mine": mine()})).plan(route("hello"))


def test_without_any_recipe_for_questions_there_is_no_plan() -> None:
    with pytest.raises(PlanError, match="no recipe serves questions"):
        Planner(Cookbook()).plan(route("hello"))


@promise("core.planner.chooses")
@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("design cache layer", "answer"),
        ("remember that the port is 8080", "remember-note"),
        ("we decided to use tabs", "remember-decision"),
        ("ingest ./docs", "ingest"),
        ("run the tool grep", "answer"),
    ],
)
def test_the_kind_of_request_chooses_the_recipe(text: str, recipe: str) -> None:
    assert Planner(shipped()).plan(route(text)).recipe == recipe


@promise("core.planner.chooses")
def test_the_named_recipe_is_taken_whatever_the_request() -> None:
    assert Planner(shipped()).plan(route("we decided to use tabs"), recipe="summarise").recipe == "summarise"


@promise("core.planner.chooses")
def test_a_user_s_recipe_for_a_kind_goes_before_the_shipped_one() -> None:
    book = Cookbook(recipes={**shipped().recipes, "mine": mine()})
    assert Planner(book).choose(route("hello")).name == "mine"


@promise("core.recipe.shipped")
@pytest.mark.parametrize("recipe", shipped().recipes.values(), ids=lambda recipe: recipe.name)
def test_every_shipped_recipe_makes_a_plan_that_can_run(recipe: Recipe) -> None:
    request = Request(kind=RequestKind.QUESTION, text="a question", paths=("./docs",))
    validate(Planner(shipped()).plan(request, recipe=recipe.name), KINDS)


def test_the_user_s_words_are_never_read_as_a_reference() -> None:
    plan = bind(mine(), goal="g", values={"question": "$recall.hits", "depth": 3})
    assert plan.steps[0].inputs == {"query": "$recall.hits", "limit": 3}
    assert plan.to_json()["steps"] == [
        {
            "id": "recall",
            "kind": "recall",
            "inputs": {"query": "$$recall.hits", "limit": 3},
            "needs": [],
            "timeout_s": 60.0,
            "retries": 0,
            "side_effect": "none",
        }
    ]


def test_a_decision_is_stored_as_said_with_its_tag() -> None:
    plan = Planner(shipped()).plan(route("We decided to use tabs"))
    assert plan.steps[0].inputs == {
        "text": "We decided to use tabs",
        "layer": "interact",
        "kind": "decision",
        "tags": ("decision",),
    }
