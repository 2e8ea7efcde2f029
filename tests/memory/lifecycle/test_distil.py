"""Shorter records, written by a model that is checked, or by taking sentences."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image
from ourcli.memory.lifecycle.distil import SUMMARY_CHARS, Distiller
from ourcli.memory.lifecycle.faithful import invented
from ourcli.memory.policy.loops import SUMMARY_KIND
from ourcli.memory.record import Trust
from ourcli.memory.vectors import Matrix, Vector
from tests.promises import promise
from tests.support.records import NOON, a_record, axis

pytestmark = pytest.mark.anyio

CHAT = "Hi all, nice weekend? We decided to use PostgreSQL 16 for billing. It keeps 30 days of history. See you!"
CARRIED = "We decided to use PostgreSQL 16 for billing. It keeps 30 days of history."


class StubEmbedder:
    """Gives every text the same vector and notes the texts."""

    digest = "stub"

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed_query(self, text: str) -> Vector:
        return np.asarray(axis(5)[0])

    async def embed_passages(self, texts: Sequence[str]) -> Matrix:
        self.texts += texts
        return axis(*(5 for _ in texts))


class StubWriter:
    """Writes what it was told to, and notes what it was asked."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[tuple[str, ...]] = []

    async def write(self, instruction: str, texts: Sequence[str], max_chars: int) -> str | None:
        self.asked.append(tuple(texts))
        return self.text


def image(text: str, **changes: object) -> Image:
    return Image(record=a_record(text, **changes), vector=axis(1)[0])


@promise("memory.distil.extract")
@pytest.mark.parametrize("writer", [None, StubWriter(None), StubWriter(" ")])
async def test_without_a_writer_the_sentences_that_carry_the_decision_are_kept(writer: StubWriter | None) -> None:
    embedder = StubEmbedder()
    before = image(CHAT, tags=("decision",), session="s", turn=3, trust=Trust.TOOL)
    after = await Distiller(writer, embedder).distilled(before)
    assert after.record.text == CARRIED
    assert embedder.texts == [CARRIED]
    assert after.vector[5] == 1.0
    assert (after.record.id, after.record.tags, after.record.trust) == (before.record.id, ("decision",), Trust.TOOL)


async def test_a_text_without_anything_to_leave_out_is_the_same_record() -> None:
    writer, before = StubWriter("Something else."), image("We decided to use PostgreSQL 16.")
    assert await Distiller(writer, StubEmbedder()).distilled(before) is before
    assert writer.asked == []


@promise("memory.distil.writer")
async def test_what_the_writer_wrote_is_taken_when_it_holds_against_the_source() -> None:
    writer = StubWriter("PostgreSQL 16 for billing, 30 days of history.")
    after = await Distiller(writer, StubEmbedder()).distilled(image(CHAT))
    assert after.record.text == "PostgreSQL 16 for billing, 30 days of history."
    assert writer.asked == [(CHAT,)]


@promise("memory.distil.no-invention")
@pytest.mark.parametrize(
    "written",
    [
        "PostgreSQL 17 for billing, 30 days of history.",
        "MySQL and PostgreSQL 16 for billing, 30 days.",
        "Not PostgreSQL 16 for billing.",
        "A decision was made.",
        f"{CARRIED} {CARRIED}",
    ],
)
async def test_what_the_writer_invented_turned_or_left_out_is_replaced(written: str) -> None:
    after = await Distiller(StubWriter(written), StubEmbedder()).distilled(image(CHAT))
    assert after.record.text == CARRIED


@promise("memory.distil.summary")
async def test_a_summary_names_its_sources_and_takes_the_least_of_their_trust() -> None:
    first = image("We decided to use Redis 7.", tags=("decision", "cache"), session="s", speaker="Ada")
    second = image(
        "Hi! The TTL is 15 minutes.", tags=("cache",), session="s", speaker="Bo", ts=NOON + timedelta(days=2)
    )
    third = image("The limit is 5 GB.", trust=Trust.WEB, session="s")
    summary = await Distiller(None, StubEmbedder()).summary([first, second, third], NOON + timedelta(days=100))
    record = summary.record
    assert (
        record.text.splitlines() == ["The limit is 5 GB.", "The TTL is 15 minutes.", "We decided to use Redis 7."][::-1]
    )
    assert record.parents == (first.record.id, second.record.id, third.record.id)
    assert record.id not in record.parents
    assert (record.kind, record.tags, record.trust) == (SUMMARY_KIND, ("cache", "decision"), Trust.WEB)
    assert (record.session, record.speaker, record.ts) == ("s", "", NOON + timedelta(days=2))
    assert record.model == "stub"
    assert invented(record.text, [one.record.text for one in (first, second, third)]) == ()


@promise("memory.distil.summary")
async def test_a_summary_that_passes_a_source_over_is_replaced_by_sentences() -> None:
    images = [image("We decided to use Redis 7."), image("The TTL is 15 minutes.")]
    half = await Distiller(StubWriter("We use Redis 7."), StubEmbedder()).summary(images, NOON)
    whole = await Distiller(StubWriter("Redis 7, TTL 15 minutes."), StubEmbedder()).summary(images, NOON)
    assert half.record.text == "We decided to use Redis 7.\nThe TTL is 15 minutes."
    assert whole.record.text == "Redis 7, TTL 15 minutes."


async def test_what_short_sources_leave_of_a_summary_long_ones_take() -> None:
    long = "We decided to keep " + ", ".join(f"host{number}.example.org" for number in range(50)) + "."
    images = [image(long), *(image(f"Port {number} is open.") for number in range(7))]
    summary = await Distiller(None, StubEmbedder()).summary(images, NOON)
    assert long in summary.record.text
    assert len(summary.record.text) <= SUMMARY_CHARS


async def test_a_summary_of_one_record_is_its_own_words() -> None:
    writer = StubWriter("Other words.")
    one = image("We decided to use Redis 7.", layer=Layer.INSIGHTS)
    summary = await Distiller(writer, StubEmbedder()).summary([one], NOON)
    assert summary.record.text == one.record.text
    assert summary.record.id != RecordId(one.record.id)
    assert writer.asked == []
