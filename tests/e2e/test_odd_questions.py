"""Questions as nobody means them: empty, huge, or of odd characters."""

import pytest

from ourcli.app.lifetime import open_service
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.process import CommandLine


@promise("cli.ask.odd-questions")
@pytest.mark.parametrize("words", [[], [""], [" \t\n"], ["", "--json"]])
def test_an_empty_question_is_a_usage_error(ourcli: CommandLine, words: list[str]) -> None:
    asked = ourcli.run("ask", *words)

    assert asked.code == 2
    assert "the question is empty" in asked.err


@promise("cli.ask.huge-question")
@pytest.mark.anyio
async def test_a_question_of_a_megabyte_is_refused_and_breaks_nothing(ourcli: CommandLine) -> None:
    asked = ourcli.run("ask", "--json", stdin="why do bees dance? " * 55_000)

    assert asked.code == 1
    error = asked.document["error"]
    assert error["kind"] == "invalid_input"
    assert "question" in error["message"]
    assert error["hint"]
    assert len(asked.err) < 1000
    async with open_service() as service:
        assert await service.records(Filter(), None) == []


@promise("cli.ask.odd-questions")
@pytest.mark.anyio
async def test_odd_characters_reach_memory_as_they_were_typed(ourcli: CommandLine) -> None:
    shell = """it's "quoted" and `ticked` $HOME $(id) \\n 'x' -- ; rm"""
    odd = f"🐝 how do 👩‍👩‍👧 bees navigate? كيف يتنقل النحل؟ \u202e?etagivan seeb od woh {shell}"

    asked = ourcli.run("ask", "--max-tokens", "2", "--json", "--", odd)

    assert asked.code == 0
    async with open_service() as service:
        assert [one.text for one in await service.records(Filter(kind="question"), None)] == [odd]


@promise("cli.ask.odd-questions")
def test_bytes_that_are_no_text_are_asked_all_the_same(ourcli: CommandLine) -> None:
    asked = ourcli.run("ask", "--max-tokens", "2", "--json", b"how \xff\xfe do bees \xed\xa0\x80 navigate?")

    assert (asked.code, asked.document["mode"]) == (0, "generated")


@promise("cli.ask.odd-questions")
def test_a_question_from_a_pipe_may_hold_zero_bytes(ourcli: CommandLine) -> None:
    asked = ourcli.run("ask", "--max-tokens", "2", "--json", stdin=b"how\0 do bees\x1b[31m navigate?")

    assert (asked.code, asked.document["mode"]) == (0, "generated")
