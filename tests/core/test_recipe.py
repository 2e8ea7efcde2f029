"""Recipes as files: what is refused, what a user can change, what is shipped."""

from pathlib import Path

import pytest

from ourcli.common.errors import NotFoundError, PlanError
from ourcli.core.recipe import Cookbook, Recipe, load, parse, shipped, template
from ourcli.core.router import RequestKind
from tests.promises import promise

GOOD = """
name = "mine"
description = "d"
when = ["question"]
[parameters.question]
[parameters.limit]
default = 5
[[steps]]
id = "recall"
kind = "recall"
inputs = { query = "$question", limit = "$limit" }
"""


def read(text: str, file: str = "mine.toml") -> Recipe:
    return parse(text, file=file, origin=file)


@promise("core.recipe.broken")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "not valid TOML"),
        ('name = "mine"', "description: Field required"),
        (GOOD.replace('"d"', '""'), "description: String should have at least 1 character"),
        (GOOD + "colour = 1", "steps.0.colour: Extra inputs are not permitted"),
        (GOOD.replace('"question"]', '"singing"]'), "when.0: Input should be 'question'"),
        (GOOD.replace('"mine"', '"yours"'), "its name is 'yours', the file's is 'mine'"),
        (GOOD.replace('"mine"', '"../mine"'), "name: String should match"),
        (GOOD.replace('kind = "recall"', 'kind = "fly"'), "step 'recall': unknown kind 'fly'"),
        (GOOD.replace("query =", "kwery ="), "step 'recall': a recall step has no input 'kwery'"),
        (GOOD.replace('"$question"', '"$kwestion"'), "uses the unknown parameter 'kwestion'"),
        (GOOD.replace('"$question"', '"$5"'), "step 'recall': '$5' is no reference"),
        (GOOD.replace('"$question"', '"$recall.hits"'), "steps need each other in a circle"),
        (GOOD + "retries = -1", "steps.0.retries: Input should be greater"),
        (GOOD + "timeout_s = 0", "steps.0.timeout_s: Input should be greater"),
        (GOOD.split("[[steps]]", maxsplit=1)[0], "steps: Field required"),
    ],
)
def test_a_broken_recipe_is_refused_with_its_file_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PlanError) as caught:
        read(text)
    assert caught.value.message.startswith("recipe mine.toml: ")
    assert reason in caught.value.message


@promise("core.recipe.broken")
def test_broken_files_of_a_user_hide_no_other_and_are_reported(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text("name = ")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.toml").write_text("#" * 300_000)
    (tmp_path / "folder.toml").mkdir()

    book = load(tmp_path)

    assert {"mine", "answer"} <= book.recipes.keys()
    assert [problem.split("/")[-1].split(":")[0] for problem in book.problems] == [
        "bad.toml",
        "binary.toml",
        "folder.toml",
        "huge.toml",
    ]
    with pytest.raises(NotFoundError) as caught:
        book.get("bad")
    assert "not valid TOML" in caught.value.hint


def test_a_recipe_that_is_not_there_is_not_found_and_the_others_are_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        shipped().get("anser")
    assert "answer" in caught.value.hint


@promise("core.recipe.user")
def test_a_user_s_recipe_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "answer.toml").write_text(GOOD.replace('"mine"', '"answer"'))
    recipe = load(tmp_path).get("answer")
    assert (recipe.shipped, recipe.origin) == (False, str(tmp_path / "answer.toml"))


def test_a_folder_that_is_not_there_leaves_the_shipped_recipes(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == load(None) == shipped()


@promise("core.recipe.shipped")
def test_the_shipped_recipes_serve_each_kind_of_request_once() -> None:
    served = sorted(kind for recipe in shipped().recipes.values() for kind in recipe.when)
    assert served == sorted(RequestKind)


@promise("core.recipe.shipped")
def test_the_shipped_recipes_are_these() -> None:
    assert sorted(shipped().recipes) == [
        "answer",
        "ingest",
        "remember-decision",
        "remember-note",
        "research-in-my-files",
        "summarise",
    ]


def test_a_parameter_without_a_default_is_required() -> None:
    parameters = read(GOOD).parameters
    assert (parameters["question"].required, parameters["limit"].required) == (True, False)
    assert parameters["limit"].default == 5


@promise("core.recipe.shipped")
def test_a_new_recipe_can_be_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my-own.toml").write_text(template("my-own"))
    assert load(tmp_path).problems == ()


@pytest.mark.parametrize("name", ["", "My Own", "../x", "a/b", 'x"y'])
def test_a_name_that_no_file_should_have_is_refused(name: str) -> None:
    with pytest.raises(PlanError):
        template(name)


def test_an_empty_cookbook_has_nothing() -> None:
    with pytest.raises(NotFoundError):
        Cookbook().get("answer")
