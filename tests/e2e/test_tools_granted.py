"""Plugins added, granted, changed and revoked through the real command line, with real guests."""

import json
import os
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.common.clock import SystemClock
from ourcli.common.errors import CapabilityDeniedError
from ourcli.tools.backends.grant_store import GrantStore
from ourcli.tools.spec import Origin, OriginKind
from tests.promises import promise
from tests.support.guests import Workshop, full_manifest
from tests.support.process import CommandLine
from tests.support.terminal import on_a_terminal

BEHAVE = Path(__file__).parents[1] / "tools" / "guests" / "behave.c"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Return what compiles guests."""
    return Workshop(tmp_path_factory.mktemp("modules"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with one file."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("some words")
    return folder


@pytest.fixture
def ourcli(home: Path, tmp_path: Path) -> CommandLine:
    """Return the command line in an empty folder."""
    work = tmp_path / "work"
    work.mkdir()
    return CommandLine(home=home, folder=work)


def read(data: Path) -> list[str]:
    return ["--input", json.dumps({"do": "read", "path": str(data / "a.txt")}), "--json"]


@promise("tools.grants.end-to-end")
def test_added_granted_changed_and_revoked(ourcli: CommandLine, home: Path, data: Path, workshop: Workshop) -> None:
    right = f"fs:read={data}"
    workshop.plugin(ourcli.folder / "reader", BEHAVE, full_manifest("reader", capabilities=[right]))
    added = ourcli.run("plugins", "add", "reader", "--json")
    denied = ourcli.run("tools", "call", "reader.do", *read(data))

    granted = ourcli.run("tools", "grant", "reader", right, "--json")
    answered = ourcli.run("tools", "call", "reader.do", *read(data))
    listed = ourcli.run("plugins", "list", "--json")

    assert (added.code, denied.code) == (0, 4)
    assert f"`ourcli tools grant reader {right}` grants it" in denied.document["error"]["hint"]
    assert (granted.code, answered.code) == (0, 0), answered.err
    assert "some words" in json.dumps(answered.document["output"])
    (shown,) = [one for one in listed.document["plugins"] if one["name"] == "reader"]
    assert (shown["granted"], shown["asked_first"]) == ([right], "")
    assert (home / "grants.json").stat().st_mode & 0o777 == 0o600

    manifest = home / "plugins" / "reader" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"description": "Changed"}))
    changed = ourcli.run("tools", "call", "reader.do", *read(data))
    told = ourcli.run("plugins", "list")

    assert changed.code == 4
    assert f"ourcli tools grant reader use {right}" in changed.document["error"]["hint"]
    assert "manifest.json changed" in told.err

    assert ourcli.run("tools", "grant", "reader", "use", right).code == 0
    assert ourcli.run("tools", "call", "reader.do", *read(data)).code == 0
    removed = ourcli.run("plugins", "remove", "reader", "--yes", "--json")
    assert set(removed.document["revoked"]) == {"use", right}
    assert json.loads((home / "grants.json").read_text())["origins"] == []


@promise("tools.plugins.project")
def test_a_projects_plugin_is_found_after_trust_and_agreed_to_before_it_runs(
    ourcli: CommandLine, workshop: Workshop
) -> None:
    folder = ourcli.folder / ".ourcli" / "plugins" / "echo"
    workshop.plugin(folder, BEHAVE, full_manifest("echo"))
    (ourcli.folder / ".ourcli.toml").write_text('project = "p"\n')
    call = ["tools", "call", "echo.do", "--input", '{"do": "echo"}', "--json"]

    untrusted = ourcli.run(*call)
    warned = ourcli.run("tools", "list")
    ourcli.run("trust")
    trusted = ourcli.run(*call)
    granted = ourcli.run("tools", "grant", "echo", "use")
    agreed = ourcli.run(*call)

    assert (untrusted.code, untrusted.document["error"]["kind"]) == (1, "not_found")
    assert "not read: look at them, then run `ourcli trust`" in warned.err
    assert (trusted.code, "ourcli tools grant echo use" in trusted.err) == (4, True)
    assert (granted.code, agreed.code) == (0, 0), agreed.err


@promise("tools.grants.policy")
def test_a_policy_file_lets_a_plugin_work_unattended_and_a_projects_own_policy_does_not_count(
    ourcli: CommandLine, home: Path, data: Path, workshop: Workshop
) -> None:
    right = f"fs:read={data}"
    plugin = workshop.plugin(home / "plugins" / "reader", BEHAVE, full_manifest("reader", capabilities=[right]))
    policy = (
        f'[[grants]]\nkind = "plugin"\nname = "reader"\nsha256 = "{plugin.origin.sha256}"\ncapabilities = ["{right}"]\n'
    )
    inside = ourcli.folder / ".ourcli"
    inside.mkdir()
    (inside / "grants.toml").write_text(policy)
    denied = ourcli.run("tools", "call", "reader.do", *read(data))

    (home / "grants.toml").write_text(policy)
    (home / "grants.toml").chmod(0o600)
    answered = ourcli.run("tools", "call", "reader.do", *read(data))
    (home / "grants.toml").write_text(policy.replace(plugin.origin.sha256, "ab" * 32))
    other = ourcli.run("tools", "call", "reader.do", *read(data))

    assert (denied.code, answered.code, other.code) == (4, 0, 4)


@promise("tools.grants.revoked")
@pytest.mark.anyio
async def test_a_revoke_holds_for_the_next_call_of_a_session_that_is_under_way(
    home: Path, data: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, ourcli: CommandLine
) -> None:
    right = f"fs:read={data}"
    workshop.plugin(home / "plugins" / "reader", BEHAVE, full_manifest("reader", capabilities=[right]))
    ourcli.run("tools", "grant", "reader", right, "--for", "session", "--session", "talk")
    monkeypatch.setenv("OURCLI_HOME", str(home))
    monkeypatch.chdir(ourcli.folder)
    from ourcli.app.desks.tools import Calling  # beside its one use

    async with open_service() as service:
        given = {"do": "read", "path": os.fspath(data / "a.txt")}
        first = await service.tools.call("reader.do", given, calling=Calling(session="talk"))
        with pytest.raises(CapabilityDeniedError):
            await service.tools.call("reader.do", given, calling=Calling(session="other"))
        elsewhere = GrantStore(home / "grants.json", clock=SystemClock())
        await elsewhere.revoke(Origin(kind=OriginKind.PLUGIN, name="reader"))

        with pytest.raises(CapabilityDeniedError, match="fs:read"):
            await service.tools.call("reader.do", given, calling=Calling(session="talk"))

    assert "some words" in str(first.output)


@promise("tools.consent.terminal")
def test_a_person_at_a_terminal_grants_for_its_session_and_sees_what_a_new_version_changed(
    ourcli: CommandLine, home: Path, data: Path, workshop: Workshop
) -> None:
    right = f"fs:read={data}"
    workshop.plugin(home / "plugins" / "reader", BEHAVE, full_manifest("reader", capabilities=[right]))
    words, place = ourcli.words("tools", "call", "reader.do", *read(data)), {"folder": ourcli.folder}

    with on_a_terminal(words, environment=ourcli.variables(), **place) as terminal:
        terminal.wait_for(f"{right}: read {data} and all that lies below it")
        terminal.wait_for("[n]o")
        terminal.type("s\r")
        terminal.wait_for("some words")
        granted = terminal.wait_for_the_end()
    elsewhere = ourcli.run("tools", "call", "reader.do", *read(data))
    workshop.plugin(home / "plugins" / "reader", BEHAVE, full_manifest("reader", capabilities=[right, "env=TOKEN"]))
    with on_a_terminal(words, environment=ourcli.variables(), **place) as terminal:
        terminal.wait_for("env=TOKEN: read the environment variable TOKEN")
        terminal.wait_for("it is another version than the one that was granted something")
        terminal.wait_for("it requests env=TOKEN now")
        terminal.wait_for('+    "env=TOKEN"')
        terminal.wait_for("[n]o")
        terminal.type("n\r")
        refused = terminal.wait_for_the_end()

    assert (granted, elsewhere.code, refused) == (0, 4, 4)


@promise("tools.doctor.guards")
def test_doctor_asks_a_real_worker_what_holds_it_in(ourcli: CommandLine) -> None:
    done = ourcli.run("doctor", "--json")

    (found,) = [check for check in done.document["checks"] if check["name"] == "plugin sandbox"]
    assert "rlimits" in found["message"]
    assert "no-new-privs" in found["message"]
