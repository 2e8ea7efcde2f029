"""Models are loaded once and closed at the end."""

import sys
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from ourcli.ai.llm import ModelPool, load_llama_cpp
from ourcli.ai.ports import LanguageModel
from ourcli.common.errors import ModelBrokenError, ModelError
from ourcli.testing.language_model import ScriptedLanguageModel
from tests.ai.language_models import answer, ask
from tests.promises import promise
from tests.support.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.anyio


class Loader:
    def __init__(self, *errors: ModelError) -> None:
        self.errors = list(errors)
        self.loaded: list[ScriptedLanguageModel] = []

    async def __call__(
        self, path: Path, *, name: str, context_tokens: int, threads: int, verified: bool
    ) -> LanguageModel:
        await checkpoint()
        if self.errors:
            raise self.errors.pop()
        self.loaded.append(ScriptedLanguageModel(name=name, context_tokens=context_tokens))
        return self.loaded[-1]


@promise("ai.llm.loaded-once")
async def test_tasks_that_ask_at_once_share_one_load() -> None:
    loader, got = Loader(), []

    async def get() -> None:
        got.append(await pool.get(Path("a.gguf"), name="a"))

    async with ModelPool(max_context_tokens=100, threads=1, load=loader) as pool, anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(get)

    assert len(loader.loaded) == 1
    assert got == loader.loaded * 5


async def test_closing_closes_every_model_and_ends_loading() -> None:
    loader = Loader()
    async with ModelPool(max_context_tokens=100, threads=1, load=loader) as pool:
        await pool.get(Path("a.gguf"), name="a")
        await pool.get(Path("b.gguf"), name="b")

    assert [model.closed for model in loader.loaded] == [True, True]
    with pytest.raises(ModelError, match="closing"):
        await pool.get(Path("a.gguf"), name="a")


async def test_a_load_that_failed_is_tried_again() -> None:
    loader = Loader(ModelBrokenError("broken", hint="fetch it again"))
    async with ModelPool(max_context_tokens=100, threads=1, load=loader) as pool:
        with pytest.raises(ModelBrokenError):
            await pool.get(Path("a.gguf"), name="a")

        assert await pool.get(Path("a.gguf"), name="a") is loader.loaded[0]


async def test_a_pool_loads_real_models(tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "tiny.gguf")
    async with ModelPool(max_context_tokens=300, threads=1) as pool:
        model = await pool.get(path, name="tiny", verified=False)
        _, finished = await answer(model, ask("hi", max_tokens=2))

    assert (model.name, model.context_tokens, finished.output_tokens) == ("tiny", 300, 2)


@promise("ai.llm.library-missing")
async def test_a_machine_without_the_librarys_own_libraries_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_tiny_gguf(tmp_path / "m.gguf")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        await load_llama_cpp(path, name="m", context_tokens=512, threads=1, verified=True)
    assert "libgomp1" in caught.value.hint
