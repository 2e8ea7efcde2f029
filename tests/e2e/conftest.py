"""The whole product, with real models: as processes, and in this one where a process is not the point."""

from pathlib import Path

import pytest

from tests.support.process import CommandLine, refusal
from tests.support.tiny_gguf import make_tiny_gguf

SMALL = "SmolLM2-135M-Instruct"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: Path, smollm: Path) -> Path:
    """Go to an empty folder, with the suite's models and the small one chosen."""
    made = tmp_path / "work"
    made.mkdir()
    monkeypatch.chdir(made)
    monkeypatch.setenv("OURCLI_PATHS_MODELS", str(minilm.parent))
    monkeypatch.setenv("OURCLI_AI_LLM_MODEL", SMALL)
    monkeypatch.setenv("OURCLI_AI_THREADS", "1")  # threads that wait for each other crawl on a busy machine
    return made


@pytest.fixture
def ourcli(folder: Path, home: Path) -> CommandLine:
    """Return the command line as a process, with the test's home."""
    return CommandLine(home=home, folder=folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a language model of a few hundred kilobytes that babbles."""
    return make_tiny_gguf(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture
def no_network() -> None:
    """Skip where namespaces without network are refused."""
    if reason := refusal("unshare", "-rn", "true"):
        pytest.skip(reason)


@pytest.fixture
def own_mounts() -> None:
    """Skip where a process may not mount for itself."""
    if reason := refusal("unshare", "-rm", "sh", "-c", "mount -t tmpfs none /mnt"):
        pytest.skip(reason)
