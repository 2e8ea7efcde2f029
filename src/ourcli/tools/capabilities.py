"""Rights that a tool can request and a user can grant, as values: parse, write, compare.

    fs:read=PATH   fs:write=PATH   env=KEY   net=HOST[:PORT]   memory:read   memory:write   clock   exec   use

A path is absolute or begins with `~/`; it means the folder or file with everything below it. To write
includes to read the same place. A host without a port means every port of it, and no other host. `use` is asked for
by ourcli itself, for tools that a person has to agree to before they run at all.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from ourcli.common.errors import InvalidInputError

MOST_CHARACTERS = 1024
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_SHAPES = "fs:read=PATH, fs:write=PATH, env=KEY, net=HOST[:PORT], memory:read, memory:write, clock, exec or use"


class CapabilityKind(StrEnum):
    """What sort of right it is."""

    FS_READ = "fs:read"
    FS_WRITE = "fs:write"
    ENV = "env"
    NET = "net"
    MEMORY_READ = "memory:read"
    MEMORY_WRITE = "memory:write"
    CLOCK = "clock"
    EXEC = "exec"
    USE = "use"


_WITH_VALUE = {CapabilityKind.FS_READ, CapabilityKind.FS_WRITE, CapabilityKind.ENV, CapabilityKind.NET}
_FILES = {CapabilityKind.FS_READ, CapabilityKind.FS_WRITE}


@dataclass(frozen=True, slots=True, order=True)
class Capability:
    """One right.

    Attributes:
        kind: What sort.
        value: The path (absolute, without `.` and `..`), the key or the host with its port; "" where there is none.
    """

    kind: CapabilityKind
    value: str = ""

    def __str__(self) -> str:
        return f"{self.kind}={self.value}" if self.value else str(self.kind)

    @property
    def path(self) -> Path:
        """The place on disk; for the `fs` kinds only."""
        return Path(self.value)

    def covers(self, other: "Capability") -> bool:
        """Say whether whoever holds this right holds `other` too."""
        if self.kind in _FILES and other.kind in _FILES:
            if self.kind is CapabilityKind.FS_READ and other.kind is CapabilityKind.FS_WRITE:
                return False
            return PurePosixPath(other.value).is_relative_to(PurePosixPath(self.value))
        if self.kind is not other.kind:
            return False
        if self.kind is CapabilityKind.NET:
            host, port = _split_port(self.value)
            return (host, port or _split_port(other.value)[1]) == _split_port(other.value)
        return self.value == other.value


@dataclass(frozen=True, slots=True, order=True)
class Quota:
    """How large everything below a path that may be written may get through a tool.

    It is the size that stood there when the right was granted, plus what the tool may add. Whoever writes on behalf
    of a tool (the guest's worker, the built-in tools) measures the tree and refuses what would pass it.

    Attributes:
        path: The path of an `fs:write` right that is granted.
        most_bytes: The sum of the sizes of all files below it, at most.
    """

    path: str
    most_bytes: int


def missing(requested: Iterable[Capability], granted: Iterable[Capability]) -> tuple[Capability, ...]:
    """Return what is requested and not covered by what is granted, in order."""
    held = tuple(granted)
    return tuple(one for one in requested if not any(right.covers(one) for right in held))


def parse(text: str, *, home: Path | None = None) -> Capability:
    """Return the right that `text` names.

    Args:
        text: As in the shapes above.
        home: What `~` means; None for the user's own folder.

    Raises:
        InvalidInputError: It names none; the hint shows the shapes.
    """
    name, equals, value = text.partition("=")
    if len(text) > MOST_CHARACTERS or not text.isprintable() or name not in set(CapabilityKind):
        raise _unknown(text)
    kind = CapabilityKind(name)
    if bool(equals) != (kind in _WITH_VALUE):
        raise _unknown(text)
    if kind in _FILES:
        return Capability(kind, _path(text, value, home))
    if kind is CapabilityKind.ENV:
        return Capability(kind, _matched(_KEY, text, value))
    if kind is CapabilityKind.NET:
        return Capability(kind, _host(text, value))
    return Capability(kind)


def _unknown(text: str) -> InvalidInputError:
    return InvalidInputError(f"{text[:120]!r} is no capability", hint=f"write {_SHAPES}")


def _matched(pattern: re.Pattern[str], text: str, value: str) -> str:
    if not pattern.match(value):
        raise _unknown(text)
    return value


def _path(text: str, value: str, home: Path | None) -> str:
    if value == "~" or value.startswith("~/"):
        value = str((home or Path.home()) / value[2:])
    path = PurePosixPath(value.replace("\\", "/") if _is_windows(value) else value)
    if not (path.is_absolute() or _is_windows(value)) or ".." in path.parts:
        raise InvalidInputError(
            f"{text[:120]!r} names no absolute path", hint="write the whole path without `..`, or begin it with `~/`"
        )
    return "/" + str(path).lstrip("/") if path.is_absolute() else str(path)


def _is_windows(value: str) -> bool:
    return re.match(r"[A-Za-z]:[\\/]", value) is not None


def _host(text: str, value: str) -> str:
    host, port = _split_port(value.lower())
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _unknown(text)
    bare = host.strip("[]")
    try:
        address = ipaddress.ip_address(bare)
        host = f"[{address}]" if address.version == 6 else str(address)
    except ValueError:
        labels = host.split(".")
        looks_like_a_number = labels[-1].isdigit() or labels[-1].startswith("0x")
        if len(host) > 253 or looks_like_a_number or not all(_LABEL.match(label) for label in labels):
            raise _unknown(text) from None
    return f"{host}:{int(port)}" if port else host


def _split_port(value: str) -> tuple[str, str]:
    if value.startswith("["):
        host, _, rest = value.partition("]")
        return host + "]", rest.removeprefix(":")
    host, _, port = value.partition(":")
    return host, port
