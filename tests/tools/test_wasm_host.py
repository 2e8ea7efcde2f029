"""Real guests in real workers: what a call gives, what a hostile guest gets, and that the next call works."""

import os
import signal
from pathlib import Path

import anyio
import psutil  # type: ignore[import-untyped]  # it ships none
import pytest

from ourcli.app.worker import worker_command
from ourcli.common.errors import (
    OurcliError,
    PluginError,
    ToolCrashedError,
    ToolError,
    ToolOutputError,
)
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.orders import SETTINGS
from ourcli.tools.backends.wasm.pool import HostOptions
from ourcli.tools.capabilities import Capability, parse
from ourcli.tools.data import Json
from ourcli.tools.plugins import Plugin, load_plugin
from ourcli.tools.ports import ToolContext
from tests.promises import promise
from tests.support.guests import Workshop, full_manifest

pytestmark = pytest.mark.anyio
GUESTS = Path(__file__).parent / "guests"
BEHAVE = GUESTS / "behave.c"
MODES = pytest.mark.parametrize("mode", ["persistent", "fresh"])


async def do(host: WasmHost, plugin: Plugin, word: str, path: str = "", **context: object) -> dict[str, Json]:
    (tool,) = host.tools(plugin)
    given: dict[str, Json] = {"do": word, "path": path}
    return dict(await tool.invoke(given, ToolContext(**context)))  # type: ignore[arg-type]  # fields of ToolContext


def rights(*texts: str) -> frozenset[Capability]:
    return frozenset(parse(text) for text in texts)


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def workers() -> list[psutil.Process]:
    living = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if "ourcli.app.worker" in " ".join(child.cmdline())]


@promise("tools.wasm.limits")
@MODES
async def test_memory_beyond_the_limit_is_not_given(host: WasmHost, workshop: Workshop, place: Path, mode: str) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", mode=mode, memory_mib=32))

    said = (await do(host, plugin, "memory"))["said"]

    assert 4 <= int(str(said).split()[0]) < 32


@promise("tools.wasm.limits")
async def test_fuel_is_counted_for_an_instance(host: WasmHost, workshop: Workshop, place: Path) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", mode="fresh", fuel=50_000_000))
    assert (await do(host, plugin, "well"))["said"] == "well"

    with pytest.raises(ToolError, match="fuel"):
        await do(host, plugin, "loop")


@promise("tools.wasm.modes")
async def test_a_warm_instance_is_used_again_and_a_fresh_one_is_not(
    host: WasmHost, workshop: Workshop, place: Path
) -> None:
    warm = workshop.plugin(place / "warm", BEHAVE, full_manifest("warm"))
    fresh = workshop.plugin(place / "fresh", BEHAVE, full_manifest("fresh", mode="fresh"))

    counts = [[(await do(host, plugin, "x"))["calls"] for _ in range(3)] for plugin in (warm, fresh)]

    assert counts == [[1, 2, 3], [1, 1, 1]]


@promise("tools.wasm.modes")
async def test_a_guest_that_answers_and_leaves_is_started_again(
    host: WasmHost, workshop: Workshop, place: Path
) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", mode="fresh"))

    assert [(await do(host, plugin, "leave"))["said"] for _ in range(2)] == ["bye", "bye"]


@promise("tools.protocol.one-answer")
@MODES
async def test_a_second_answer_is_never_taken_for_the_next_one(
    host: WasmHost, workshop: Workshop, place: Path, mode: str
) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", mode=mode))

    said: list[Json] = []
    for word in ("talk-on", "other", "third"):
        try:
            said.append((await do(host, plugin, word))["said"])
        except ToolOutputError as exc:
            said.append(exc.kind)

    assert said[0] in ("well", "tool_output")
    assert set(said[1:]) <= {"other", "third", "tool_output"}
    assert "tool_output" in said[:2] or mode == "persistent"
    assert (await do(host, plugin, "well"))["said"] == "well"


@promise("tools.wasm.log-lines")
async def test_the_log_of_a_guest_comes_in_harmless_lines(host: WasmHost, workshop: Workshop, place: Path) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", mode="fresh"))
    lines: list[str] = []

    await do(host, plugin, "log", log=lines.append)

    assert lines == ["red alert"]


@promise("tools.wasm.no-rights")
async def test_what_a_guest_asks_of_the_host_is_refused(host: WasmHost, workshop: Workshop, place: Path) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))

    assert (await do(host, plugin, "ask-host"))["said"] == "refused"


@promise("tools.wasm.no-rights")
async def test_without_grants_a_guest_sees_no_file_and_no_variable(
    host: WasmHost, workshop: Workshop, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "42")
    (tmp_path / "secret.txt").write_text("secret")
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))

    said = [
        (await do(host, plugin, "read", str(tmp_path / "secret.txt")))["said"],
        (await do(host, plugin, "read", "/etc/passwd"))["said"],
        (await do(host, plugin, "write", str(tmp_path / "new.txt")))["said"],
        (await do(host, plugin, "environment", "A_SECRET"))["said"],
        (await do(host, plugin, "environment", "PATH"))["said"],
    ]

    assert "secret" not in said
    assert not any("root" in str(one) for one in said)
    assert said[3:] == ["unset", "unset"]
    assert not (tmp_path / "new.txt").exists()


@promise("tools.wasm.exact-rights")
async def test_a_guest_has_what_it_requested_and_was_granted_and_no_more(
    host: WasmHost, workshop: Workshop, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "42")
    monkeypatch.setenv("B_KEY", "43")
    for name in ("granted", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "note.txt").write_text(name)
    (tmp_path / "granted" / "link").symlink_to(tmp_path / "other" / "note.txt")
    requested = [f"fs:read={tmp_path}/granted", "env=A_KEY"]
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", capabilities=requested))
    granted = rights(*requested, f"fs:write={tmp_path}/other", "env=B_KEY")

    async def said(word: str, path: str) -> Json:
        return (await do(host, plugin, word, path, granted=granted))["said"]

    assert await said("read", f"{tmp_path}/granted/note.txt") == "granted"
    assert await said("environment", "A_KEY") == "42"
    assert await said("environment", "B_KEY") == "unset"
    assert await said("read", f"{tmp_path}/other/note.txt") != "other"
    assert await said("read", f"{tmp_path}/granted/../other/note.txt") != "other"
    assert await said("read", f"{tmp_path}/granted/link") != "other"
    assert await said("write", f"{tmp_path}/granted/new.txt") != "written"
    assert sorted(path.name for path in (tmp_path / "granted").iterdir()) == ["link", "note.txt"]


@promise("tools.wasm.exact-rights")
async def test_a_granted_folder_can_be_written(host: WasmHost, workshop: Workshop, place: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    right = f"fs:write={tmp_path}/out"
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", capabilities=[right]))

    said = (await do(host, plugin, "write", f"{tmp_path}/out/new.txt", granted=rights(right)))["said"]

    assert said == "written"
    assert (tmp_path / "out" / "new.txt").read_text() == "written"


@promise("tools.wasm.held-in")
@pytest.mark.skipif(os.uname().sysname != "Linux", reason="these guards are Linux's")
async def test_a_worker_gives_up_its_rights_before_it_loads_a_guest(
    host: WasmHost, workshop: Workshop, place: Path
) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))
    await do(host, plugin, "x")
    (worker,) = workers()
    status = status_of(worker.pid)

    assert worker.environ() == {}
    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapEff"], 16)) == ("1", "2", 0)
    assert {"no-new-privs", "rlimits", "seccomp"} <= set(host.guards)
    assert os.getsid(worker.pid) == worker.pid


@promise("tools.wasm.killed-worker")
async def test_a_killed_worker_fails_its_call_and_no_other(host: WasmHost, workshop: Workshop, place: Path) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", timeout_ms=20_000))
    await do(host, plugin, "x")
    failures: list[OurcliError] = []

    async def victim() -> None:
        try:
            await do(host, plugin, "loop")
        except OurcliError as exc:
            failures.append(exc)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(victim)
        await anyio.wait_all_tasks_blocked()
        workers()[0].send_signal(signal.SIGKILL)

    assert [type(failure) for failure in failures] == [ToolCrashedError]
    assert (await do(host, plugin, "well"))["said"] == "well"


@promise("tools.wasm.killed-worker")
async def test_a_cancelled_call_leaves_no_process(host: WasmHost, workshop: Workshop, place: Path) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))
    await do(host, plugin, "x")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(do, host, plugin, "loop")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert workers() == []


@promise("tools.wasm.many-calls")
async def test_a_thousand_calls_at_once_lose_none_and_keep_the_order_of_each_caller(
    compiled_modules: CompiledCache, workshop: Workshop, place: Path
) -> None:
    host = WasmHost(worker_command(), compiled_modules, HostOptions(workers=4))
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest", timeout_ms=60_000))
    done: dict[str, list[str]] = {f"caller {number}": [] for number in range(20)}

    async def call(caller: str, number: int) -> None:
        said = (await do(host, plugin, f"n{number}", caller=caller))["said"]
        done[caller].append(str(said))

    async with anyio.create_task_group() as tasks:
        for number in range(50):
            for caller in done:
                tasks.start_soon(call, caller, number)
    running = len(workers())
    await host.aclose()

    assert all(said == [f"n{number}" for number in range(50)] for said in done.values())
    assert 1 <= running <= 4
    assert workers() == []


@promise("tools.wasm.idle-ends")
async def test_idle_workers_are_ended(compiled_modules: CompiledCache, workshop: Workshop, place: Path) -> None:
    host = WasmHost(worker_command(), compiled_modules, HostOptions(workers=1, idle_s=0.0))
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))
    await do(host, plugin, "x")
    with anyio.fail_after(20):
        while workers():  # noqa: ASYNC110  # another process tells nobody
            await anyio.sleep(0.01)

    assert (await do(host, plugin, "well"))["calls"] == 1
    await host.aclose()


@promise("tools.wasm.no-swap")
async def test_a_module_that_changed_after_it_was_checked_is_not_run(
    host: WasmHost, workshop: Workshop, place: Path
) -> None:
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))
    plugin.module.write_bytes(plugin.module.read_bytes() + b"\0\1\0")

    with pytest.raises(PluginError, match="changed since it was checked"):
        await do(host, plugin, "x")


@promise("tools.wasm.compiled-once")
@pytest.mark.parametrize("damage", ["replaced", "cut", "untold", "unreadable"])
async def test_a_cached_compiled_file_that_is_not_ours_is_not_loaded(
    tmp_path: Path, workshop: Workshop, place: Path, damage: str
) -> None:
    cache = CompiledCache(tmp_path / "code", tmp_path / "digests", settings=SETTINGS)
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))
    before = WasmHost(worker_command(), cache)
    code = await before.compile(plugin)
    assert cache.find(plugin.module_sha256, "module plain") == code
    (kept,), (digest,) = (tmp_path / "code").iterdir(), (tmp_path / "digests").iterdir()
    if damage == "replaced":
        kept.write_bytes(code[:1000] + b"\xcc" * 8 + code[1008:])
    elif damage == "cut":
        kept.write_bytes(code[:-1])
    elif damage == "untold":
        digest.unlink()
    else:
        digest.write_bytes(b"\xff\xfe")

    assert cache.find(plugin.module_sha256, "module plain") is None
    host = WasmHost(worker_command(), cache)
    assert (await do(host, plugin, "well"))["said"] == "well"
    await host.aclose()


@promise("tools.wasm.compiled-once")
async def test_compiled_code_lies_in_folders_of_the_owner_only(tmp_path: Path, workshop: Workshop, place: Path) -> None:
    (tmp_path / "code").mkdir(mode=0o755)
    cache = CompiledCache(tmp_path / "code", tmp_path / "digests", settings=SETTINGS)
    plugin = workshop.plugin(place / "guest", BEHAVE, full_manifest("guest"))

    await WasmHost(worker_command(), cache).compile(plugin)

    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "code", tmp_path / "digests")]
    assert modes == [0o700, 0o700]


@promise("tools.wasm.not-a-module")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no WebAssembly"),
        (b"MZ not wasm", "no WebAssembly"),
        (b"\0asm\1\0\0\0\xff", "cannot be compiled"),
        (b"\0asm\1\0\0\0", "no function _start"),
        (b"\0asm\1\0\0\0\1\4\1\x60\0\0\2\x0b\1\3env\3run\0\0", "env.run"),
    ],
)
async def test_what_is_no_module_for_wasi_is_refused_with_the_reason(
    host: WasmHost, place: Path, content: bytes, words: str
) -> None:
    folder = place / "guest"
    folder.mkdir()
    (folder / "a.wasm").write_bytes(content)
    (folder / "manifest.json").write_text('{"name": "guest", "description": "", "inputs": []}')

    with pytest.raises(PluginError, match=words):
        await host.compile(load_plugin(folder))
