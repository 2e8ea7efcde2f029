"""Chooses a recipe for a request and binds it: the outcome is a plan that can run."""

from collections.abc import Mapping

from ourcli.common.errors import PlanError
from ourcli.core.kinds import KINDS
from ourcli.core.notation import InputValue, Param, substitute
from ourcli.core.plan import Plan, Step, validate
from ourcli.core.recipe import Cookbook, Recipe
from ourcli.core.router import Request, RequestKind


class Planner:
    """Make plans from recipes.

    Args:
        book: The recipes there are.
    """

    def __init__(self, book: Cookbook) -> None:
        self._book = book

    def choose(self, request: Request, *, recipe: str | None = None) -> Recipe:
        """Return the named recipe, else the one that serves this kind of request.

        A user's recipe goes before a shipped one; a kind that no recipe serves is treated as a question.

        Raises:
            NotFoundError: There is no recipe of that name.
            PlanError: No recipe serves questions.
        """
        if recipe is not None:
            return self._book.get(recipe)
        for kind in (request.kind, RequestKind.QUESTION):
            serving = sorted(
                (one for one in self._book.recipes.values() if kind in one.when),
                key=lambda one: (one.shipped, one.name),
            )
            if serving:
                return serving[0]
        raise PlanError("no recipe serves questions", hint="add 'question' to `when` in one of your recipes")

    def plan(
        self, request: Request, *, recipe: str | None = None, parameters: Mapping[str, InputValue] | None = None
    ) -> Plan:
        """Return the plan for a request.

        Args:
            request: What the router made of the user's words; gives `question`, `text`, `tags` and `paths`.
            recipe: Name of the recipe; None lets the planner choose.
            parameters: Further values, or other ones, by the recipe's parameter names.

        Raises:
            NotFoundError: There is no recipe of that name.
            PlanError: The recipe needs a parameter that nothing gives.
        """
        known: dict[str, InputValue] = {"question": request.text, "text": request.text, "tags": request.tags}
        if request.paths:
            known["paths"] = request.paths
        return bind(self.choose(request, recipe=recipe), goal=request.text, values=known | dict(parameters or {}))


def bind(recipe: Recipe, *, goal: str, values: Mapping[str, InputValue]) -> Plan:
    """Return the recipe's plan with every parameter replaced by its value; values it does not know are ignored.

    Raises:
        PlanError: A required parameter has no value.
    """

    def value_of(param: Param) -> InputValue:
        declared = recipe.parameters[param.name]
        if param.name in values:
            return values[param.name]
        if declared.required:
            raise PlanError(
                f"the recipe {recipe.name!r} needs the parameter {param.name!r}",
                hint=declared.description or "choose another recipe with --recipe",
            )
        return declared.default

    steps = tuple(
        Step(
            id=step.id,
            kind=step.kind,
            inputs={name: substitute(value, value_of) for name, value in step.inputs.items()},
            needs=step.needs,
            timeout_s=step.timeout_s,
            retries=step.retries,
            side_effect=step.side_effect,
        )
        for step in recipe.steps
    )
    plan = Plan(goal=goal, recipe=recipe.name, steps=steps)
    validate(plan, KINDS)
    return plan
