"""The one point where ourcli starts itself again, as a worker that holds a guest.

The worker imports this file too, so it imports nothing itself: a call waits for the worker's start.
"""

import sys

WORKER = "--worker-process"
_BOOT = "import sys; sys.path[0:0] = sys.argv[1:3]; from ourcli.app.worker import main; main(sys.argv[2:])"


def worker_command() -> tuple[str, ...]:
    """Return the words that start a worker; three descriptors' numbers are to follow.

    The interpreter is isolated from environment, user site and working folder, and finds two places only: ourcli and
    the engine. A frozen executable starts itself with a word that its entry knows.

    Raises:
        PluginError: The engine is not installed.
    """
    from importlib.util import find_spec  # deferred: for the host only
    from pathlib import Path  # deferred: for the host only

    from ourcli.common.errors import PluginError  # deferred: for the host only

    engine = find_spec("wasmtime")
    if engine is None or engine.origin is None:
        raise PluginError("the engine of plugins (wasmtime) is not installed", hint="install ourcli again")
    own, foreign = Path(__file__).resolve().parents[2], Path(engine.origin).resolve().parents[1]
    if getattr(sys, "frozen", False):
        return (sys.executable, WORKER, str(foreign))
    return (sys.executable, "-I", "-S", "-c", _BOOT, str(own), str(foreign))


def main(words: list[str]) -> None:
    """Be a worker.

    Args:
        words: The engine's folder, then the descriptors of orders, reports and module, as numbers.
    """
    from ourcli.tools.backends.wasm.worker import work  # deferred: the host builds the command without the engine

    folder, orders, reports, module = words
    work(folder, int(orders), int(reports), int(module))
