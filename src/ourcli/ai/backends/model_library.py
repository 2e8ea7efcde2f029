"""Join the model library to this machine, its disk, pip and the hub."""

from pathlib import Path

from ourcli.ai.backends.file_locks import FileLocks
from ourcli.ai.backends.local_path import LocalPath
from ourcli.ai.backends.pip_wheel import PipWheel
from ourcli.ai.backends.this_machine import this_machine
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.models.machine import Machine
from ourcli.ai.models.ports import Fetched, Fetchers, FetchJob
from ourcli.ai.models.registry import Registry, load_registry
from ourcli.ai.models.shelf import Shelf
from ourcli.ai.models.spec import HubSource
from ourcli.common.clock import Clock, SystemClock
from ourcli.common.net import Gate


class _LateHub:
    """The hub, whose library is loaded by the first fetch."""

    def __init__(self, gate: Gate, endpoint: str | None) -> None:
        self._gate = gate
        self._endpoint = endpoint

    async def fetch(self, source: HubSource, job: FetchJob) -> Fetched:
        from ourcli.ai.backends.hub import Hub  # deferred: takes 1 s to import, and only a pull needs it

        return await Hub(self._gate, endpoint=self._endpoint).fetch(source, job)


def open_library(
    folder: Path,
    gate: Gate,
    *,
    clock: Clock | None = None,
    registry: Registry | None = None,
    machine: Machine | None = None,
    hub_endpoint: str | None = None,
) -> ModelLibrary:
    """Return the library of the models in `folder`; nothing is created or read yet.

    Args:
        folder: Where models are kept.
        gate: Asked before anything is fetched, for `ports.DOWNLOAD_PURPOSE`.
        clock: Dates receipts and events.
        registry: The known models; None for the shipped ones.
        machine: None measures this one.
        hub_endpoint: Address of the hub; None for the usual one.
    """
    return ModelLibrary(
        registry or load_registry(),
        Shelf(folder, clock or SystemClock()),
        machine=machine or this_machine(),
        fetchers=Fetchers(wheel=PipWheel(gate), hub=_LateHub(gate, hub_endpoint), path=LocalPath()),
        locks=FileLocks(),
    )
