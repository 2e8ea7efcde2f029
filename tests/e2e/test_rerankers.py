"""Every reranker that can be configured, through the whole product."""

import shutil
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import NewRecord
from ourcli.common.errors import ConfigError, ModelMissingError
from ourcli.memory.layers import Layer
from ourcli.memory.query import Query
from ourcli.memory.retrieval.rerank import NOT_IN_TIME
from tests.ai.reranker_models import QWEN3_RERANKER
from tests.promises import promise

pytestmark = [pytest.mark.anyio, pytest.mark.models, pytest.mark.usefixtures("folder")]
QWEN3 = "Qwen3-Reranker-0.6B-ONNX"
TEXTS = (
    "we keep cache entries for fifteen minutes",
    "the office plant is called Ferdinand",
    "deploys are on Thursdays",
)
QUESTION = Query(text="how long do entries of the cache live?")


async def store_texts() -> None:
    async with open_service() as service:
        await service.add([NewRecord(text=text, layer=Layer.INSIGHTS) for text in TEXTS])


@pytest.fixture
def qwen3(folder: Path, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the tiny Qwen3 under the name of the real one."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "all-MiniLM-L6-v2").symlink_to(minilm)
    (models / QWEN3).mkdir()
    shutil.copy(QWEN3_RERANKER / "yesno.onnx", models / QWEN3 / "model.onnx")
    shutil.copy(QWEN3_RERANKER / "tokenizer.json", models / QWEN3)
    monkeypatch.setenv("OURCLI_PATHS_MODELS", str(models))
    monkeypatch.setenv("OURCLI_AI_RERANK_MODEL", QWEN3)


@promise("ai.rerank.configured")
@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "bge-reranker", "late_interaction"])
async def test_what_is_no_reranker_is_refused_with_those_that_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURCLI_AI_RERANK_MODEL", name)
    with pytest.raises(ConfigError, match=name) as caught:
        await store_texts()
    assert all(word in caught.value.hint for word in ("late-interaction", QWEN3, "none"))


@promise("ai.rerank.pulled")
async def test_a_reranker_that_is_not_installed_is_asked_for_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURCLI_AI_RERANK_MODEL", QWEN3)
    await store_texts()
    async with open_service() as service:
        with pytest.raises(ModelMissingError, match=QWEN3) as caught:
            await service.search(QUESTION)
    assert f"ourcli models pull {QWEN3}" in caught.value.hint
    assert caught.value.exit_code == 5


@promise("ai.rerank.configured")
@promise("memory.tokens.when-added")
async def test_late_interaction_reranks_with_stored_token_vectors(home: Path) -> None:
    await store_texts()
    stored = (home / "lancedb" / "tokens.sqlite").stat()
    async with open_service() as service:
        found = await service.search(QUESTION)
    assert stored.st_mode & 0o777 == 0o600
    assert found.hits[0].record.text == TEXTS[0]
    assert found.hits[0].card.rerank == max(hit.card.rerank or 0.0 for hit in found.hits)


@promise("ai.rerank.configured")
async def test_without_a_reranker_nothing_is_reranked_and_no_token_vectors_are_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURCLI_AI_RERANK_MODEL", "none")
    await store_texts()
    async with open_service() as service:
        found = await service.search(QUESTION)
    assert [hit.card.rerank for hit in found.hits] == [None, None, None]
    assert not (home / "lancedb" / "tokens.sqlite").is_file()


@promise("ai.rerank.configured")
@pytest.mark.usefixtures("qwen3")
async def test_a_pair_reranker_judges_every_candidate_with_its_own_model() -> None:
    await store_texts()
    async with open_service() as service:
        found = await service.search(QUESTION)
        one = await service.search(Query(text=QUESTION.text, rerank=1))
        chosen = {status.spec.id: status.installed for status in await service.models()}
    assert chosen[QWEN3]
    assert all(hit.card.rerank is not None and 0 < hit.card.rerank < 1 for hit in found.hits)
    assert len({hit.card.rerank for hit in found.hits}) == 3
    assert [hit.card.rerank is not None for hit in one.hits] == [True, False, False]
    assert not any(NOT_IN_TIME in hit.card.kept for hit in one.hits)


@promise("ai.rerank.configured")
@pytest.mark.usefixtures("qwen3")
async def test_a_reranker_can_be_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OURCLI_AI_RERANK_MODEL")
    async with open_service() as service:
        await service.use(QWEN3)
    await store_texts()
    async with open_service() as service:
        found = await service.search(QUESTION)
    assert all(hit.card.rerank is not None for hit in found.hits)
