"""One request of a client while it is answered: progress and log lines go back on its own stream."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import anyio
from mcp.server.connection import allowed_log_levels
from mcp.types import LoggingLevel, LoggingMessageNotification, LoggingMessageNotificationParams

from ourcli.common.errors import OurcliError
from ourcli.common.events import EventSink, ProgressMade, ToolLogged
from ourcli.core.bus import Bus, Subscription
from ourcli.tools.logtext import harmless

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

_Result = TypeVar("_Result")
_SESSION = "mcp-session-id"
_MOST_SESSIONS: Final = 256
_WAITING: Final = 64
"""Events that wait for a slow client; older ones are dropped."""
_LEVELS: Final[tuple[LoggingLevel, ...]] = get_args(LoggingLevel)


class LogLevels:
    """From which level on each session wants log lines; the sessions used last are remembered."""

    def __init__(self) -> None:
        self._by_session: OrderedDict[str, LoggingLevel] = OrderedDict()

    def set(self, session: str, level: LoggingLevel) -> None:
        """Note what a session asked for."""
        self._by_session[session] = level
        self._by_session.move_to_end(session)
        while len(self._by_session) > _MOST_SESSIONS:
            self._by_session.popitem(last=False)

    def wants(self, session: str, level: LoggingLevel) -> bool:
        """Say whether a session wants a line; one that never asked wants all."""
        least = self._by_session.get(session)
        return least is None or _LEVELS.index(level) >= _LEVELS.index(least)


class Call:
    """What whoever answers a request can tell its client meanwhile.

    Args:
        context: The request as the SDK hands it over.
        levels: Which log lines sessions of the older revisions want.
    """

    def __init__(self, context: "ServerRequestContext[Any, Any]", levels: LogLevels) -> None:
        self.context = context
        self._levels = levels

    @property
    def session(self) -> str:
        """The session's id on HTTP with an older revision, else ""."""
        headers: Mapping[str, str] = getattr(self.context.request, "headers", {})
        return headers.get(_SESSION, "")

    async def progress(self, done: float, total: float | None, message: str) -> None:
        """Tell how far the work is; nothing is sent to a client that did not ask."""
        await self.context.session.report_progress(done, total, message)

    async def log(self, level: LoggingLevel, text: str) -> None:
        """Send a log line to a client that wants lines of this level."""
        allowed = allowed_log_levels(self.context.protocol_version, self.context.meta)
        if level not in allowed or not self._levels.wants(self.session, level):
            return
        params = LoggingMessageNotificationParams(level=level, data=text, logger="ourcli")
        related = self.context.request_id
        await self.context.session.send_notification(LoggingMessageNotification(params=params), related)

    async def listening(self, work: Callable[[EventSink], Awaitable[_Result]]) -> _Result:
        """Await `work` with a sink whose progress and log lines reach the client while it runs."""
        bus = Bus(_WAITING)
        results: list[_Result] = []
        failure: OurcliError | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._relay, bus.subscribe())
            try:
                results.append(await work(bus))
            except OurcliError as exc:
                failure = exc
            finally:
                bus.close()
        if failure is not None:
            raise failure  # outside of the task group, which would wrap it
        return results[0]

    async def _relay(self, events: Subscription) -> None:
        """Send progress that only grows, whatever tasks follow one another, and lines of log."""
        task, before, sent = "", 0, 0
        async for event in events:
            if isinstance(event, ToolLogged):
                await self.log("info", harmless(event.text))
            if not isinstance(event, ProgressMade):
                continue
            if event.task != task:
                task, before = event.task, sent
            done = before + event.done
            if done > sent:
                sent = done
                total = None if event.total is None else before + event.total
                await self.progress(done, total, f"{event.task}: {event.done} {event.unit}")
