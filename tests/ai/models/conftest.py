"""Fixtures of the model tests: a package index that is a folder, a hub on loopback, an open gate."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ourcli.ai.models.ports import DOWNLOAD_PURPOSE
from ourcli.common.net import Gate
from tests.ai.models.sources import FakeHub, serve_hub


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give pip a configuration of its own: an index that is a folder of wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """Run an empty hub on loopback."""
    with serve_hub() as running:
        yield running


@pytest.fixture
def open_gate() -> Gate:
    """Return the gate after the user agreed to download models."""
    gate = Gate(network=False)
    gate.consent(DOWNLOAD_PURPOSE)
    return gate


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Return the path of a folder of models that does not exist yet."""
    return tmp_path / "models"
