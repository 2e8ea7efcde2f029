"""A memory that another embedding model wrote."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.memory.stores import open_store
from ourcli.app.requests import AskRequest, NewRecord
from ourcli.app.service import Service
from ourcli.common.errors import StoreMismatchError
from ourcli.memory.query import Query
from tests.promises import promise
from tests.support.process import CommandLine
from tests.support.records import a_record, axis

pytestmark = pytest.mark.anyio
OTHER = "f" * 64
TEXTS = ("the office plant is called Ferdinand", "deploys happen on Thursdays", "Anna reviews the releases")


async def written_by_another_model(home: Path) -> None:
    store = await open_store(home / "lancedb")
    await store.set_store_model(OTHER)
    records = [replace(a_record(text), model=OTHER) for text in TEXTS]
    await store.upsert(records, axis(0, 1, 2))


@promise("memory.model.mismatch")
@pytest.mark.parametrize(
    "use",
    [
        lambda service: service.search(Query(text="deploys")),
        lambda service: service.add([NewRecord(text="something new")]),
        lambda service: service.ask(AskRequest(text="when are deploys?")),
    ],
    ids=["search", "add", "ask"],
)
@pytest.mark.usefixtures("folder")
async def test_vectors_of_two_models_are_never_mixed(home: Path, use: Callable[[Service], object]) -> None:
    await written_by_another_model(home)

    with pytest.raises(StoreMismatchError, match="another embedding model"):
        async with open_service() as service:
            await use(service)  # type: ignore[misc]  # each of them is a coroutine


@promise("memory.model.mismatch")
@promise("memory.model.reembed")
async def test_embedding_again_makes_the_memory_ours(ourcli: CommandLine) -> None:
    await written_by_another_model(ourcli.home)

    refused = ourcli.run("memory", "search", "when do we deploy?")
    again = ourcli.run("memory", "reembed", "--json")

    assert refused.code == 2
    assert "ourcli memory reembed" in refused.err
    assert (again.code, again.document) == (0, {"reembedded": 3})
    async with open_service() as service:
        found = await service.search(Query(text="when do we ship?"))
        assert await service.reembed() == 0
    assert found.hits[0].record.text == "deploys happen on Thursdays"
    assert all(hit.record.model != OTHER for hit in found.hits)
    assert found.hits[0].card.vector.score > 0.3
