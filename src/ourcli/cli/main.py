"""The root command: the table of commands, the common options, the way out."""

import io
import os
import sys
from typing import NoReturn

import click

from ourcli import __version__
from ourcli.cli.groups import LazyCommand, LazyGroup
from ourcli.cli.invocation import Invocation, OpenService
from ourcli.cli.options import common_options
from ourcli.cli.output import ReaderGoneError
from ourcli.cli.session import open_service

_AT = "ourcli.cli.commands"
_COMPLETE = "_OURCLI_COMPLETE"

COMMANDS: dict[str, LazyCommand] = {
    "setup": LazyCommand(f"{_AT}.setup:setup", "Fetch and verify the models that fit this machine."),
    "ask": LazyCommand(f"{_AT}.ask:ask", "Answer a question from memory with a local model."),
    "chat": LazyCommand(f"{_AT}.chat:chat", "Ask in a conversation."),
    "plan": LazyCommand(f"{_AT}.plan:plan", "Make the plan for a request and run nothing."),
    "recipes": LazyCommand(f"{_AT}.recipes:recipes", "List, show and start recipes: plans as files."),
    "memory": LazyCommand(f"{_AT}.memory:memory", "Store, search and manage what is remembered."),
    "ingest": LazyCommand(f"{_AT}.ingest:ingest", "Read files into memory."),
    "models": LazyCommand(f"{_AT}.models:models", "List, fetch, check and choose models."),
    "tools": LazyCommand(f"{_AT}.tools:tools", "List, show and call tools, and say what they may do."),
    "plugins": LazyCommand(f"{_AT}.plugins:plugins", "List, add, check and remove plugins."),
    "mcp": LazyCommand(f"{_AT}.mcp:mcp", "Be an MCP server, and use MCP servers."),
    "undo": LazyCommand(f"{_AT}.undo:undo", "Take back the last change that a tool made to a file."),
    "events": LazyCommand(f"{_AT}.events:events", "Show what happened."),
    "bench": LazyCommand(f"{_AT}.bench:bench", "Measure this installation on given data."),
    "doctor": LazyCommand(f"{_AT}.doctor:doctor", "Look for what is wrong, and mend it."),
    "config": LazyCommand(f"{_AT}.config:config", "Show, set and check settings."),
    "trust": LazyCommand(f"{_AT}.trust:trust", "Trust a project's own files."),
    "init": LazyCommand(f"{_AT}.init:init", "Start a project here."),
    "completion": LazyCommand(f"{_AT}.completion:completion", "Print the completion script of a shell."),
}


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@common_options()
def root() -> None:
    """A local-first AI agent that remembers and explains itself.

    Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 needs an approval, 4 denied, 5 model missing or
    broken, 6 network needed but off, 7 budget spent, 130 interrupted.
    """


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    finish(sys.argv[1:])


def finish(arguments: list[str], opener: OpenService | None = None) -> NoReturn:
    """Run one command line as this process's job: set up its streams, run, leave with the exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if stream is sys.stdin else "backslashreplace")
    code = execute(arguments, opener)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def execute(arguments: list[str], opener: OpenService | None = None) -> int:
    """Run one command line and return its exit code.

    Args:
        arguments: The words after the program's name.
        opener: Opens the facade; None for the real one.
    """
    invocation = Invocation(opener or open_service)
    try:
        if _COMPLETE in os.environ:
            return _offer_completions(os.environ[_COMPLETE])
        with root.make_context("ourcli", list(arguments), obj=invocation) as context:
            root.invoke(context)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except BaseException as failure:  # noqa: BLE001  # the process boundary: everything becomes an exit code
        return _end(failure, invocation, wants_json=invocation.json or "--json" in arguments)
    return 0


def _offer_completions(instruction: str) -> int:
    """Answer the completion script of a shell, which says in the environment what it wants to know."""
    from click.shell_completion import shell_complete  # deferred: only completion needs it

    return shell_complete(root, {}, "ourcli", _COMPLETE, instruction)


def _end(failure: BaseException, invocation: Invocation, *, wants_json: bool) -> int:
    if isinstance(failure, ReaderGoneError | BrokenPipeError):
        return 0
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        invocation.diagnostics.notice(failure.format_message())
        return failure.exit_code
    return invocation.diagnostics.report(failure, invocation.output if wants_json else None)
