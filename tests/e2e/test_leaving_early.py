"""Readers that leave and people who press Ctrl-C, with the real parts behind the command line."""

import signal
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import NewRecord
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.process import TIMEOUT_S, CommandLine

pytestmark = pytest.mark.anyio
ENDLESS = ("ask", "Tell me a very long story about a bee and a wasp.", "--max-tokens", "3000")


@promise("cli.output.broken-pipe")
async def test_an_answer_that_is_piped_into_head_ends_quietly(ourcli: CommandLine, tiny: Path) -> None:
    with ourcli.start(*ENDLESS, "--model", str(tiny)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        code = process.wait(timeout=TIMEOUT_S)

    assert code == 0
    assert "Traceback" not in told
    assert "error" not in told


@promise("cli.output.broken-pipe")
async def test_a_list_that_is_piped_into_head_ends_quietly(ourcli: CommandLine) -> None:
    vector = (1.0, *[0.0] * 383)
    async with open_service() as service:
        await service.add([NewRecord(text=f"fact {place} " * 40, embedding=vector) for place in range(300)])

    with ourcli.start("memory", "list", "--json", "--limit", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        told = process.stderr.read()
        code = process.wait(timeout=TIMEOUT_S)

    assert (code, told) == (0, "")


@promise("cli.ask.interrupted")
async def test_ctrl_c_ends_an_answer_of_the_real_model_and_breaks_nothing(ourcli: CommandLine) -> None:
    with ourcli.start(*ENDLESS) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.read(3)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 130
    assert "interrupted\n" in told
    assert "Traceback" not in told
    async with open_service() as service:
        assert await service.records(Filter(), None) == []
        await service.add([NewRecord(text="and it goes on")])
