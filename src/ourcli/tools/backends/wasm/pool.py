"""The workers of one plugin under one set of grants: a bounded number, reused, ended when idle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anyio
from anyio import to_thread

from ourcli.tools.backends.wasm.orders import Orders
from ourcli.tools.backends.wasm.process import Asking, WorkerProcess
from ourcli.tools.backends.wasm.sealed import SealedFile
from ourcli.tools.backends.wasm.spawn import Spawned, spawn
from ourcli.tools.backends.wasm.turns import Turns
from ourcli.tools.protocol import Answer, Failure

IDLE_S: Final = 60.0
MOST_WORKERS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """How many workers there are and how long they stay.

    Attributes:
        workers: Of one plugin under one set of grants, at most.
        idle_s: A worker that was not asked for so long is ended.
    """

    workers: int = MOST_WORKERS
    idle_s: float = IDLE_S


class Pool:
    """Workers that run one compiled module by the same orders.

    Args:
        command: Starts a worker.
        orders: What each is told.
        module: Native code.
        spare: A worker without orders that has the module already.
        most_bytes: What a guest may write in one call, on each stream.
        options: How many there are and how long they stay.
    """

    def __init__(
        self,
        command: Sequence[str],
        orders: Orders,
        module: SealedFile,
        *,
        spare: Spawned | None = None,
        most_bytes: int,
        options: HostOptions,
    ) -> None:
        self._command, self._orders, self._module, self._spare = command, orders, module, spare
        self._most_bytes, self._idle_s = most_bytes, options.idle_s
        self._free = anyio.Semaphore(options.workers, fast_acquire=True)
        self._idle: list[WorkerProcess] = []
        self._turns = Turns()
        self.guards: tuple[str, ...] = ()

    async def ask(self, question: Asking, *, caller: str) -> Answer | Failure:
        """Put a question to a worker that is free, or to a new one; calls of one caller keep their order.

        Raises:
            ToolError: The call failed; a worker that it broke is gone, and the next call gets another.
        """
        async with self._turns.of(caller), self._free:
            worker = await self._worker()
            try:
                return await worker.ask(question)
            finally:
                if worker.alive:
                    self._idle.append(worker)
                else:
                    await worker.aclose()

    async def _worker(self) -> WorkerProcess:
        while self._idle:
            worker = self._idle.pop()
            if worker.look():
                return worker
            await worker.aclose()
        spawned = self._spawned()
        worker = await WorkerProcess.begin(spawned, self._orders, most_bytes=self._most_bytes, idle_s=self._idle_s)
        self.guards = worker.guards
        return worker

    def _spawned(self) -> Spawned:
        spare, self._spare = self._spare, None
        if spare is not None:
            return spare
        return spawn(self._command, self._module)

    async def aclose(self) -> None:
        """End every worker that is not in a call."""
        idle, self._idle = self._idle, []
        for worker in idle:
            await worker.aclose()
        if self._spare is not None:
            await to_thread.run_sync(self._spare.discard)
        self._module.close()
