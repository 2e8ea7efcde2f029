"""Diagnostics in a file, by the levels of OURCLI_LOG."""

import json
import logging
from pathlib import Path

from ourcli.config.flags import parse_log_spec
from ourcli.observability.backends.jsonl import JsonLines
from ourcli.observability.backends.logs import log_to
from ourcli.testing.lines import MemoryLines
from tests.promises import promise


def silent(message: str) -> None:
    raise AssertionError(f"warned: {message}")


def logged(lines: MemoryLines) -> list[tuple[str, str]]:
    return [(entry["logger"], entry["message"]) for entry in map(json.loads, lines.kept)]


@promise("observability.events.full-disk")
def test_a_log_that_cannot_be_written_warns_once() -> None:
    warnings: list[str] = []
    with log_to(MemoryLines(failing=True), parse_log_spec(""), warn=warnings.append):
        logging.getLogger("ourcli.core").warning("one")
        logging.getLogger("ourcli.core").warning("two")
    assert len(warnings) == 1


@promise("observability.logs.levels")
def test_warnings_are_kept_when_nothing_is_asked() -> None:
    lines = MemoryLines()
    with log_to(lines, parse_log_spec(""), warn=silent):
        logging.getLogger("ourcli.core").info("unseen")
        logging.getLogger("ourcli.core").warning("seen %d", 1)
    assert logged(lines) == [("ourcli.core", "seen 1")]


@promise("observability.logs.levels")
def test_targets_have_levels_of_their_own() -> None:
    lines = MemoryLines()
    with log_to(lines, parse_log_spec("error,memory=debug"), warn=silent):
        logging.getLogger("ourcli.core").warning("unseen")
        logging.getLogger("ourcli.memory.service").debug("seen")
    assert logged(lines) == [("ourcli.memory.service", "seen")]


def test_a_traceback_stays_in_its_line() -> None:
    lines = MemoryLines()
    with log_to(lines, parse_log_spec(""), warn=silent):
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("ourcli.core").exception("failed")
    (entry,) = map(json.loads, lines.kept)
    assert entry["level"] == "error"
    assert "ValueError: broken" in entry["exception"]


def test_levels_of_before_stand_again_afterwards() -> None:
    before = (logging.getLogger().level, logging.getLogger("ourcli.memory").level, list(logging.getLogger().handlers))
    with log_to(MemoryLines(), parse_log_spec("debug,memory=error"), warn=silent):
        pass
    after = (logging.getLogger().level, logging.getLogger("ourcli.memory").level, list(logging.getLogger().handlers))
    assert after == before


def test_what_the_file_logs_about_itself_is_not_logged(tmp_path: Path) -> None:
    lines = JsonLines(tmp_path / "ourcli.jsonl", max_bytes=200)
    with log_to(lines, parse_log_spec("debug"), warn=silent):
        for number in range(20):
            logging.getLogger("ourcli.core").debug("number %d", number)
    assert "filelock" not in (tmp_path / "ourcli.jsonl").read_text()
