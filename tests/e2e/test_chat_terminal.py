"""`chat` on a real terminal with a real model."""

import os
import signal
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.process import CommandLine
from tests.support.terminal import on_a_terminal


@pytest.mark.anyio
@promise("cli.chat.real-model")
async def test_a_conversation_with_a_model_on_a_terminal(ourcli: CommandLine, smollm: Path) -> None:
    words = ourcli.words("chat")
    with on_a_terminal(words, folder=ourcli.folder, environment=ourcli.variables()) as terminal:
        terminal.wait_for("›")
        terminal.type("Tell me a very long story about a bee.\r")
        terminal.wait_for("Memory holds nothing")
        terminal.wait_for("\n")
        os.kill(terminal.process.pid, signal.SIGINT)
        terminal.wait_for("stopped")
        terminal.wait_for("›")
        terminal.type("remember that the bee is called Maja\r")
        terminal.wait_for("Noted in insights")
        terminal.wait_for("›")
        terminal.type("/help\r")
        terminal.wait_for("/decide TEXT")
        terminal.wait_for("›")
        terminal.type("\x04")
        code = terminal.wait_for_the_end()

    assert code == 0
    async with open_service() as service:
        assert [record.text for record in await service.records(Filter(), None)] == ["the bee is called Maja"]
