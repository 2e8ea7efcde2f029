"""Send the standard library's log records to a rotating file of JSON lines, by the levels of `OURCLI_LOG`."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ourcli.common.errors import StoreError
from ourcli.config.flags import LogSpec
from ourcli.observability.ports import LineLog

DEFAULT_LEVEL = logging.WARNING
"""What is kept when `OURCLI_LOG` names no level for everything."""


class LineHandler(logging.Handler):
    """Write each log record as one line of JSON: `{at, level, logger, message, exception}`.

    Args:
        lines: Where lines are kept.
        warn: Told once when they cannot be written.
    """

    def __init__(self, lines: LineLog, *, warn: Callable[[str], None]) -> None:
        super().__init__()
        self._lines = lines
        self._warn = warn
        self._warned = False
        self._writing = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a file that cannot be written never breaks the command."""
        if self._writing:  # what writing the log itself logs (the file lock does) is not logged
            return
        self._writing = True
        try:
            self._lines.append(json.dumps(_as_json(record), ensure_ascii=False))
        except StoreError as exc:
            if not self._warned:
                self._warned = True
                self._warn(f"diagnostics are not being logged: {exc.message}")
        except (TypeError, ValueError):  # a message whose arguments do not fit its format
            self.handleError(record)
        finally:
            self._writing = False


def _as_json(record: logging.LogRecord) -> dict[str, object]:
    entry: dict[str, object] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    if record.exc_info:
        entry["exception"] = logging.Formatter().formatException(record.exc_info)
    return entry


@contextmanager
def log_to(lines: LineLog, spec: LogSpec, *, warn: Callable[[str], None]) -> Iterator[None]:
    """Send log records to `lines` while the context is open; the levels of before stand again afterwards."""
    handler = LineHandler(lines, warn=warn)
    root = logging.getLogger()
    levels: dict[str | None, int] = {None: DEFAULT_LEVEL if spec.level is None else spec.level}
    levels.update((name, level) for name, level in spec.targets.items())
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
