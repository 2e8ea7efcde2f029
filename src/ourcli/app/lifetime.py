"""Open the facade, and close everything behind it again."""

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import anyio

from ourcli.app.configuration import load_checked, working_folder
from ourcli.app.service import Service
from ourcli.app.wiring import Rooms
from ourcli.common.clock import SystemClock
from ourcli.common.net import Gate
from ourcli.config.flags import network_allowed, parse_log_spec
from ourcli.config.load import NO_OVERRIDES, Overrides
from ourcli.config.locations import Home
from ourcli.core.bus import Bus, Subscription
from ourcli.observability.backends.jsonl import JsonLines
from ourcli.observability.backends.logs import log_to
from ourcli.observability.events_log import EventLog

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_service(
    overrides: Overrides = NO_OVERRIDES, *, warn: Callable[[str], None] = _log.warning
) -> AsyncIterator[Service]:
    """Open the facade with the settings that hold here and now.

    Args:
        overrides: What flags gave.
        warn: Told what of the configuration was ignored, and when a log cannot be written.

    Raises:
        ConfigError: Configuration cannot be read or is not valid.
    """
    environment = dict(os.environ)
    home = Home.from_environment(environment)
    loaded = load_checked(home, environment, working_folder(), overrides)
    for warning in loaded.warnings:
        warn(warning)
    bus = Bus()
    log = EventLog(JsonLines(home.events), warn=warn)
    spec = parse_log_spec(environment.get("OURCLI_LOG", ""))
    async with AsyncExitStack() as stack:
        stack.enter_context(_private_files())
        stack.enter_context(log_to(JsonLines(home.diagnostics), spec, warn=warn))
        gate = Gate(network_allowed(environment))
        rooms = Rooms(home=home, loaded=loaded, gate=gate, clock=SystemClock(), bus=bus, stack=stack)
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_pump, bus.subscribe(), log)
                try:
                    yield Service(rooms, log)
                finally:
                    bus.close()
        except BaseExceptionGroup as group:
            failure = _bare(group)
        if failure is not None:
            raise failure  # outside of the handler, or it would lose its own context


@contextmanager
def _private_files() -> Iterator[None]:
    """Make files for their owner only while the context lasts, also those of native libraries."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _bare(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error of a task group, so that callers can catch it by its name; several stay a group."""
    return group.exceptions[0] if len(group.exceptions) == 1 else group


async def _pump(events: Subscription, log: EventLog) -> None:
    """Write every event of the bus down, until it is closed and read to its end."""
    with anyio.CancelScope(shield=True):
        async for event in events:
            log.emit(event)
