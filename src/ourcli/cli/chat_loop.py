"""The loop of a conversation: read, answer, until the end."""

from dataclasses import replace

from ourcli.app.requests import AskRequest
from ourcli.cli.chat_input import ReadLine, keyboard_lines, piped_lines
from ourcli.cli.chat_session import ChatSession
from ourcli.cli.diagnostics import Diagnostics
from ourcli.cli.interrupts import Interrupts
from ourcli.cli.invocation import Invocation
from ourcli.cli.ports import Facade
from ourcli.common.errors import CancelledByUserError, OurcliError
from ourcli.config.locations import Home


async def start(invocation: Invocation, service: Facade, interrupts: Interrupts, request: AskRequest) -> None:
    """Hold a conversation at the terminal, or with the lines that are piped in."""
    request = replace(request, use_tools=not invocation.stdin_is_piped)  # a piped line may be a stranger's
    session = ChatSession(service, invocation.output, invocation.diagnostics, request)
    person = invocation.interactive and invocation.output.terminal
    if person:
        invocation.diagnostics.notice("/help lists the commands, Ctrl-D leaves")
        read = keyboard_lines(Home.from_environment().chat_history)
    else:
        read = piped_lines(invocation.stdin)
    await converse(session, read, interrupts, invocation.diagnostics, person=person)


async def converse(
    session: ChatSession, read: ReadLine, interrupts: Interrupts, diagnostics: Diagnostics, *, person: bool
) -> None:
    """Answer line after line.

    A person is told what failed and goes on; a pipe ends with the failure, so that scripts notice.
    """
    going = True
    while going and (line := await read()) is not None:
        try:
            with interrupts.stoppable():
                going = await session.take(line)
        except CancelledByUserError:
            diagnostics.notice("stopped")
        except OurcliError as failure:
            if not person:
                raise
            diagnostics.error(failure.message, failure.hint)
