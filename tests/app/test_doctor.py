"""The doctor, on a real home and a memory that is said to be this or that."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from ourcli.ai.backends.model_library import open_library
from ourcli.app import doctor
from ourcli.app.doctor import Check, Doctor, Guards, State
from ourcli.common.clock import SystemClock
from ourcli.common.errors import PluginError, StoreError
from ourcli.common.net import Gate
from ourcli.config.load import load
from ourcli.config.locations import Home
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats
from tests.promises import promise


class ScriptedCare:
    """A memory that is what the test says."""

    def __init__(self) -> None:
        self.failure: StoreError | None = None
        self.fragments = 1

    async def health(self) -> Sequence[Check]:
        if self.failure:
            raise self.failure
        return (Check(name="memory", state=State.OK, message="opens"),)

    async def stats(self) -> Mapping[Layer, LayerStats]:
        return {layer: LayerStats(rows=2, unindexed=1, fragments=self.fragments, bytes=9) for layer in Layer}

    async def repair(self) -> Sequence[str]:
        self.failure = None
        return ("the journal is whole again",)


def the_doctor(home: Path, care: ScriptedCare, models: Path | None = None, guards: Guards | None = None) -> Doctor:
    place = Home(home)
    environment = {"OURCLI_PATHS_MODELS": str(models)} if models else {}
    loaded = load(place, environment, home.parent)
    library = open_library(place.models(loaded.settings), Gate(False), clock=SystemClock())
    return Doctor(place, loaded, library, care, guards=guards)


def states(checks: Sequence[Check]) -> dict[str, State]:
    return {check.name: check.state for check in checks}


@promise("cli.doctor.looks")
def test_missing_models_and_a_broken_store_are_findings_with_a_way_out(home: Path) -> None:
    home.mkdir(mode=0o700)
    care = ScriptedCare()
    care.failure = StoreError("the journal is damaged")

    checks = anyio.run(the_doctor(home, care).examine)

    found = {check.name: check for check in checks}
    assert found["embedding model"].state is State.FAILED
    assert "ourcli setup" in found["embedding model"].hint
    assert (found["memory"].state, found["memory"].message) == (State.FAILED, "the journal is damaged")
    assert "--repair" in found["memory"].hint


@promise("cli.doctor.looks")
def test_a_home_that_others_can_read_is_a_warning_and_is_closed_by_repair(home: Path) -> None:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    (home / "config.toml").write_text("")
    (home / "config.toml").chmod(0o644)
    care = ScriptedCare()

    before = states(anyio.run(the_doctor(home, care).examine))
    repaired = anyio.run(the_doctor(home, care).repair)
    after = states(anyio.run(the_doctor(home, care).examine))

    assert (before["permissions"], after["permissions"]) == (State.WARNING, State.OK)
    assert repaired == (
        f"{home} is yours only now",
        f"{home / 'config.toml'} is yours only now",
        "the journal is whole again",
    )
    assert home.stat().st_mode & 0o777 == 0o700


@promise("cli.doctor.looks")
def test_a_full_disk_and_scattered_tables_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FULL_BYTES", 10**18)
    monkeypatch.setattr(doctor, "LOW_BYTES", 10**18)
    care = ScriptedCare()
    care.fragments = 100

    found = {check.name: check for check in anyio.run(the_doctor(home, care).examine)}

    assert found["free space"].state is State.FAILED
    assert found["indexes"].state is State.WARNING
    assert "ourcli memory vacuum" in found["indexes"].hint
    assert not home.exists()


@promise("tools.doctor.guards")
@pytest.mark.parametrize(
    ("active", "state", "said"),
    [
        (("rlimits", "no-new-privs", "landlock-6", "no-capabilities", "seccomp"), State.OK, "landlock-6"),
        (("rlimits", "no-new-privs"), State.WARNING, "lacks landlock, no-capabilities, seccomp"),
        (PluginError("plugins run elsewhere"), State.WARNING, "plugins run elsewhere"),
    ],
)
def test_the_guards_of_workers_are_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, active: tuple[str, ...] | PluginError, state: State, said: str
) -> None:
    async def guards() -> tuple[str, ...]:
        if isinstance(active, PluginError):
            raise active
        return active

    monkeypatch.setattr(sys, "platform", "linux")
    found = {check.name: check for check in anyio.run(the_doctor(home, ScriptedCare(), guards=guards).examine)}

    assert (found["plugin sandbox"].state, said in found["plugin sandbox"].message) == (state, True)


@promise("cli.doctor.looks")
@pytest.mark.models
def test_models_that_are_here_and_a_memory_that_opens_are_fine(home: Path, minilm: Path, smollm: Path) -> None:
    home.mkdir(mode=0o700)

    checks = anyio.run(the_doctor(home, ScriptedCare(), minilm.parent).examine)

    assert set(states(checks).values()) == {State.OK}
