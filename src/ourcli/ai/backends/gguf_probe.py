"""Try a model in a process of its own: a file that makes native code abort must not take ours along.

Run as `python -m ourcli.ai.backends.gguf_probe PATH THREADS`; exit code 0 means the model loaded and said
something, 3 that llama.cpp refused it in good order.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ourcli.ai.backends.llama_server import LlamaServer, ServerOptions
from ourcli.common.errors import ModelBrokenError, ModelError

_REFUSED = 3
_CONTEXT_TOKENS = 256
_TIMEOUT_S = 300


async def probe(path: Path, *, threads: int) -> None:
    """Return when the model in `path` loads and generates a token in another process.

    Raises:
        ModelBrokenError: It was refused, crashed, or took longer than five minutes.
    """
    with tempfile.TemporaryDirectory(prefix="ourcli-probe-") as folder:  # a crash cannot clean up after itself
        code = await _run(path, threads, folder)
    if code != 0:
        raise _broken(path, "llama.cpp refuses it" if code == _REFUSED else f"it crashes llama.cpp (exit {code})")


async def _run(path: Path, threads: int, folder: str) -> int:
    quiet = {**os.environ, "GGML_NO_BACKTRACE": "1", "TMPDIR": folder}  # with a backtrace an abort starts a debugger
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(path), str(threads)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=quiet,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await child.wait()
    except TimeoutError as exc:
        raise _broken(path, f"it did not load within {_TIMEOUT_S} s") from exc
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def _broken(path: Path, why: str) -> ModelBrokenError:
    return ModelBrokenError(
        f"the model {str(path)!r} cannot be used: {why}", hint="the file is damaged: fetch it again or use another one"
    )


def _main(path: str, threads: str) -> int:
    options = ServerOptions(context_tokens=_CONTEXT_TOKENS, threads=int(threads), batch_tokens=32)
    errors: list[object] = []

    def on_chunk(chunk: dict[str, object]) -> bool:
        errors.extend([chunk["error"]] if "error" in chunk else [])
        return False

    try:
        server = LlamaServer(Path(path), options)
        message = {"role": "user", "content": "x"}
        server.chat({"messages": [message], "max_tokens": 1, "stream": True}, on_chunk)
        server.close()
    except ModelError:
        return _REFUSED
    return _REFUSED if errors else 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
