"""The switches that are no settings: the network, the log levels, and the extras that may be installed."""

import difflib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType

from ourcli.common.errors import ConfigError, MissingExtraError

LEVELS: Mapping[str, int] = MappingProxyType(
    {
        "off": logging.CRITICAL + 10,
        "error": logging.ERROR,
        "warning": logging.WARNING,
        "info": logging.INFO,
        "debug": logging.DEBUG,
    }
)
_ALIASES = {"warn": "warning"}
_ROOMS = (
    "ai",
    "app",
    "cli",
    "common",
    "config",
    "core",
    "memory",
    "observability",
    "scheduler",
    "servers",
    "tools",
    "tui",
)
_TARGET = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_LOG_HINT = "OURCLI_LOG=info, OURCLI_LOG=debug, or OURCLI_LOG=warning,memory=debug"


def network_allowed(environment: Mapping[str, str]) -> bool:
    """Say whether `OURCLI_NET=1` is set. Unset, empty and `0` are off.

    Raises:
        ConfigError: It is anything else; a guess about the network could be wrong.
    """
    value = environment.get("OURCLI_NET", "")
    if value == "1":
        return True
    if value in ("", "0"):
        return False
    raise ConfigError(f"OURCLI_NET is {value!r}, expected 1 or 0", hint="OURCLI_NET=1 allows the network")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpec:
    """Which log records are kept.

    Attributes:
        level: The least level of the standard library's `logging` for every logger, or None when none is given.
        targets: The least level for single loggers and all below them.
    """

    level: int | None = None
    targets: Mapping[str, int]


def parse_log_spec(text: str) -> LogSpec:
    """Return what `OURCLI_LOG` asks for: `level`, `target=level`, or several of them between commas.

    A target is the name of a logger; a room's name (`memory`) stands for its logger (`ourcli.memory`).

    Raises:
        ConfigError: No such level, or no such form; names the nearest.
    """
    level: int | None = None
    targets: dict[str, int] = {}
    for part in (part.strip() for part in text.split(",")):
        target, equals, name = part.rpartition("=")
        if not part:
            continue
        if not equals:
            level = _level(part)
        elif not _TARGET.fullmatch(target.strip()):
            raise ConfigError(f"OURCLI_LOG: {target!r} is not the name of a logger", hint=_LOG_HINT)
        else:
            targets[_logger(target.strip())] = _level(name.strip())
    return LogSpec(level=level, targets=MappingProxyType(targets))


def _level(name: str) -> int:
    wanted = _ALIASES.get(name.lower(), name.lower())
    if wanted in LEVELS:
        return LEVELS[wanted]
    close = difflib.get_close_matches(wanted[:40], LEVELS, n=1)
    near = f"did you mean {close[0]!r}? " if close else ""
    raise ConfigError(
        f"OURCLI_LOG: no such level {name[:40]!r}, expected one of {', '.join(LEVELS)}", hint=f"{near}{_LOG_HINT}"
    )


def _logger(target: str) -> str:
    return f"ourcli.{target}" if target.partition(".")[0] in _ROOMS else target


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """An optional part of ourcli.

    Attributes:
        name: As in `ourcli[NAME]`.
        purpose: What it is for.
        modules: What it installs; all of them must be there.
    """

    name: str
    purpose: str
    modules: tuple[str, ...]


EXTRAS: Mapping[str, Extra] = MappingProxyType(
    {
        extra.name: extra
        for extra in (
            Extra(
                name="docs",
                purpose="reading PDF and office documents",
                modules=("docx", "openpyxl", "pptx", "pypdf"),
            ),
            Extra(name="remote-openai", purpose="models behind an OpenAI-compatible endpoint", modules=("openai",)),
            Extra(name="gpu", purpose="ONNX models on the GPU", modules=("onnxruntime_ep_webgpu",)),
            Extra(name="tui", purpose="the board on the terminal", modules=("textual",)),
        )
    }
)


def has_extra(name: str) -> bool:
    """Say whether the extra called `name` is installed; nothing is imported."""
    return all(_installed(module) for module in EXTRAS[name].modules)


def require_extra(name: str, has: Callable[[str], bool] = has_extra) -> None:
    """Return when the extra called `name` is installed.

    Args:
        name: One of `EXTRAS`.
        has: Says whether it is.

    Raises:
        MissingExtraError: It is not; the hint says how to install it.
    """
    extra = EXTRAS[name]
    if not has(name):
        raise MissingExtraError(
            f"the extra {name!r} ({extra.purpose}) is not installed",
            hint=f'pip install "ourcli[{name}]", or uv tool install "ourcli[{name}]"',
        )


def _installed(module: str) -> bool:
    return find_spec(module) is not None
