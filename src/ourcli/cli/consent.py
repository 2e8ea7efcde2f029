"""Ask a person before a tool gets a right it lacks, or changes something: what, why, whose it is, for how long."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.ports_tools import Tools
from ourcli.common.errors import ApprovalNeededError, CancelledByUserError, CapabilityDeniedError

if TYPE_CHECKING:
    from ourcli.app.desks.rights import Request
    from ourcli.app.desks.tools import Calling, ToolEntry
    from ourcli.common.events import EventSink
    from ourcli.tools.capabilities import Capability
    from ourcli.tools.data import JsonObject
    from ourcli.tools.grants import Difference
    from ourcli.tools.ports import ToolResult

_Result = TypeVar("_Result")
_CHOICES = {"o": "once", "s": "session", "a": "always", "n": "no"}
_WORDS = {
    "fs:read": "read {} and all that lies below it",
    "fs:write": "read, change and remove {} and all that lies below it",
    "env": "read the environment variable {}",
    "net": "exchange data with {} over the network",
    "memory:read": "read what is remembered",
    "memory:write": "add to what is remembered",
    "clock": "know the time",
    "exec": "run programs with all your rights",
    "use": "be used at all",
}


class Consent:
    """Calls one tool for a person, who is asked where something is to be decided.

    Args:
        invocation: The terminal.
        tools: All tools.
        session: The conversation that the call belongs to, or "".
    """

    def __init__(self, invocation: Invocation, tools: Tools, session: str) -> None:
        self._invocation, self._tools, self._session = invocation, tools, session
        self._once: frozenset[Capability] = frozenset()
        self._asked: set[str] = set()

    async def call(self, name: str, value: "JsonObject", listen: "EventSink") -> "ToolResult":
        """Have the tool granted what it lacks, show what it would change, and call it.

        Raises:
            CapabilityDeniedError: It lacks a right, and nobody is here or the person said no; nothing was run.
            ApprovalNeededError: It changes something, and nobody is here to allow it.
            CancelledByUserError: The person said no to that.
        """
        from ourcli.tools.capabilities import missing  # deferred: only a call needs it

        entry = await self._tools.show(name, self._session)
        lacking = missing(entry.spec.capabilities, entry.granted)
        if lacking and self._invocation.interactive:
            await self._obtain(name, ())
        if not lacking or self._invocation.interactive:
            await self._agree(entry, name, value)
        return await self._retried(name, lambda: self._tools.call(name, value, listen, self._calling()))

    def _calling(self) -> "Calling":
        from ourcli.app.desks.tools import Calling  # deferred: loads the rooms

        return Calling(session=self._session, once=self._once)

    async def _retried(self, name: str, action: Callable[[], Awaitable[_Result]]) -> _Result:
        """Await an action, and again whenever it was denied a right that the person then grants."""
        from ourcli.tools.capabilities import parse  # deferred: only a call needs it

        while True:
            try:
                return await action()
            except CapabilityDeniedError as denied:
                if not denied.capability or denied.capability in self._asked or not self._invocation.interactive:
                    raise
                self._asked.add(denied.capability)
                await self._obtain(name, (parse(denied.capability),))

    async def _obtain(self, name: str, more: "Sequence[Capability]") -> None:
        from ourcli.app.desks.rights import Terms  # deferred: loads the rooms
        from ourcli.tools.grants import Until, how_to_grant  # deferred: the same

        request = await self._tools.request(name, more, self._session)
        show_request(self._invocation, request)
        chosen = self._choice()
        if chosen == "no":
            names = ", ".join(str(one) for one in request.lacking)
            raise CapabilityDeniedError(
                f"{names} was not granted to {name!r}; nothing was run",
                capability=str(request.lacking[0]),
                hint=f"`{how_to_grant(request.spec.origin, request.lacking)}` grants it later",
            )
        if chosen == "once":
            self._once |= frozenset(request.lacking)
        else:
            await self._tools.grant(name, request.lacking, Terms(until=Until(chosen), session=self._session))

    def _choice(self) -> str:
        keys = click.Choice([*_CHOICES, *_CHOICES.values()], case_sensitive=False)
        text = "Grant it? [o]nce, for this [s]ession, [a]lways, [n]o"
        answer = str(click.prompt(text, default="n", type=keys, show_choices=False, err=True))
        return _CHOICES.get(answer, answer)

    async def _agree(self, entry: "ToolEntry", name: str, value: "JsonObject") -> None:
        """Have the person agree to a change, after showing it where the tool can tell."""
        spec = entry.spec
        if spec.side_effects == "none":
            return
        if not self._invocation.interactive:
            raise ApprovalNeededError(f"the tool {spec.name!r} changes something, and nobody is here to allow it")
        preview = await self._retried(name, lambda: self._tools.preview(name, value, self._calling()))
        _tell_lines(self._invocation, preview.split("\n") if preview else [])
        if not click.confirm(f"{spec.name} changes something ({spec.side_effects}). Run it?", default=False, err=True):
            raise CancelledByUserError(f"{spec.name!r} was not run")


def show_request(invocation: Invocation, request: "Request") -> None:
    """Tell what a tool lacks, why it says it needs it, whose it is, and what changed since it was granted something."""
    from ourcli.tools.logtext import harmless  # deferred: only a question needs it

    tell, spec = invocation.diagnostics.question, request.spec
    tell(f"{spec.name} asks for what it was not granted:")
    for right in request.lacking:
        tell(f"  {right}: {_WORDS[right.kind].format(harmless(right.value))}")
    if request.why_asked:
        tell(f"it has to be agreed to first: {harmless(request.why_asked)}")
    tell(f"what it says of itself: {harmless(spec.description)!r}")
    tell(f"it is of {spec.origin} in {harmless(spec.origin.place)!r}, sha256 {spec.origin.sha256 or 'none: built in'}")
    if request.changed is not None and request.since is not None:
        tell(f"it is another version than the one that was granted something at {request.since:%Y-%m-%d %H:%M} UTC:")
        _show_difference(invocation, request.changed)


def _show_difference(invocation: Invocation, changed: "Difference") -> None:
    for right in changed.added:
        invocation.diagnostics.question(f"  it requests {right} now")
    for right in changed.removed:
        invocation.diagnostics.question(f"  it does not request {right} any more")
    _tell_lines(invocation, changed.lines)


def _tell_lines(invocation: Invocation, lines: Sequence[str]) -> None:
    from ourcli.tools.logtext import harmless  # deferred: only a question needs it

    for line in lines:
        invocation.diagnostics.question(f"  {harmless(line)}")
