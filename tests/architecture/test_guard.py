"""The guard of the suite stops every way out before anything is sent, and leaves loopback alone."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from tests.guard import ForeignAddressError, Guard
from tests.promises import promise

ROOT = Path(__file__).resolve().parents[2]
ABROAD = ("192.0.2.1", 9)  # TEST-NET-1 of RFC 5737: routed nowhere
NAMED = ("ourcli.invalid", 9)  # RFC 2606: no such name


def dial(address: tuple[str, int], how: str) -> object:
    """Call one method of a socket that would reach `address`."""
    kind = socket.SOCK_DGRAM if how.startswith("send") else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as one:
        match how:
            case "sendto":
                return one.sendto(b"x", address)
            case "sendto with flags":
                return one.sendto(b"x", 0, address)
            case "sendmsg":
                return one.sendmsg([b"x"], [], 0, address)
            case _:
                return getattr(one, how)(address)


def refused(guard: Guard) -> list[str]:
    """Take what the guard refused, so that it does not fail the test that wanted it."""
    taken = list(guard.refused)
    guard.refused.clear()
    return taken


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """Record, below the guard, what reaches the system: the interpreter reports each dial, write and lookup."""
    seen: list[str] = []
    listening = True

    def hook(event: str, _arguments: tuple[object, ...]) -> None:
        if listening and event in {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}:
            seen.append(event)

    sys.addaudithook(hook)  # stays for the life of the process, and is deaf after the test
    yield seen
    listening = False


@promise("release.tests.loopback-only")
@pytest.mark.parametrize("how", ["connect", "connect_ex", "sendto", "sendto with flags", "sendmsg"])
@pytest.mark.parametrize("address", [ABROAD, NAMED], ids=["by number", "by name"])
def test_a_socket_that_would_leave_the_machine_fails_and_sends_nothing(
    how: str, address: tuple[str, int], sent: list[str], no_foreign_sockets: Guard
) -> None:
    with pytest.raises(ForeignAddressError):
        dial(address, how)
    assert sent == []
    assert refused(no_foreign_sockets) == [address[0]]


async def connect_tcp(address: tuple[str, int]) -> None:
    """Dial as anyio does, and let the refusal out of the task group."""
    try:
        await anyio.connect_tcp(*address)
    except ExceptionGroup as group:
        raise group.exceptions[0] from group


LOOKUPS: list[Callable[[], object]] = [
    lambda: socket.getaddrinfo(*NAMED),
    lambda: socket.getaddrinfo(host=NAMED[0].encode(), port=9),
    lambda: socket.gethostbyname(NAMED[0]),
    lambda: socket.gethostbyaddr(ABROAD[0]),
    lambda: socket.create_connection(ABROAD, timeout=1),
    lambda: socket.create_connection(address=NAMED, timeout=1),
    lambda: asyncio.run(asyncio.open_connection(*ABROAD)),
    lambda: asyncio.run(asyncio.open_connection(*NAMED)),
    lambda: anyio.run(connect_tcp, ABROAD),
    lambda: anyio.run(connect_tcp, NAMED),
]


@promise("release.tests.loopback-only")
@pytest.mark.parametrize("reach", LOOKUPS)
def test_no_way_through_the_libraries_leads_out(
    reach: Callable[[], object], sent: list[str], no_foreign_sockets: Guard
) -> None:
    with pytest.raises(ForeignAddressError):
        reach()
    assert sent == []
    assert refused(no_foreign_sockets)


@promise("release.tests.loopback-only")
def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.closing(socket.socket()) as client:
        client.connect(server.getsockname())
        assert client.getpeername() == server.getsockname()


@promise("release.tests.loopback-only")
def test_a_child_finds_the_network_switched_off_and_the_proxies_closed() -> None:
    code = "import os, urllib.request; print(os.environ.get('OURCLI_NET'), urllib.request.getproxies()['https'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "http://127.0.0.1:9"]
    assert "OURCLI_NET" not in os.environ
    assert urllib.request.proxy_bypass("127.0.0.1")


@promise("release.tests.no-silent-skip")
@pytest.mark.parametrize(("forbidden", "code"), [("1", 1), ("", 0)])
def test_a_skip_fails_the_run_where_skips_are_forbidden(tmp_path: Path, forbidden: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text("from tests.skips import *\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\ndef test_it():\n    pytest.skip('no model here')\n", encoding="utf-8"
    )
    environment = {**os.environ, "OURCLI_TEST_NO_SKIPS": forbidden, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )

    assert done.returncode == code, done.stdout
    assert ("a skip counts as a failure here" in done.stdout) == bool(forbidden)
