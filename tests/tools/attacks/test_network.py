"""Guests that want to connect to something, by every way that WASI has and by some that it has not."""

import pytest

from ourcli.common.errors import PluginError
from tests.promises import promise
from tests.support.arena import Arena, Attack

pytestmark = pytest.mark.anyio


@promise("tools.attacks.network")
@pytest.mark.parametrize("mode", ["persistent", "fresh"])
async def test_the_sockets_of_wasi_work_on_no_descriptor(arena: Arena, mode: str) -> None:
    await arena.withstand(
        Attack(guest="files", word="sockets", told="worked 0", mode=mode, rights=("fs:read={granted}",))
    )


@promise("tools.attacks.network")
@pytest.mark.parametrize("path", ["/dev/tcp/127.0.0.1/{port}", "/dev/udp/127.0.0.1/{port}", "tcp:127.0.0.1:{port}"])
async def test_no_path_is_a_connection(arena: Arena, path: str) -> None:
    await arena.withstand(Attack(guest="files", word="write", path=path, told="(?!done).*"))


@promise("tools.attacks.network")
@promise("tools.wasm.not-a-module")
@pytest.mark.parametrize(
    "name",
    [
        *('"wasi_snapshot_preview1" "sock_open"', '"wasi_snapshot_preview1" "sock_connect"'),
        *('"wasi_snapshot_preview1" "sock_bind"', '"wasi_snapshot_preview1" "sock_getaddrinfo"'),
        *('"wasi_snapshot_preview1" "proc_fork"', '"wasi_snapshot_preview1" "proc_exec"'),
        *('"wasix_32v1" "sock_open"', '"wasi_unstable" "fd_write"', '"wasi" "thread-spawn"', '"env" "system"'),
        *('"wasi:sockets/tcp@0.2.0" "connect"', '"wasi:http/outgoing-handler@0.2.0" "handle"'),
    ],
)
async def test_a_module_that_imports_what_is_not_wasi_is_refused_by_the_name_of_it(arena: Arena, name: str) -> None:
    module, function = name.replace('"', "").split()
    text = f'(module (import {name} (func (param i32 i32) (result i32))) (memory 1) (func (export "_start")))'

    outcome = await arena.call(arena.bare(text), {})

    assert type(outcome.error) is PluginError, f"{outcome.error!r}"
    assert module in outcome.error.message
    assert function in outcome.error.message, outcome.error.message
    assert outcome.error.hint
    await arena.live_on()


@promise("tools.attacks.network")
@pytest.mark.parametrize("name", ["proc_raise", "fd_datasync"])
async def test_signals_that_a_guest_raises_reach_nobody(arena: Arena, name: str) -> None:
    text = (
        f'(module (import "wasi_snapshot_preview1" "{name}" (func $raise (param i32) (result i32))) (memory 1)'
        ' (func (export "_start") (drop (call $raise (i32.const 9)))))'
    )

    outcome = await arena.call(arena.bare(text), {})

    assert outcome.said is None
    assert outcome.error is not None
    await arena.live_on()
