"""`ourcli memory policy`: the rules, what is wrong with them, what they would do, and doing it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation
from ourcli.cli.ledger_view import SHORT_DIGEST, actions_data, show_actions
from ourcli.cli.options import common_options
from ourcli.cli.parameters import MomentType
from ourcli.cli.ports import Facade
from ourcli.cli.progress import ProgressBars

if TYPE_CHECKING:
    from ourcli.app.memory.moves import ShownRule
    from ourcli.memory.lifecycle.outcome import Applied

_HERE = "ourcli.cli.commands.memory_policy"
_AT_HELP = "As if it were then: ISO date or time (UTC), +25h, +100d, or 2d ago. Default: now."

COMMANDS: dict[str, LazyCommand] = {
    "show": LazyCommand(f"{_HERE}:show", "Show the rules in force."),
    "check": LazyCommand(f"{_HERE}:check", "Look for rules that never fire, fight or loop."),
    "simulate": LazyCommand(f"{_HERE}:simulate", "Show what the rules would do, and change nothing."),
    "apply": LazyCommand(f"{_HERE}:apply", "Do what the rules ask for."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
@common_options()
def policy() -> None:
    """Show, check, try and apply the rules that move records between layers.

    The rules are data: `memory.rules` of the configuration, or the shipped ones. Every effect stands in the
    ledger (`memory history`) and can be taken back (`memory undo`).
    """


@click.command()
@common_options()
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show the rules in force, the way they are written in the configuration."""
    from ourcli.cli.run import run  # deferred: asyncio

    rules = run(invocation, lambda service: service.lifecycle.rules())
    if invocation.json:
        invocation.output.document({"rules": [_rule_data(rule) for rule in rules]})
        return
    for place, rule in enumerate(rules):
        origin = "shipped" if rule.shipped else "yours"
        invocation.output.text(
            ("\n" if place else "")
            + f"# {origin}, version {rule.version[:SHORT_DIGEST]}\n[[memory.rules]]\n"
            + as_toml(rule.table)
        )


def _rule_data(rule: "ShownRule") -> dict[str, object]:
    return {
        "name": rule.name,
        "version": rule.version,
        "shipped": rule.shipped,
        "rule": rule.table,
    }


def as_toml(table: Mapping[str, object]) -> str:
    """Return plain data as the lines of a TOML table; tables inside it stand on one line."""
    return "\n".join(f"{name} = {_toml(value)}" for name, value in table.items())


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans look the same in TOML


@click.command()
@common_options()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Look for rules that can never fire, fight or loop. Ends with 2 when there are any."""
    from ourcli.cli.run import run  # deferred: asyncio

    problems = run(invocation, lambda service: service.lifecycle.problems())
    if invocation.json:
        invocation.output.document({"problems": problems})
    for problem in problems if not invocation.json else ():
        invocation.output.text(f"{problem.fault.value}: {problem.reason}")
    if problems:
        raise click.exceptions.Exit(2)
    invocation.diagnostics.notice("the rules are valid; each can fire, none fight, none loop")


@click.command()
@click.option("--at", metavar="WHEN", type=MomentType(ahead=True), help=_AT_HELP)
@common_options()
@click.pass_obj
def simulate(invocation: Invocation, *, at: datetime | None) -> None:
    """Show what the rules would do to your memory, and change nothing."""
    from ourcli.cli.run import run  # deferred: asyncio

    actions = run(invocation, lambda service: service.lifecycle.simulate(at))
    if invocation.json:
        invocation.output.document({"actions": actions_data(actions)})
    elif actions:
        show_actions(invocation, actions)
    else:
        invocation.diagnostics.notice("the rules ask for nothing")


@click.command()
@click.option("--at", metavar="WHEN", type=MomentType(ahead=True), help=_AT_HELP)
@common_options()
@click.pass_obj
def apply(invocation: Invocation, *, at: datetime | None) -> None:
    """Do what the rules ask for. Every effect can be taken back with `memory undo`."""
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> "Applied":
        with ProgressBars(invocation.diagnostics) as bars:
            return await service.lifecycle.apply(at, bars)

    tell_applied(invocation, run(invocation, work), nothing="the rules ask for nothing")


def tell_applied(invocation: Invocation, applied: "Applied", *, nothing: str) -> None:
    """Say what was done, what waits and what was left; `nothing` where there was nothing to do."""
    for line in applied.skipped:
        invocation.diagnostics.warning(line)
    if invocation.json:
        invocation.output.document(
            {
                "actions": actions_data(applied.actions),
                "ledger_ids": [entry.id for entry in applied.entries],
                "waiting": applied.waiting,
                "skipped": applied.skipped,
            }
        )
        return
    if applied.actions:
        show_actions(invocation, applied.actions)
    if applied.entries:
        invocation.diagnostics.notice(
            f"{len(applied.entries)} moves, in the ledger; `ourcli memory history` shows them"
        )
    if applied.waiting:
        invocation.diagnostics.notice(f"{applied.waiting} wait for you: `ourcli memory inbox list`")
    if not (applied.entries or applied.waiting):
        invocation.diagnostics.notice("nothing was moved" if applied.skipped else nothing)
