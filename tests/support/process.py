"""Run the real command line in processes of its own: its exit code, its streams, its signals."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

TIMEOUT_S = 240
"""Only bounds a failure; nothing here takes long on a quiet machine."""

NO_NETWORK = ("unshare", "-rn", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh")
"""Words before a command that run it in a namespace without network, loopback raised where `ip` is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """`ourcli` with a home and a working folder.

    Attributes:
        home: Its OURCLI_HOME.
        folder: Where it is started.
        environment: More variables.
        before: Words in front of the command, such as `unshare -rn`.
    """

    home: Path
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Sequence[str] = ()

    def among(self, *before: str, **environment: str) -> "CommandLine":
        """Return the same with words in front and more variables."""
        return replace(self, before=before, environment={**self.environment, **environment})

    def at(self, home: Path) -> "CommandLine":
        """Return the same with another home."""
        return replace(self, home=home)

    def words(self, *arguments: str | bytes) -> list[str | bytes]:
        """Return the whole command."""
        return [*self.before, sys.executable, "-m", "ourcli", *arguments]

    def variables(self) -> dict[str, str]:
        """Return the environment of the process."""
        return {**os.environ, "OURCLI_HOME": str(self.home), **self.environment}

    def run(self, *arguments: str | bytes, stdin: str | bytes = b"") -> Done:
        """Run a command to its end; an empty `stdin` is a closed one."""
        done = subprocess.run(
            self.words(*arguments),
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.folder,
            env=self.variables(),
            timeout=TIMEOUT_S,
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())

    def start(self, *arguments: str | bytes, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        """Start a command; whoever starts it ends it."""
        return subprocess.Popen(
            self.words(*arguments),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.variables(),
        )


def finished(process: "subprocess.Popen[str]") -> Done:
    """Wait for a started process and return what it left."""
    out, err = process.communicate(timeout=TIMEOUT_S)
    return Done(code=process.returncode, out=out, err=err)


def refusal(*words: str) -> str:
    """Return why a command such as `unshare -rn true` cannot run here; "" when it can."""
    try:
        done = subprocess.run(words, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return f"{words[0]}: {exc}"
    return "" if done.returncode == 0 else f"`{' '.join(words)}` was refused: {done.stderr.decode().strip()}"
