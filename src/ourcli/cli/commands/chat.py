"""`ourcli chat`: ask in a conversation."""

import click

from ourcli.app.requests import AskRequest
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import UsageError


@click.command()
@click.option("-c", "--continue", "continue_last", is_flag=True, help="Continue the project's last session.")
@click.option("--session", metavar="S", help="Continue this session.")
@click.option("--model", metavar="M", help="A registry name or the path of a .gguf file.")
@common_options(json=False)
@click.pass_obj
def chat(invocation: Invocation, *, continue_last: bool, session: str | None, model: str | None) -> None:
    """Ask in a conversation.

    /help lists the commands. Ctrl-C stops an answer, Ctrl-D leaves. Lines can be piped in; these lead
    to no tool.
    """
    from ourcli.cli.chat_loop import start  # deferred: asyncio
    from ourcli.cli.run import run_with

    if continue_last and session:
        raise UsageError("-c and --session exclude each other", hint="give one of them")
    request = AskRequest(text="", project=invocation.project, session=session, continue_last=continue_last, model=model)
    run_with(invocation, lambda service, interrupts: start(invocation, service, interrupts, request))
