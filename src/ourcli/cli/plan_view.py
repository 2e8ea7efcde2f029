"""Show a plan."""

from collections.abc import Iterable, Mapping

from ourcli.cli.invocation import Invocation


def show_plan(invocation: Invocation, plan: Mapping[str, object]) -> None:
    """Write a plan: as `{"plan": ...}`, or its goal and a row a step."""
    output = invocation.output
    if invocation.json:
        output.document({"plan": plan})
        return
    output.text(f"goal: {plan['goal']}")
    steps = plan["steps"]
    rows = [_row(step) for step in steps if isinstance(step, Mapping)] if isinstance(steps, Iterable) else []
    output.table(("step", "kind", "needs"), rows)


def _row(step: Mapping[str, object]) -> tuple[str, str, str]:
    needs = step.get("needs")
    return (
        str(step.get("id", "")),
        str(step.get("kind", "")),
        ", ".join(map(str, needs)) if isinstance(needs, list | tuple) else "",
    )
