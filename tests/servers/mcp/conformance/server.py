"""Serve the conformance suite's fixtures through the product's own HTTP server: its gate, transport and handlers."""

import sys

import anyio

from ourcli.servers.mcp.server import build
from ourcli.servers.mcp.serving import serve_port
from tests.servers.mcp.conformance.fixtures import Fixtures


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    anyio.run(lambda: serve_port(build(Fixtures()), sys.argv[1], tell=_say))
