"""What only a process of its own shows: signals, pipes, completion."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promises import promise

FAKE = [sys.executable, str(Path(__file__).parent / "fake_process.py")]


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*FAKE, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    assert process.stdout is not None
    seen = ""
    while text not in seen:
        piece = process.stdout.read(1)
        assert piece, f"the process ended after {seen!r}"
        seen += piece
    return seen


@promise("cli.errors.interrupted")
def test_ctrl_c_closes_everything_and_ends_with_130() -> None:
    with start("ask", "why?", FAKE_HANGS="1") as process:
        read_until(process, "15 minutes")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err == "closed\ninterrupted\n"


@promise("cli.errors.interrupted")
def test_a_second_ctrl_c_leaves_at_once() -> None:
    with start("ask", "why?", FAKE_HANGS="1", FAKE_STUBBORN="1") as process:
        read_until(process, "15 minutes")
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.readline() == "closed\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

    assert process.returncode == 130


@promise("cli.output.broken-pipe")
def test_a_reader_that_leaves_ends_the_answer_quietly() -> None:
    with start("ask", "why?", FAKE_LONG="1", FAKE_HANGS="1") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(timeout=30)

    assert (process.returncode, err) == (0, "closed\n")


@promise("cli.output.broken-pipe")
@pytest.mark.parametrize("words", [["--help"], ["recipes", "show", "answer"]], ids=" ".join)
def test_output_that_nobody_reads_is_no_error(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [*FAKE, *words], stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)

    assert (done.returncode, done.stderr.replace("closed\n", "")) == (0, "")


def test_bytes_that_are_no_text_do_not_stop_a_question() -> None:
    done = subprocess.run([*FAKE, "ask", "--json"], input=b"why \xff?", capture_output=True, check=False)

    assert done.returncode == 0
    assert "why �?" in done.stdout.decode()


@promise("cli.completion.shells")
def test_completing_a_command_offers_names_and_loads_nothing_heavy() -> None:
    probe = "import sys; from ourcli.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    environment = {"_OURCLI_COMPLETE": "bash_complete", "COMP_WORDS": "ourcli memory ex", "COMP_CWORD": "2"}

    done = subprocess.run(
        [sys.executable, "-c", probe], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )

    assert done.stdout == "plain,export\n"
    assert {"asyncio", "pydantic", "rich", "lancedb", "numpy"} & set(done.stderr.split()) == set()
