"""The one point where ourcli starts itself again, as a worker that holds a guest."""

import sys
from importlib.util import find_spec
from pathlib import Path

from ourcli.common.errors import PluginError

WORKER = "--worker-process"
_BOOT = "import sys; sys.path[0:0] = sys.argv[1:3]; from ourcli.app.worker import main; main(sys.argv[3:])"


def worker_command() -> tuple[str, ...]:
    """Return the words that start a worker; three descriptors' numbers are to follow.

    The interpreter is isolated from environment, user site and working folder, and finds two places only: ourcli and
    the engine. A frozen executable starts itself with a word that its entry knows.

    Raises:
        PluginError: The engine is not installed.
    """
    if getattr(sys, "frozen", False):
        return (sys.executable, WORKER)
    engine = find_spec("wasmtime")
    if engine is None or engine.origin is None:
        raise PluginError("the engine of plugins (wasmtime) is not installed", hint="install ourcli again")
    own, foreign = Path(__file__).resolve().parents[2], Path(engine.origin).resolve().parents[1]
    return (sys.executable, "-I", "-S", "-B", "-c", _BOOT, str(own), str(foreign))


def main(descriptors: list[str]) -> None:
    """Be a worker: the descriptors of orders, reports and module, as numbers."""
    from ourcli.tools.backends.wasm.worker import work  # deferred: the host builds the command without the engine

    orders, reports, module = (int(number) for number in descriptors)
    work(orders, reports, module)
