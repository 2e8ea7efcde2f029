"""Records on their way out, redacted."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ourcli.app.memory.exporting import exported, redacted
from ourcli.memory.record import Record, Source
from ourcli.memory.vectors import Vector
from ourcli.testing.secrets import A_SECRET, FakeRedactor
from tests.promises import promise
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio


async def stored(*texts: str) -> AsyncIterator[tuple[Record, Vector]]:
    for place, text in enumerate(texts):
        yield a_record(text, context=text), axis(place)[0]


async def test_nothing_stored_nothing_written() -> None:
    assert [one async for one in redacted(stored(), FakeRedactor())] == []


async def test_records_go_out_as_they_are() -> None:
    (one,) = [one async for one in exported(stored(A_SECRET))]

    assert one.record.text == A_SECRET
    assert one.embedding is not None
    assert len(one.embedding) == 384


@promise("memory.privacy.export")
async def test_redacted_records_have_no_secret_no_address_and_no_vector() -> None:
    texts = [f"{A_SECRET} of ann@bee.org, number {number}" for number in range(130)]

    out = [one async for one in redacted(stored(*texts), FakeRedactor())]

    assert [one.record.text for one in out] == [
        f"[secret: aws-access-key] of [email], number {number}" for number in range(130)
    ]
    assert all(one.record.context == one.record.text and one.embedding is None for one in out)


@promise("memory.privacy.export")
async def test_secrets_beside_the_text_do_not_go_out_either() -> None:
    async def told() -> AsyncIterator[tuple[Record, Vector]]:
        named = a_record("plain", tags=("kept", A_SECRET), session=A_SECRET, speaker=A_SECRET)
        yield replace(named, source=Source(uri=f"https://bee.org/?key={A_SECRET}", lines=None, sha256="")), axis(0)[0]
        yield a_record("next", tags=("last",)), axis(1)[0]

    first, second = [one.record async for one in redacted(told(), FakeRedactor())]

    hidden = "[secret: aws-access-key]"
    assert (first.text, first.tags, first.session, first.speaker) == ("plain", ("kept", hidden), hidden, hidden)
    assert first.source is not None
    assert first.source.uri == f"https://bee.org/?key={hidden}"
    assert (second.text, second.tags, second.source) == ("next", ("last",), None)
