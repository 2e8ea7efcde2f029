"""Step handlers whose behaviour a test writes down."""

from collections.abc import Mapping, Sequence

import anyio
import anyio.lowlevel

from ourcli.core.kinds import StepKind
from ourcli.core.ports import StepContext

ANY_KIND = StepKind(
    purpose="does what a test says", required=frozenset(), optional=frozenset("abcdef"), outputs=frozenset({"out"})
)
"""A kind of step with inputs `a` to `f`, all optional, and the output `out`."""


class ScriptedStep:
    """A handler that notes each call and gives, or raises, what its script says.

    Args:
        script: One entry a call: outputs to give, or an error to raise; the last one repeats.
        gate: Waited for before each call ends, when given.
    """

    def __init__(
        self,
        script: Sequence[Mapping[str, object] | Exception] = ({"out": "done"},),
        *,
        gate: anyio.Event | None = None,
    ) -> None:
        self._script = list(script)
        self._gate = gate
        self.calls: list[tuple[str, Mapping[str, object]]] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.most_at_once = 0
        self._running = 0

    async def __call__(self, inputs: Mapping[str, object], context: StepContext, /) -> Mapping[str, object]:
        """Note the call and follow the script."""
        self.calls.append((context.step.id, inputs))
        self._running += 1
        self.most_at_once = max(self.most_at_once, self._running)
        try:
            await (self._gate.wait() if self._gate is not None else anyio.lowlevel.checkpoint())
        except anyio.get_cancelled_exc_class():
            self.cancelled.append(context.step.id)
            raise
        finally:
            self._running -= 1
        outcome = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(outcome, Exception):
            raise outcome
        self.ended.append(context.step.id)
        return outcome
