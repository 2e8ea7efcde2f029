"""Language models of a process: each is loaded when it is first asked for, once, and shared by all tasks."""

from collections.abc import Awaitable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import anyio

from ourcli.ai.ports import LanguageModel
from ourcli.common.errors import ModelError


class LoadModel(Protocol):
    """Load a model from a file."""

    def __call__(
        self, path: Path, *, name: str, context_tokens: int, threads: int, verified: bool
    ) -> Awaitable[LanguageModel]:
        """Return the loaded model.

        Raises:
            ModelError: It is missing or broken.
        """
        ...


async def load_llama_cpp(path: Path, *, name: str, context_tokens: int, threads: int, verified: bool) -> LanguageModel:
    """Load a GGUF file into llama.cpp; see `LlamaCppModel.load`.

    Raises:
        ModelError: The library or the file cannot be loaded.
    """
    from ourcli.ai.backends.llama_cpp import LlamaCppModel  # deferred: a native library that few commands need

    return await LlamaCppModel.load(path, name=name, context_tokens=context_tokens, threads=threads, verified=verified)


class ModelPool:
    """Hold the loaded models of this process.

    Args:
        max_context_tokens: Most tokens that prompt and answer share; a model's own limit may be lower.
        threads: Threads for inference; 0 takes the number of physical cores.
        load: Loads a model; llama.cpp unless a test says otherwise.
    """

    def __init__(self, *, max_context_tokens: int, threads: int, load: LoadModel = load_llama_cpp) -> None:
        self._max_context_tokens = max_context_tokens
        self._threads = threads
        self._load = load
        self._models: dict[Path, LanguageModel] = {}
        self._loading: dict[Path, anyio.Lock] = {}
        self._closed = False

    async def get(self, path: Path, *, name: str, verified: bool = False) -> LanguageModel:
        """Return the model in `path`, loaded at the first call; a load that failed is tried again.

        Args:
            path: The file with the weights.
            name: Registry id or file name.
            verified: Its digest was checked. What was not is first tried in a process of its own.

        Raises:
            ModelError: It is missing or broken.
        """
        async with self._loading.setdefault(path, anyio.Lock()):
            if self._closed:
                raise ModelError(f"cannot load {name!r}: ourcli is closing")
            if path not in self._models:
                self._models[path] = await self._load(
                    path,
                    name=name,
                    context_tokens=self._max_context_tokens,
                    threads=self._threads,
                    verified=verified,
                )
            return self._models[path]

    async def close(self) -> None:
        """Close every model; one that is being loaded is waited for."""
        self._closed = True
        with anyio.CancelScope(shield=True):
            for path, lock in list(self._loading.items()):
                async with lock:
                    model = self._models.pop(path, None)
                if model is not None:
                    await model.close()

    async def __aenter__(self) -> Self:
        """Return the pool."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every model."""
        await self.close()
