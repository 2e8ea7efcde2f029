"""Read the header of a GGUF file, and refuse a damaged one before native code sees it.

llama.cpp reports most damage, but it aborts the whole process on some values (a block count of 2**20, a
context of 0, an epsilon that is not a number were seen to). The layout is that of the GGUF specification,
version 2 and 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ourcli.common.errors import ModelBrokenError, ModelError, ModelMissingError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_ENTRIES = 100_000
_MOST_ITEMS = 10_000_000
_LONGEST_KEY = 65_535
_MOST_DIMENSIONS = 4
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_BOUNDS = {
    "context_length": (1, 2**27),
    "block_count": (1, 4096),
    "embedding_length": (1, 2**20),
    "attention.head_count": (1, 2**14),
    "attention.head_count_kv": (0, 2**14),
    "attention.layer_norm_rms_epsilon": (1e-20, 1),
    "attention.layer_norm_epsilon": (1e-20, 1),
}
"""Between what any real model has; outside, llama.cpp may abort. Values that are lists are left to it."""
_HINT = "fetch it again, or name another model; for a model of the registry: ourcli models verify"

_Value = int | float | str | None


class _Damage(Exception):  # noqa: N818 - never leaves this module
    """What is wrong with the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What a model says of itself.

    Attributes:
        architecture: Such as `llama` or `qwen2`.
        context_tokens: The longest context it was trained for.
        size_bytes: Size of the file.
    """

    architecture: str
    context_tokens: int
    size_bytes: int


def read_header(path: Path) -> GgufHeader:
    """Return the header of the model in `path`; about 0.1 s for a vocabulary of 150,000.

    Raises:
        ModelMissingError: There is no such file.
        ModelError: It may not be read.
        ModelBrokenError: It is no GGUF file, or a damaged one.
    """
    try:
        with path.open("rb") as stream:
            if stream.read(4) != _MAGIC:
                raise _Damage("it is not a GGUF file")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return _Reader(view).header()
    except FileNotFoundError as exc:
        raise ModelMissingError(f"there is no model at {str(path)!r}", hint="ourcli setup fetches one") from exc
    except (OSError, ValueError) as exc:
        raise ModelError(f"cannot read the model {str(path)!r}: {exc}", hint="check the path and permissions") from exc
    except _Damage as exc:
        raise ModelBrokenError(f"the model {str(path)!r} is damaged: {exc}", hint=_HINT) from exc
    except (struct.error, OverflowError) as exc:
        raise ModelBrokenError(f"the model {str(path)!r} is damaged: its header is cut off", hint=_HINT) from exc


class _Reader:
    """Walk through a header; what lies beyond the file's end is a `struct.error`."""

    def __init__(self, view: mmap.mmap) -> None:
        self._view = view
        self._size = len(view)
        self._at = len(_MAGIC)

    def header(self) -> GgufHeader:
        version = self._number("<I")
        if version not in _VERSIONS:
            raise _Damage(f"its GGUF version is {version}")
        tensors, entries = self._count(_MOST_ENTRIES), self._count(_MOST_ENTRIES)
        values = dict(self._entry() for _ in range(entries))
        last = max((self._tensor() for _ in range(tensors)), default=0)
        alignment = values.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise _Damage(f"its alignment is {alignment!r}")
        if tensors == 0 or -(-self._at // alignment) * alignment + last >= self._size:
            raise _Damage("its weights are cut off")
        return _checked(values, self._size)

    def _entry(self) -> tuple[str, _Value]:
        key = self._text(_LONGEST_KEY)
        return key, self._value(self._kind())

    def _value(self, kind: int) -> _Value:
        if kind == _STRING:
            return self._text(self._size)
        if kind == _ARRAY:
            self._skip_array()
            return None
        return self._scalar(_SCALARS[kind])

    def _skip_array(self) -> None:
        kind, count = self._kind(), self._count(_MOST_ITEMS)
        if kind == _ARRAY:
            raise _Damage("it has a list of lists")
        if kind != _STRING:
            self._skip(count * struct.calcsize(_SCALARS[kind]))
            return
        length_at, view, at = struct.Struct("<Q").unpack_from, self._view, self._at
        for _ in range(count):
            at += 8 + length_at(view, at)[0]
        self._at = at

    def _tensor(self) -> int:
        """Return where the weights of the next tensor begin, after the header."""
        self._text(_LONGEST_KEY)
        dimensions = self._number("<I")
        if dimensions > _MOST_DIMENSIONS:
            raise _Damage(f"it has a tensor of {dimensions} dimensions")
        self._skip(dimensions * 8 + 4)
        return self._number("<Q")

    def _kind(self) -> int:
        kind = self._number("<I")
        if kind not in _SCALARS and kind not in (_STRING, _ARRAY):
            raise _Damage(f"it has a value of the unknown type {kind}")
        return kind

    def _count(self, most: int) -> int:
        count = self._number("<Q")
        if count > most:
            raise _Damage(f"it claims {count} entries")
        return count

    def _text(self, longest: int) -> str:
        length = self._count(longest)
        start = self._at
        self._skip(length)
        if self._at > self._size:
            raise _Damage("its header is cut off")
        return self._view[start : self._at].decode("utf-8", "replace")

    def _number(self, form: str) -> int:
        return int(self._scalar(form))

    def _scalar(self, form: str) -> int | float:
        number: int | float = struct.unpack_from(form, self._view, self._at)[0]
        self._skip(struct.calcsize(form))
        return number

    def _skip(self, length: int) -> None:
        self._at += length


def _checked(values: Mapping[str, _Value], size_bytes: int) -> GgufHeader:
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise _Damage("it does not name its architecture")
    for key, (least, most) in _BOUNDS.items():
        value = values.get(f"{architecture}.{key}")
        if isinstance(value, int | float) and not least <= value <= most:
            raise _Damage(f"its {key} is {value}")
    context = values.get(f"{architecture}.context_length")
    if not isinstance(context, int):
        raise _Damage("it does not say how long its context is")
    return GgufHeader(architecture=architecture, context_tokens=context, size_bytes=size_bytes)
