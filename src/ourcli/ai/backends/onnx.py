"""ONNX Runtime: open a model file with bounded memory and threads, and run it on padded token ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ourcli.common.errors import ModelBrokenError, ModelError, ModelMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnxruntime

Hidden = NDArray[np.float32]
"""Shape [batch, sequence, hidden], float32."""

Logits = NDArray[np.float32]
"""Shape [batch, choices] or [batch, sequence, choices], float32."""

PaddingSide = Literal["left", "right"]

_ERRORS_ONLY = 3  # ONNX Runtime's own warnings would go to the user's terminal
_SETUP_HINT = "run `ourcli models verify`, then `ourcli setup`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which output of a model is read.

    Attributes:
        what: What it is, for messages.
        names: Names that exporters give it, tried in order before all others.
        ranks: How many dimensions it may have.
    """

    what: str
    names: tuple[str, ...]
    ranks: tuple[int, ...]


HIDDEN_STATES = Wanted(what="hidden states", names=("last_hidden_state", "token_embeddings"), ranks=(3,))
LOGITS = Wanted(what="logits", names=("logits",), ranks=(2, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedBatch:
    """Token ids as a model takes them.

    Attributes:
        ids: Token ids, shape [batch, sequence], int64; 0 where padded.
        mask: 1 for a token, 0 for padding, same shape.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], side: PaddingSide) -> PaddedBatch:
        """Pad rows of token ids to the longest one."""
        width = max(map(len, rows))
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            where = slice(0, len(row)) if side == "right" else slice(width - len(row), width)
            ids[index, where] = row
            mask[index, where] = 1
        return cls(ids=ids, mask=mask)


class OnnxSession:
    """One loaded model file on the CPU.

    The memory arena is off (it keeps the largest batch ever seen: 1.7 GB instead of 0.27), and idle threads
    sleep instead of spinning.

    Args:
        path: The model file.
        threads: Threads that one run may use.
        wanted: The output that is read.

    Raises:
        ModelMissingError: There is no such file.
        ModelBrokenError: ONNX Runtime cannot load it, or it has no such output.
    """

    def __init__(self, path: Path, *, threads: int, wanted: Wanted = HIDDEN_STATES) -> None:
        if not path.is_file():
            raise ModelMissingError(f"the model file {str(path)!r} is missing", hint="run `ourcli setup`")
        self._path = path
        self._session = _open(path, threads)
        self._inputs = {value.name: value for value in self._session.get_inputs()}
        self._output = _output(self._session, path, wanted)

    @property
    def choices(self) -> int | None:
        """Size of the output's last dimension, None where the model leaves it open."""
        (size,) = (value.shape[-1] for value in self._session.get_outputs() if value.name == self._output)
        return size if isinstance(size, int) else None

    def run(self, batch: PaddedBatch) -> NDArray[np.float32]:
        """Return the output that is wanted: hidden states or logits.

        Raises:
            ModelBrokenError: The model wants an input that is not known here.
            ModelError: The run failed.
        """
        feeds = {name: self._feed(value, batch) for name, value in self._inputs.items()}
        try:
            (found,) = self._session.run([self._output], feeds)
        except _native_errors() as exc:
            raise ModelError(f"the model {self._path.name!r} failed: {exc}", hint=_SETUP_HINT) from exc
        return np.asarray(found, dtype=np.float32)

    def _feed(self, value: Any, batch: PaddedBatch) -> NDArray[Any]:
        match value.name:
            case "input_ids":
                return batch.ids
            case "attention_mask":
                return batch.mask
            case "token_type_ids":
                return np.zeros_like(batch.ids)
            case "position_ids":
                return np.maximum(np.cumsum(batch.mask, axis=1) - 1, 0)
        if value.name.startswith("past_key_values."):
            return _empty_past(value, len(batch.ids))
        raise ModelBrokenError(f"the model {self._path.name!r} wants an unknown input {value.name!r}")


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime  # deferred: 0.1 s that a command answered from the cache does not need

    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _native_errors() as exc:
        raise ModelBrokenError(f"cannot load the model {str(path)!r}: {exc}", hint=_SETUP_HINT) from exc


def _native_errors() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises; its own classes share no base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as native  # deferred with the library itself

    own = [value for value in vars(native).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*own, RuntimeError, ValueError)


def _output(session: onnxruntime.InferenceSession, path: Path, wanted: Wanted) -> str:
    outputs: dict[str, int] = {value.name: len(value.shape) for value in session.get_outputs()}
    for name in (*wanted.names, *outputs):
        if outputs.get(name) in wanted.ranks:
            return name
    raise ModelBrokenError(f"the model {path.name!r} has no output of {wanted.what}, only {sorted(outputs)}")


def _empty_past(value: Any, batch: int) -> NDArray[Any]:
    """Return a cache of no tokens: the first free size is the batch, every other free one is empty."""
    first, *rest = value.shape
    shape = [batch if isinstance(first, str) else first, *(0 if isinstance(size, str) else size for size in rest)]
    return np.zeros(shape, dtype=np.float16 if value.type == "tensor(float16)" else np.float32)
