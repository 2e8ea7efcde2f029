"""A worker process, seen from the host: start it, ask it, interrupt it, kill it.

Three pipes of one process are watched by callbacks of the event loop and a call waits for one future, because a task
a pipe would cost more than the whole call does (a warm call takes some 0.05 ms).
"""

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import anyio
from anyio import CancelScope, to_thread

from ourcli.common.errors import OurcliError, ToolCrashedError, ToolOutputError
from ourcli.tools.backends.wasm.conversation import Conversation, ending, too_slow
from ourcli.tools.backends.wasm.orders import (
    ANSWER,
    END_OF_INPUT,
    ENDED,
    FRESH,
    INTERRUPT,
    READY,
    Orders,
    Report,
    read_report,
    write_orders,
)
from ourcli.tools.backends.wasm.outgoing import Outgoing
from ourcli.tools.backends.wasm.spawn import Spawned
from ourcli.tools.ports import unheard
from ourcli.tools.protocol import Answer, Failure, Id, Question

START_S: Final = 30.0
GRACE_S: Final = 0.1
"""How long an interrupted guest has to end before its worker is killed."""
PARK_S: Final = 0.05
"""After so long without a question a worker is stopped, so that a guest cannot go on computing unasked."""
GLANCE_S: Final = 100e-6
"""So long an answer is waited for on the spot before the event loop is asked to tell: a warm guest answers within, and
the way through the loop alone takes longer than that."""
_MOST_SELECTED: Final = 1024
_CALLS_A_TURN: Final = 16
"""After so many calls that never waited, others get their turn."""
_READ: Final = 1 << 16
_MOST_REPORT: Final = 1 << 14
_STOP: Final = signal.SIGSTOP
_CONTINUE: Final = signal.SIGCONT


_NONE: Final[OurcliError | None] = None
Serving = Callable[[Question, Id], Awaitable[bytes]]
"""Returns the line that answers a guest's request to the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One question to a guest.

    Attributes:
        identifier: The id that the answer must carry.
        line: The question.
        timeout_s: After so long the guest is interrupted, and killed when it does not end.
        log: Takes lines of its log.
        serve: Answers what the guest asks of the host meanwhile; None does nothing for it.
    """

    identifier: Id
    line: bytes
    timeout_s: float
    log: Callable[[str], None] = unheard
    serve: Serving | None = None


class WorkerProcess:
    """A worker that runs one plugin; it is asked one question at a time.

    Args:
        spawned: The process and the host's ends of its pipes.
        orders: What it is told.
        most_bytes: What a guest may write in one call, on each stream.
        idle_s: After so long without a question it is killed.
    """

    def __init__(self, spawned: Spawned, orders: Orders, *, most_bytes: int, idle_s: float) -> None:
        self._process, self._pipes, self._idle_s = spawned.process, spawned.pipes, idle_s
        self._fresh = orders.task == FRESH
        self._loop = asyncio.get_running_loop()
        self._stdin = Outgoing(self._loop, self._pipes.stdin)
        self._orders = Outgoing(self._loop, self._pipes.orders)
        self._talk = Conversation(most_bytes, self._reply)
        self._waiting: asyncio.Future[None] | None = None
        self._reports = bytearray()
        self._timers: list[asyncio.TimerHandle] = []
        self._parking: asyncio.TimerHandle | None = None
        self._parked = self._expired = self._busy = False
        self._over, self._failure, self._ended_by = False, _NONE, _NONE
        self._more: asyncio.Event | None = None
        self._calls, self._asked_at = 0, 0.0
        self._timeout_s = START_S
        self.alive = True
        self.guards: tuple[str, ...] = ()
        self._unasked = select.poll()
        for descriptor in (self._pipes.stdout, self._pipes.reports):
            self._unasked.register(descriptor, select.POLLIN)
        self._loop.add_reader(self._pipes.stdout, self._on_stdout)
        self._loop.add_reader(self._pipes.stderr, self._on_stderr)
        self._loop.add_reader(self._pipes.reports, self._on_report)
        self._orders.write(write_orders(orders))

    @classmethod
    async def begin(cls, spawned: Spawned, orders: Orders, *, most_bytes: int, idle_s: float) -> "WorkerProcess":
        """Give a worker its orders, which takes it over, and wait until it can be asked.

        Raises:
            PluginError: The module cannot be run.
            ToolCrashedError: The worker died.
            ToolTimeoutError: It did not get ready.
        """
        worker = cls(spawned, orders, most_bytes=most_bytes, idle_s=idle_s)
        ready = False
        try:
            await worker._wait(START_S)
            ready = True
        finally:
            if not ready:
                await worker.aclose()
        return worker

    async def ask(self, question: Asking) -> Answer | Failure:
        """Put one question to the guest and return its answer; after an error the worker may be dead (`alive`).

        Raises:
            ToolError: It failed, in one of the ways that the error's kind names.
        """
        if not self.alive:  # it ended between two calls, by what it wrote or did unasked
            raise self._ended_by or ToolCrashedError("the tool's worker was killed")
        self._wake()
        try:
            self._talk.ask(question.identifier, question.log, served=question.serve is not None)
            self._over, self._failure = False, _NONE
            self._expired, self._timeout_s = False, question.timeout_s
            self._calls += 1
            self._stdin.write(question.line)
            if not self._at_once():
                await self._answered(question)
            elif self._calls % _CALLS_A_TURN == 0:
                await asyncio.sleep(0)
            answer = self._talk.answer
            if answer is None:
                raise ToolCrashedError("the tool ended and did not answer")
            return answer
        except ToolOutputError:
            self.kill()
            raise
        finally:
            self._talk.finish()
            self._park_later()

    def _at_once(self) -> bool:
        """Wait for the answer on the spot, for a moment only; say whether it came."""
        if self._fresh or self._pipes.stdout >= _MOST_SELECTED:
            return False
        if select.select([self._pipes.stdout], (), (), GLANCE_S)[0]:
            self._on_stdout()
        if self._failure is not None:
            raise self._failure
        return self._talk.answer is not None

    async def _answered(self, question: Asking) -> None:
        """Wait for the end of the call; what the guest asks of the host is answered meanwhile, one after the other."""
        ends_at = self._loop.time() + question.timeout_s
        if not self._talk.requests:
            await self._wait(question.timeout_s)
        if self._over or question.serve is None:
            return
        failure = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._serve, question.serve)
            try:
                await self._wait(ends_at - self._loop.time())
            except OurcliError as exc:
                failure = exc
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _serve(self, serve: Serving) -> None:
        self._more = asyncio.Event()
        try:
            while True:
                while self._talk.requests:
                    identifier, request = self._talk.requests.popleft()
                    self._reply(await serve(request, identifier))
                self._more.clear()
                await self._more.wait()
        finally:
            self._more = None

    def look(self) -> bool:
        """Read what came unasked, which may end it; say whether it is alive."""
        came = self._unasked.poll(0) if self.alive else ()
        if came:
            self._on_report()
        if came and self.alive:
            self._on_stdout()
        return self.alive

    async def _wait(self, timeout_s: float) -> None:
        """Wait until it is over or the guest asks something of the host; whoever cancels it gets the worker killed."""
        self._timers = [self._loop.call_later(timeout_s, self._expire)]
        try:
            if not self._over:
                self._waiting = self._loop.create_future()
                await self._waiting
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            for timer in self._timers:
                timer.cancel()
            self._waiting = None
        if self._failure is not None:
            raise self._failure

    def _end(self, failure: OurcliError | None = None, *, kill: bool = False) -> None:
        """End the call, with an error or without; what comes later does not change how it ended."""
        self._ended_by = self._ended_by or failure
        if not self._over:
            self._over, self._failure = True, failure
            self._go_on()
        if kill:
            self.kill()

    def _go_on(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # What the pipes bring

    def _on_stdout(self) -> None:
        more = True
        while more and self.alive:
            data = _read(self._pipes.stdout)
            if data == b"":
                self._loop.remove_reader(self._pipes.stdout)  # how it ended is what the report says
            if not data:
                return
            more = len(data) == _READ  # or the pipe is empty now, and need not be asked again
            try:
                self._talk.hear(data)
            except ToolOutputError as exc:
                self._end(exc, kill=True)
                return
            self._heard()

    def _heard(self) -> None:
        """See whether the guest answered, or wants something of the host."""
        if self._talk.answer is not None and self._fresh and self._talk.asked is not None:
            self._orders.write(END_OF_INPUT + b" %d\n" % self._calls)
        elif self._talk.answer is not None:
            self._end()
        elif self._talk.requests and self._more is not None:
            self._more.set()
        elif self._talk.requests:
            self._go_on()

    def _reply(self, line: bytes) -> None:
        """Write a line for the guest; a fresh instance's stdin is not the worker's."""
        if self._fresh:
            self._orders.write(ANSWER + b" %d " % self._calls + line)
        else:
            self._stdin.write(line)

    def _on_stderr(self) -> None:
        data = _read(self._pipes.stderr)
        try:
            if data:
                self._talk.hear_log(data)
        except ToolOutputError as exc:
            self._end(exc, kill=True)
        if data == b"":
            self._loop.remove_reader(self._pipes.stderr)

    def _on_report(self) -> None:
        data = _read(self._pipes.reports)
        if data == b"":
            self._on_stdout()
            died = too_slow(self._timeout_s) if self._expired else ToolCrashedError("the tool's worker was killed")
            self._end(died, kill=True)
        self._reports += data or b""
        while self.alive and b"\n" in self._reports:
            line, _, rest = self._reports.partition(b"\n")
            self._reports = rest
            try:
                self._take(read_report(bytes(line)))
            except (ValueError, TypeError):
                self._end(ToolCrashedError("the tool's worker reports what it cannot mean"), kill=True)
        if len(self._reports) > _MOST_REPORT:
            self._end(ToolCrashedError("the tool's worker reports too much"), kill=True)

    def _take(self, report: Report) -> None:
        if report.what == READY:
            self.guards = report.guards
            self._end()
            return
        self._on_stderr()
        self._on_stdout()  # what was written before the end is in the pipe already
        lives_on = self._fresh and report.what == ENDED and (not self._expired or report.why == "interrupt")
        answered = self._talk.answer is not None and report.why == "exit"
        failure = None if answered else ending(report, expired=self._expired, timeout_s=self._timeout_s)
        self._end(failure, kill=not lives_on)

    # Time

    def _expire(self) -> None:
        """Interrupt the guest, which stops a loop, and kill the worker soon, which stops everything."""
        self._expired = True
        self._orders.write(INTERRUPT)
        self._timers.append(self._loop.call_later(GRACE_S, self._give_up))

    def _give_up(self) -> None:
        self._end(too_slow(self._timeout_s), kill=True)

    def _park_later(self) -> None:
        """Have the worker stopped when nobody asks for a while; one timer looks, since a call is not worth one."""
        self._busy, self._asked_at = False, self._loop.time()
        if self.alive and self._parking is None:
            self._parking = self._loop.call_later(PARK_S, self._park)

    def _park(self) -> None:
        self._parking = None
        idle_s = self._loop.time() - self._asked_at
        if not self.alive or self._busy:
            return
        if idle_s < PARK_S:
            self._parking = self._loop.call_later(PARK_S - idle_s, self._park)
        else:
            self._process.send_signal(_STOP)
            self._parked = True
            self._parking = self._loop.call_later(self._idle_s, self.kill)

    def _wake(self) -> None:
        self._busy = True
        if self._parked:
            if self._parking is not None:
                self._parking.cancel()
                self._parking = None
            if self.alive:
                self._process.send_signal(_CONTINUE)
        self._parked = False

    # The end

    def kill(self) -> None:
        """Kill the process at once and let go of its pipes."""
        if not self.alive:
            return
        self.alive = False
        if self._parking is not None:
            self._parking.cancel()
        self._process.kill()
        for descriptor in (self._pipes.stdout, self._pipes.stderr, self._pipes.reports):
            self._loop.remove_reader(descriptor)
        self._stdin.close()
        self._orders.close()
        self._pipes.close()
        self._loop.call_later(GRACE_S, self._process.poll)  # so that nobody has to ask for it again
        self._end(ToolCrashedError("the tool's worker was killed"))

    async def aclose(self) -> None:
        """Kill the process and wait until it is gone."""
        self.kill()
        with CancelScope(shield=True):
            await to_thread.run_sync(self._process.wait)


def _read(descriptor: int) -> bytes | None:
    """Return what can be read now; b"" at the end, None when there is nothing yet."""
    try:
        return os.read(descriptor, _READ)
    except BlockingIOError:
        return None
