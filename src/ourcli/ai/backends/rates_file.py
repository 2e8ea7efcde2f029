"""Reading speeds in a small JSON file, one number for each model and number of threads."""

import json
import logging
from pathlib import Path

from pydantic import RootModel, ValidationError

from ourcli.ai.budget import guessed_rate, learned_rate, measured_rate
from ourcli.ai.ports import Finished
from ourcli.common.errors import StoreError
from ourcli.common.files import atomic_write

_log = logging.getLogger(__name__)


class _Rates(RootModel[dict[str, float]]):
    """Tokens a second by `MODEL/THREADS`."""


class FilePrefillRates:
    """Remember reading speeds in `path`.

    What stands there is a convenience: a file that is damaged or cannot be written costs one log line and
    the next guess, never an answer. Of two processes that write at once, the later one wins.

    Args:
        path: The file; made at the first measurement.
        threads: Threads that the models of this process use.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._path = path
        self._threads = threads

    def rate(self, model: str, *, weights_bytes: int = 0) -> float:
        """Return prompt tokens a second: as measured, else a guess from the size of the weights."""
        return self._read().get(self._key(model)) or guessed_rate(weights_bytes, self._threads)

    def note(self, model: str, finished: Finished) -> None:
        """Learn from an answer; one with too little uncached prompt teaches nothing."""
        measured = measured_rate(finished)
        if measured is None:
            return
        rates = self._read()
        rates[self._key(model)] = round(learned_rate(rates.get(self._key(model)), measured), 2)
        try:
            with atomic_write(self._path) as stream:
                stream.write(json.dumps(rates, indent=1, sort_keys=True).encode())
        except StoreError as exc:
            _log.warning("the reading speed is not remembered: %s", exc.message)

    def _key(self, model: str) -> str:
        return f"{model}/{self._threads}"

    def _read(self) -> dict[str, float]:
        try:
            rates = _Rates.model_validate_json(self._path.read_bytes()).root
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as exc:
            _log.warning("%s is not readable and is begun anew: %s", self._path, exc)
            return {}
        return {key: rate for key, rate in rates.items() if 0 < rate < 1e6}


def open_prefill_rates(path: Path, *, threads: int) -> FilePrefillRates:
    """Return the speeds remembered in `path`, for models that run on `threads` threads."""
    return FilePrefillRates(path, threads=threads)
