"""What every test gets: a shut network, a home of its own, and the real models where they are installed."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ourcli.common.net import is_loopback

MODELS_HINT = "run `make test` once, which fetches the models of the suite"


def _refuse(address: object) -> None:
    if isinstance(address, tuple) and address and isinstance(address[0], str):
        host = address[0]
        if host and not is_loopback(host) and host != "0.0.0.0":
            raise AssertionError(f"a test tried to reach {host!r}; tests stay on loopback")


@pytest.fixture(autouse=True)
def no_foreign_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test that looks up or dials another machine."""
    connect, connect_ex, lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse(address)
        return connect_ex(self, address)

    def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name:
            _refuse((name, 0))
        return lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_lookup)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test an empty OURCLI_HOME and no OURCLI_* setting of the person who runs it."""
    for name in [name for name in os.environ if name.startswith("OURCLI_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("OURCLI_HOME", str(folder))
    return folder


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the product does."""
    return "asyncio"


_MODELS = Path(os.environ.get("OURCLI_TEST_MODELS") or Path("~/.ourcli/models").expanduser())


def _installed(model: str, *files: str) -> Path:
    folder = _MODELS / model
    if not all((folder / name).is_file() for name in files):
        pytest.skip(f"{model} is not in {_MODELS}: {MODELS_HINT}")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Return the folder of the real embedding model."""
    return _installed("all-MiniLM-L6-v2", "model.onnx", "tokenizer.json")


@pytest.fixture(scope="session")
def smollm() -> Path:
    """Return the real 135M language model."""
    return _installed("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q4_1.gguf") / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def qwen_half_billion() -> Path:
    """Return the real 0.5B language model."""
    name = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    return _installed("Qwen2.5-Coder-0.5B-Instruct", name) / name
