"""A plan: a goal and a directed acyclic graph of typed steps, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from ourcli.common.errors import PlanError
from ourcli.core.kinds import StepKind
from ourcli.core.notation import InputValue, Param, Ref, format_value, references


class SideEffect(StrEnum):
    """How far a step reaches."""

    NONE = "none"
    LOCAL = "local"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One typed step.

    Attributes:
        id: Name inside the plan.
        kind: What it does: `recall`, `prompt`, `generate`, ...
        inputs: Literals and references to outputs of other steps.
        needs: Steps that must be done before, besides those the inputs refer to.
        timeout_s: Seconds that one attempt may take.
        retries: How often it is tried again after an error marked transient.
        side_effect: How far it reaches.
    """

    id: str
    kind: str
    inputs: Mapping[str, InputValue] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    timeout_s: float = 60.0
    retries: int = 0
    side_effect: SideEffect = SideEffect.NONE

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Every step that must be done before this one, without doubles, in the order they are named."""
        named = (ref.step for value in self.inputs.values() for ref in references(value) if isinstance(ref, Ref))
        return tuple(dict.fromkeys((*self.needs, *named)))

    def to_json(self) -> dict[str, object]:
        """Return the step as JSON data; `needs` holds all dependencies."""
        return {
            "id": self.id,
            "kind": self.kind,
            "inputs": {name: format_value(value) for name, value in self.inputs.items()},
            "needs": list(self.dependencies),
            "timeout_s": self.timeout_s,
            "retries": self.retries,
            "side_effect": self.side_effect.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done for one request.

    Attributes:
        goal: The request in words.
        recipe: Name of the recipe it was made from.
        steps: In the order of the recipe; `order` gives the order of running.
    """

    goal: str
    recipe: str
    steps: tuple[Step, ...]

    def step(self, step_id: str) -> Step:
        """Return the step with this id.

        Raises:
            PlanError: There is none.
        """
        for step in self.steps:
            if step.id == step_id:
                return step
        raise PlanError(f"the plan has no step {step_id!r}")

    def sorter(self) -> TopologicalSorter[str]:
        """Return a prepared sorter over the steps' ids.

        Raises:
            PlanError: Steps need each other in a circle; the message names them.
        """
        sorter = TopologicalSorter({step.id: step.dependencies for step in self.steps})
        try:
            sorter.prepare()
        except CycleError as exc:
            circle = [str(name) for name in exc.args[1]]
            named = " -> ".join(repr(name) for name in reversed(circle))
            raise PlanError(f"steps need each other in a circle: {named}", hint="remove one of these needs") from exc
        return sorter

    def order(self) -> tuple[str, ...]:
        """Return the steps' ids in an order that respects every need."""
        sorter, ordered = self.sorter(), list[str]()
        while sorter.is_active():
            ready = sorter.get_ready()
            ordered.extend(ready)
            sorter.done(*ready)
        return tuple(ordered)

    def to_json(self) -> dict[str, object]:
        """Return the plan as JSON data: `{goal, recipe, steps[]}`."""
        return {"goal": self.goal, "recipe": self.recipe, "steps": [step.to_json() for step in self.steps]}


def validate(plan: Plan, kinds: Mapping[str, StepKind], *, parameters: frozenset[str] = frozenset()) -> None:
    """Check that the plan can run.

    Args:
        plan: The plan, or the unbound steps of a recipe.
        kinds: The kinds of steps that exist.
        parameters: Names that `$name` may stand for; none in a bound plan.

    Raises:
        PlanError: The message names the step and the reason.
    """
    if not plan.steps:
        raise PlanError("the plan has no steps")
    seen: set[str] = set()
    for step in plan.steps:
        if step.id in seen:
            raise PlanError(f"step {step.id!r}: another step has the same id")
        seen.add(step.id)
    by_id = {step.id: step for step in plan.steps}
    for step in plan.steps:
        _check_kind(step, kinds)
        _check_needs(step, by_id)
        _check_references(step, by_id, kinds, parameters)
    plan.sorter()


def _check_kind(step: Step, kinds: Mapping[str, StepKind]) -> None:
    kind = kinds.get(step.kind)
    if kind is None:
        raise PlanError(
            f"step {step.id!r}: unknown kind {step.kind!r}", hint=f"known kinds: {', '.join(sorted(kinds))}"
        )
    known = kind.required | kind.optional
    for name in step.inputs:
        if name not in known:
            raise PlanError(
                f"step {step.id!r}: a {step.kind} step has no input {name!r}",
                hint=f"it takes {', '.join(sorted(known))}",
            )
    for name in sorted(kind.required - step.inputs.keys()):
        raise PlanError(f"step {step.id!r}: a {step.kind} step needs the input {name!r}")


def _check_needs(step: Step, by_id: Mapping[str, Step]) -> None:
    for name in step.needs:
        if name not in by_id:
            raise PlanError(f"step {step.id!r}: it needs {name!r}, which is no step", hint=_steps(by_id))


def _check_references(
    step: Step, by_id: Mapping[str, Step], kinds: Mapping[str, StepKind], parameters: frozenset[str]
) -> None:
    for name, value in step.inputs.items():
        for reference in references(value):
            if isinstance(reference, Param):
                if reference.name not in parameters:
                    known = ", ".join(sorted(parameters)) or "none"
                    raise PlanError(
                        f"step {step.id!r}: input {name!r} uses the unknown parameter {reference.name!r}",
                        hint=f"parameters: {known}",
                    )
                continue
            _check_fixed(step, name, reference, kinds)
            target = by_id.get(reference.step)
            if target is None:
                raise PlanError(
                    f"step {step.id!r}: input {name!r} refers to {reference.step!r}, which is no step",
                    hint=_steps(by_id),
                )
            kind = kinds.get(target.kind)
            if kind is not None and reference.output not in kind.outputs:
                raise PlanError(
                    f"step {step.id!r}: input {name!r} refers to {reference.output!r}, which {reference.step!r}"
                    f" does not give",
                    hint=f"a {target.kind} step gives {', '.join(sorted(kind.outputs))}",
                )


def _check_fixed(step: Step, name: str, reference: Ref, kinds: Mapping[str, StepKind]) -> None:
    if name in kinds[step.kind].fixed:
        raise PlanError(
            f"step {step.id!r}: input {name!r} comes from {reference.step!r}, but what a {step.kind} step does must not"
            " depend on what others wrote",
            hint=f"give {name!r} as a parameter or a literal",
        )


def _steps(by_id: Mapping[str, Step]) -> str:
    return f"steps: {', '.join(by_id)}"
