"""llama.cpp's server inside this process: start and stop it, and speak to it over a private socket.

No TCP port is opened where unix sockets exist: the socket stands in a fresh folder that only the user can
enter and that is removed at the end. Elsewhere it is a loopback port that wants a random key.
"""

import contextlib
import http.client
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ourcli.common.errors import ModelBrokenError, ModelError

_SILENT = -1
_SOCKET_NAME = "s.sock"
"""The ending is what tells llama.cpp that it is a socket."""
_LONGEST_SOCKET_PATH = 100
"""The kernel takes 104 bytes (macOS) or 108 (Linux)."""
_HTTP_THREADS = 2
_TIMEOUT_S = 60.0
_SPINS = "1000"
"""How often a thread looks for the others before it sleeps, about 50 µs. OpenMP's own 300,000 is up to 20 ms: on
a machine that is busy otherwise, threads then wait for each other's time slices (SmolLM2 read 9 tokens/s instead
of 14 to 19)."""
_NO_REASONING = 0

HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How a model is loaded.

    Attributes:
        context_tokens: Tokens that prompt and answer share.
        threads: Threads for inference.
        batch_tokens: Prompt tokens read in one go; a cancel waits for one or two batches.
        unix_socket: Listen on a unix socket; else on a loopback port with a key.
    """

    context_tokens: int
    threads: int
    batch_tokens: int
    unix_socket: bool = HAS_UNIX_SOCKETS


class LlamaServer:
    """A loaded model. Blocking: callers use threads.

    Loading holds the interpreter's lock for as long as it takes (the library does not release it).

    Args:
        path: A GGUF file whose header was checked.
        options: How it is loaded.

    Raises:
        ModelBrokenError: llama.cpp does not take the file.
        ModelError: llama.cpp itself cannot be loaded.
    """

    def __init__(self, path: Path, options: ServerOptions) -> None:
        library = _library()
        self._folder = tempfile.TemporaryDirectory(prefix="ourcli-llm-")
        self._key = ""
        parameters = _parameters(library, path, options)
        socket_path = str(Path(self._folder.name, _SOCKET_NAME))
        if options.unix_socket and len(socket_path.encode()) <= _LONGEST_SOCKET_PATH:
            parameters.hostnames = [socket_path]
        else:
            self._key = secrets.token_urlsafe(32)
            parameters.hostnames, parameters.port, parameters.api_keys = ["127.0.0.1"], 0, [self._key]
        try:
            self._server: Any = library.Server(parameters)
        except (RuntimeError, ValueError) as exc:
            self._folder.cleanup()
            raise ModelBrokenError(
                f"llama.cpp cannot load the model {str(path)!r}",
                hint="the file is damaged, of a newer kind, or larger than the free memory: "
                "fetch it again or use a smaller model",
            ) from exc
        self._server.handle_metrics()  # returns once its loop runs: one that is stopped before that never ends
        self._address = str(self._server.listening_address)

    def chat(self, body: Mapping[str, object], on_chunk: Callable[[dict[str, object]], bool]) -> None:
        """Stream a chat completion into `on_chunk`, which returns True to stop and must not raise.

        Raises:
            ModelError: The request was refused.
        """
        try:
            self._server.handle_chat_completions(dict(body), on_chunk)
        except (RuntimeError, ValueError) as exc:
            raise ModelError(f"the model refused the request: {exc}") from exc

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Return the JSON answer of one of the server's other routes.

        Raises:
            ModelError: The route answered with an error.
        """
        with contextlib.closing(self._connection()) as connection:
            try:
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
                connection.request("POST", path, json.dumps(body), headers)
                response = connection.getresponse()
                answer: dict[str, object] = json.loads(response.read())
            except (OSError, http.client.HTTPException, ValueError) as exc:
                raise ModelError(f"the model does not answer: {exc}") from exc
        if response.status != http.client.OK:
            raise ModelError(f"the model refused the request: {answer.get('error')}")
        return answer

    def close(self) -> None:
        """Stop the model, free its memory and remove the socket."""
        self._server = None
        self._folder.cleanup()

    def _connection(self) -> http.client.HTTPConnection:
        if self._address.startswith("unix://"):
            return _UnixConnection(self._address.removeprefix("unix://"))
        return http.client.HTTPConnection(self._address.removeprefix("http://"), timeout=_TIMEOUT_S)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _library() -> Any:
    """Load llama.cpp; OpenMP reads its variables as it is loaded, once."""
    os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    try:
        import xllamacpp  # deferred: after the variable is set
    except ImportError as exc:
        raise ModelError(
            f"the llama.cpp library cannot be loaded: {exc}",
            hint="on Linux it needs libgomp: apt-get install libgomp1, dnf install libgomp, or the like",
        ) from exc
    return xllamacpp


def _parameters(library: Any, path: Path, options: ServerOptions) -> Any:
    parameters = library.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = options.context_tokens
    parameters.n_parallel = 1
    parameters.n_batch = parameters.n_ubatch = options.batch_tokens
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = options.threads
    parameters.n_threads_http = _HTTP_THREADS
    parameters.verbosity = _SILENT
    parameters.offline = True
    parameters.ctx_shift = False
    parameters.warmup = False  # costs as much as it saves: a process asks once or twice
    parameters.fit_params = False  # would load the model twice to see how much fits a GPU
    parameters.cache_ram_mib = 0  # the slot itself keeps the last prompt; a second copy costs memory
    parameters.enable_reasoning = _NO_REASONING  # a CPU has no time for thoughts that nobody reads
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = False
    parameters.endpoint_metrics = True  # asked once, in process, when the model is loaded
    return parameters
