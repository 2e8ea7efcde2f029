"""The network guard of the suite: whatever would reach another machine fails the test before anything is sent.

It replaces the methods of `socket` through which Python code, asyncio and anyio included, looks up,
dials or writes to an address. Three ways past it are known. Native code that calls the system itself
is not seen, nor is asyncio on Windows when it is given a number instead of a name. A child process
starts without the guard; it gets no `OURCLI_NET`, so that the product's own gate is shut in it, and the
proxy variables point at a closed loopback port, so that a client that honours them finds nobody. Only a
run in a namespace without network (Linux) would show what native code and children attempt.
"""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from ourcli.common.net import is_loopback

CLOSED = "http://127.0.0.1:9"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_ANY = {"", "0.0.0.0", "::"}  # as a place to listen: this machine


class ForeignAddressError(AssertionError):
    """A test tried to reach another machine."""


class Guard:
    """Refuse other machines, and remember it, since the code under test may swallow the refusal."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def refuse(self, address: object) -> None:
        """Raise when an address, as sockets take it, is not on this machine; nothing is looked up."""
        if isinstance(address, tuple) and address and isinstance(address[0], str):
            host = address[0].partition("%")[0]
            if host not in _ANY and not is_loopback(host):
                self.refused.append(host)
                raise ForeignAddressError(f"a test tried to reach {host!r}; tests stay on loopback")

    def by_address(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Guard a method of a socket; the address is the last argument, or there is none."""

        def guarded(sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
            if args:
                self.refuse(args[-1])
            return original(sock, *args, **kwargs)

        return guarded

    def by_host(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Guard a lookup; the host, or the pair of host and port, is the first argument."""

        def guarded(*args: Any, **kwargs: Any) -> Any:
            host = args[0] if args else kwargs.get("host", kwargs.get("address"))
            name = host.decode("ascii", errors="replace") if isinstance(host, bytes) else host
            self.refuse(name if isinstance(name, tuple) else (name, 0))
            return original(*args, **kwargs)

        return guarded


def shut(monkeypatch: pytest.MonkeyPatch) -> Guard:
    """Put the guard in place for one test, and point the proxies of its children at nobody."""
    guard = Guard()
    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        if hasattr(socket.socket, name):
            monkeypatch.setattr(socket.socket, name, guard.by_address(getattr(socket.socket, name)))
    for name in (
        "getaddrinfo",
        "gethostbyname",
        "gethostbyname_ex",
        "gethostbyaddr",
        "getnameinfo",
        "create_connection",
    ):
        monkeypatch.setattr(socket, name, guard.by_host(getattr(socket, name)))
    for name in PROXIES:
        monkeypatch.setenv(name, CLOSED)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "localhost,127.0.0.1,::1")
    return guard
