"""Hold ourcli's MCP server and client against the protocol's own conformance suite.

python tools/conformance.py server          what revision 2026-07-28 requires of servers
python tools/conformance.py client          what it requires of clients

The suite is a program of Node.js. It knows no tokens, so a few lines beside the fixtures give it the server's.
`make conformance` runs this; fetching the suite needs the network once.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.toolchains import node

ROOT = Path(__file__).resolve().parent.parent
SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
INTEGRITY = "sha512-eXtZFgmtZiU5SsvXty+RGXGnyIqEVm3GLU/HZmg1wMjtKOocPZZgD9HQKd30oJhio5UB0wFJmsc6r8u48Q+EYA=="
"""Of the suite's own archive, as npm checks and records it."""
REVISION = "2026-07-28"
OLDEST_NODE = 22
SCENARIO_MS = 400_000
"""The suite starts the clients of all scenarios at once; they wait for their turn."""
FOLDER = ROOT / "build" / "conformance"
PROGRAM = FOLDER / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
BESIDE = ROOT / "tests" / "servers" / "mcp" / "conformance"
_STARTS_S = 60.0


def the_node() -> str:
    """Return Node.js.

    Raises:
        SystemExit: It is missing or too old.
    """
    program = node()
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout if program else ""
    version = re.match(r"v(\d+)", told)
    if program is None or version is None or int(version[1]) < OLDEST_NODE:
        raise SystemExit(f"error: Node.js {OLDEST_NODE} or newer is missing\nhint: make languages")
    return program


def fetch(program: str) -> None:
    """Fetch the suite, unless it is there; no script of a package is run."""
    if PROGRAM.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    script = Path(program).resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = [program, str(script)] if script.exists() else ["npm"]
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", str(FOLDER)]
    subprocess.run([*npm, "install", *options, SUITE], check=True, stdout=sys.stderr)
    told = json.loads((FOLDER / "node_modules" / ".package-lock.json").read_text())
    if told["packages"]["node_modules/" + SUITE.rpartition("@")[0]]["integrity"] != INTEGRITY:
        shutil.rmtree(FOLDER)
        raise SystemExit(f"error: {SUITE} is not what it was; it was removed again")


@contextmanager
def fixture_server() -> Iterator[tuple[str, str]]:
    """Run the product's server over the suite's fixtures, with a home of its own; give its address and its token."""
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "-m", "tests.servers.mcp.conformance.server", "0"]
        environment = {**os.environ, "OURCLI_HOME": home}
        server = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        try:
            assert server.stderr is not None
            address = server.stderr.readline().strip().removeprefix("MCP server on ")
            place = server.stderr.readline().strip().removeprefix("bearer token in ")
            if not address.startswith("http://127.0.0.1:"):
                raise SystemExit(f"error: the server did not start: {address}")
            yield address, Path(place).read_text("ascii").strip()
        finally:
            server.terminate()
            server.communicate(timeout=_STARTS_S)


def server() -> int:
    """Run what is required of servers; return the suite's exit code."""
    program = the_node()
    fetch(program)
    with fixture_server() as (address, token), tempfile.TemporaryDirectory() as results:
        words = [program, "--import", str(BESIDE / "token.mjs"), str(PROGRAM), "server", "--url", address]
        done = subprocess.run(
            [*words, "--requirements", REVISION, "--output-dir", results],
            env={**os.environ, "SERVER_TOKEN": token},
            cwd=FOLDER,
            check=False,
        )
    return done.returncode


def client() -> int:
    """Run what is required of clients; return the suite's exit code."""
    program = the_node()
    fetch(program)
    command = shlex.join([sys.executable, "-m", "tests.tools.mcp.conformance_turn"])
    with tempfile.TemporaryDirectory() as results:
        words = [program, str(PROGRAM), "client", "--command", command, "--requirements", REVISION]
        done = subprocess.run([*words, "--output-dir", results, "--timeout", str(SCENARIO_MS)], cwd=ROOT, check=False)
    return done.returncode


def main(words: Sequence[str]) -> int:
    """Run the halves that are named, all of them when none is."""
    halves = {"server": server, "client": client}
    unknown = [word for word in words if word not in halves]
    if unknown:
        raise SystemExit(f"error: no part {unknown[0]!r}\nhint: {', '.join(halves)}")
    return max(halves[word]() for word in words or halves)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
