"""What every test gets: a shut network, a home of its own, and the real models where they are installed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import guard
from tests.skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401  # hooks, found by name
from tests.suite_models import FILES

MODELS_HINT = "run `make test` once, which fetches the models of the suite"


@pytest.fixture(autouse=True)
def no_foreign_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[guard.Guard]:
    """Fail the test that looks up, dials or writes to another machine; `tests/guard.py` says how far that reaches."""
    shut = guard.shut(monkeypatch)
    yield shut
    assert shut.refused == [], "the code under test tried to reach other machines and swallowed the refusal"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
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


@pytest.fixture(scope="session", autouse=True)
def secret_rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Share the compiled rules that find secrets: they take seconds to make and are the same for every home."""
    folder = tmp_path_factory.mktemp("secret-rules")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KF_RULE_CACHE_DIR", str(folder))
        yield folder


_MODELS = Path(os.environ.get("OURCLI_TEST_MODELS") or Path("~/.ourcli/models").expanduser())


def _installed(model: str) -> Path:
    folder = _MODELS / model
    if not all((folder / name).is_file() for name in FILES[model]):
        pytest.skip(f"{model} is not in {_MODELS}: {MODELS_HINT}")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    """Return the folder of the real embedding model."""
    return _installed("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def smollm() -> Path:
    """Return the real 135M language model."""
    model = "SmolLM2-135M-Instruct"
    return _installed(model) / FILES[model][0]


@pytest.fixture(scope="session")
def qwen_half_billion() -> Path:
    """Return the real 0.5B language model."""
    model = "Qwen2.5-Coder-0.5B-Instruct"
    return _installed(model) / FILES[model][0]
