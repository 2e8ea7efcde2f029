"""The requests of the protocol over a fake facade, through the SDK's own client, in both eras."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, types
from mcp.shared.tool_name_validation import validate_tool_name

from ourcli.app.requests import IngestReport
from ourcli.common.errors import StoreError, ToolError
from ourcli.common.events import EventSink, NullSink, ProgressMade
from ourcli.servers.mcp.ourcli_offer import OurcliOffer
from ourcli.servers.mcp.server import build
from ourcli.testing.service import MORNING, FakeService, a_record
from ourcli.testing.tools import FakeTool, a_spec
from ourcli.tools.spec import Origin, OriginKind, SideEffects
from tests.promises import promise

pytestmark = pytest.mark.anyio
QUIET = NullSink()
ERAS = pytest.mark.parametrize("era", ["2026-07-28", "legacy"])


@asynccontextmanager
async def served(
    facade: FakeService, era: str = "2026-07-28", roots: Sequence[Path] = (), **options: Any
) -> AsyncIterator[Client]:
    """Give a client of a server over this facade."""
    async with Client(build(OurcliOffer(facade, roots)), mode=era, cache=None, **options) as client:
        yield client


def texts(result: types.CallToolResult) -> str:
    return "\n".join(one.text for one in result.content if isinstance(one, types.TextContent))


def holding(*specs: Any) -> FakeService:
    facade = FakeService()
    facade.tools.specs = list(specs)
    facade.tools.tools = [FakeTool(spec) for spec in specs]
    return facade


@promise("servers.mcp.tools.listed")
@ERAS
async def test_own_tools_and_those_of_the_desk_are_listed_with_schemas_and_hints(era: str) -> None:
    changing = a_spec("disk.format", side_effects=SideEffects.LOCAL)
    async with served(holding(a_spec(), changing), era) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert list(listed) == ["memory_search", "memory_add", "memory_why", "ingest", "hello.hello", "disk.format"]
    assert all(validate_tool_name(name).is_valid and not validate_tool_name(name).warnings for name in listed)
    assert listed["hello.hello"].input_schema["required"] == ["name"]
    hints = {name: tool.annotations.read_only_hint for name, tool in listed.items() if tool.annotations}
    assert sorted(name for name, reads in hints.items() if reads) == ["hello.hello", "memory_search", "memory_why"]


@promise("servers.mcp.tools.listed")
async def test_a_description_cannot_drive_a_terminal(tmp_path: Path) -> None:
    async with served(holding(replace(a_spec(), description="nice\x1b[2J\u202e\nERROR: obey"))) as client:
        tool = (await client.list_tools()).tools[-1]

    assert tool.description == "niceERROR: obey (from plugin:hello)"


@promise("servers.mcp.lists.paged")
async def test_long_lists_come_in_pages_that_hold_each_tool_once() -> None:
    facade = holding(*(a_spec(f"many.tool{number}") for number in range(250)))
    names: list[str] = []
    async with served(facade) as client:
        page = await client.list_tools()
        while True:
            names += [tool.name for tool in page.tools]
            if page.next_cursor is None:
                break
            page = await client.list_tools(cursor=page.next_cursor)

    assert (len(names), len(set(names))) == (254, 254)


@promise("servers.mcp.errors.mapped")
@ERAS
@pytest.mark.parametrize("cursor", ["nonsense", "ZnJvbTotNQ==", "", "ä"])
async def test_a_cursor_that_no_list_gave_is_wrong_params(era: str, cursor: str) -> None:
    async with served(FakeService(), era) as client:
        with pytest.raises(MCPError) as caught:
            await client.list_tools(cursor=cursor)

    assert caught.value.error.code == types.INVALID_PARAMS


@promise("servers.mcp.errors.mapped")
@ERAS
async def test_an_unknown_tool_is_wrong_params_and_names_the_nearest(era: str) -> None:
    async with served(FakeService(), era) as client:
        with pytest.raises(MCPError, match="no tool 'nope'") as caught:
            await client.call_tool("nope", {})

    assert caught.value.error.code == types.INVALID_PARAMS


@promise("servers.mcp.errors.mapped")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("memory_search", {}),
        ("memory_search", {"query": ""}),
        ("memory_search", {"query": "x", "limit": 0}),
        ("memory_search", {"query": "x", "limit": "5"}),
        ("memory_search", {"query": "x", "project": "other"}),
        ("memory_search", {"query": "x", "layers": ["everything"]}),
        ("memory_add", {"text": " \n"}),
        ("memory_add", {"text": "x" * 100_001}),
        ("memory_why", {"id": 7}),
        ("ingest", {"paths": []}),
        ("hello.hello", {"name": 5}),
        ("hello.hello", {"nom": "Ada"}),
    ],
)
async def test_wrong_arguments_are_a_result_that_a_model_can_correct(name: str, arguments: dict[str, object]) -> None:
    async with served(holding(a_spec())) as client:
        result = await client.call_tool(name, arguments)

    assert result.is_error
    assert texts(result).startswith("error: ")


@promise("servers.mcp.errors.nothing-internal")
@ERAS
async def test_a_bug_is_told_without_its_words(era: str) -> None:
    facade = FakeService()
    facade.failure = ZeroDivisionError("/secret/place.py line 5")
    async with served(facade, era) as client:
        with pytest.raises(MCPError, match="internal error") as caught:
            await client.call_tool("memory_search", {"query": "x"})

    assert "secret" not in str(caught.value.error)
    assert caught.value.error.code == types.INTERNAL_ERROR


@promise("servers.mcp.errors.mapped")
async def test_a_failure_that_is_known_keeps_its_words_and_its_hint() -> None:
    facade = FakeService()
    facade.failure = StoreError("the store cannot be read", hint="ourcli doctor")
    async with served(facade) as client:
        result = await client.call_tool("memory_search", {"query": "x"})
        with pytest.raises(MCPError, match="the store cannot be read"):
            await client.list_resources()

    assert (result.is_error, texts(result)) == (True, "error: the store cannot be read\nhint: ourcli doctor")


@promise("servers.mcp.rights.nobody-to-ask")
async def test_a_tool_that_changes_something_is_refused_where_no_policy_allows_it() -> None:
    spec = a_spec("disk.format", side_effects=SideEffects.LOCAL)
    tool, facade = FakeTool(spec), holding(spec)
    facade.tools.tools = [tool]
    async with served(facade) as client:
        refused = await client.call_tool("disk.format", {"name": "a"})
        facade.tools.policy = True
        allowed = await client.call_tool("disk.format", {"name": "a"})

    assert (refused.is_error, allowed.is_error, len(tool.calls)) == (True, False, 1)
    assert "nobody is here to allow it" in texts(refused)


@promise("servers.mcp.rights.in-force")
async def test_a_tool_has_the_rights_that_were_granted_and_no_more() -> None:
    spec = a_spec("reader.read", capabilities=["fs:read=/data"])
    tool, facade = FakeTool(spec), holding(spec)
    facade.tools.tools = [tool]
    async with served(facade) as client:
        denied = await client.call_tool("reader.read", {"name": "a"})
        facade.tools.grants.rights["*"] = ["fs:read=/data"]
        answered = await client.call_tool("reader.read", {"name": "a"})

    assert (denied.is_error, answered.is_error, len(tool.calls)) == (True, False, 1)
    assert "fs:read=/data" in texts(denied)
    assert (denied.meta or {})["ourcli/kind"] == "capability_denied"


@promise("servers.mcp.tools.listed")
async def test_the_desk_s_own_memory_tools_are_not_offered_twice() -> None:
    origin = Origin(kind=OriginKind.BUILTIN, name="memory")
    async with served(holding(a_spec("memory.search", origin=origin))) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]

    assert "memory.search" not in names


@promise("servers.mcp.ingest.below-roots")
@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "link/secret", "", "a\0b", "missing"])
async def test_nothing_outside_of_the_served_folders_is_ingested(tmp_path: Path, path: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x")
    (root / "link").symlink_to(outside)
    facade = FakeService()
    async with served(facade, roots=[root]) as client:
        result = await client.call_tool("ingest", {"paths": [path]})

    assert (result.is_error, facade.ingested) == (True, [])


@promise("servers.mcp.ingest.below-roots")
async def test_without_a_folder_nothing_is_ingested(tmp_path: Path) -> None:
    async with served(FakeService()) as client:
        result = await client.call_tool("ingest", {"paths": [str(tmp_path)]})

    assert "--root" in texts(result)


class Busy(FakeService):
    """Reports work that begins twice, and once goes back."""

    async def ingest(
        self, paths: Sequence[Path], project: str | None, listen: EventSink = QUIET, *, allow_secrets: bool = False
    ) -> IngestReport:
        for task, done, total in [
            ("reading", 1, 2),
            ("reading", 2, 2),
            ("storing", 0, 5),
            ("storing", 3, 5),
            ("x", 1, None),
        ]:
            listen.emit(ProgressMade(at=MORNING, task=task, done=done, total=total, unit="files"))
        return await super().ingest(paths, project, listen, allow_secrets=allow_secrets)


@promise("servers.mcp.progress")
@ERAS
async def test_progress_reaches_the_one_who_asked_and_only_grows(era: str, tmp_path: Path) -> None:
    seen: list[tuple[float, float | None]] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total))

    async with served(Busy(), era, [tmp_path]) as client:
        result = await client.call_tool("ingest", {"paths": ["."]}, progress_callback=told)

    assert not result.is_error, texts(result)
    assert seen == [(1, 2), (2, 2), (5, 7), (6, None)]


@promise("servers.mcp.logging")
@pytest.mark.parametrize(("level", "lines"), [("debug", ["one", "two"]), ("error", [])])
async def test_lines_of_a_tool_s_log_reach_a_client_that_wants_them(level: Any, lines: list[str]) -> None:
    spec = a_spec()
    facade = holding(spec)
    facade.tools.tools = [FakeTool(spec, says=["one", "two\x1b[2J"])]
    heard: list[object] = []

    async def hear(params: types.LoggingMessageNotificationParams) -> None:
        heard.append(params.data)

    async with served(facade, logging_callback=hear, log_level=level) as client:
        await client.call_tool("hello.hello", {"name": "Ada"})

    assert heard == lines


@promise("servers.mcp.logging")
async def test_an_older_client_sets_its_level() -> None:
    spec = a_spec()
    facade = holding(spec)
    facade.tools.tools = [FakeTool(spec, says=["one"])]
    heard: list[object] = []

    async def hear(params: types.LoggingMessageNotificationParams) -> None:
        heard.append(params.data)

    async with served(facade, "legacy", logging_callback=hear) as client:
        await client.call_tool("hello.hello", {"name": "Ada"})
        request = types.SetLevelRequest(params=types.SetLevelRequestParams(level="warning"))
        await client.session.send_request(request, types.EmptyResult)
        await client.call_tool("hello.hello", {"name": "Ada"})

    assert heard == ["one"]


@promise("servers.mcp.resources")
@ERAS
async def test_records_are_resources_of_their_project_only(era: str) -> None:
    facade = FakeService()
    for record in (a_record("ours", 1), a_record("theirs", 2, project="other")):
        facade.stored[record.id] = record
    async with served(facade, era) as client:
        listed = (await client.list_resources()).resources
        content = (await client.read_resource("ourcli://record/0190-1")).contents[0]
        for uri in ("ourcli://record/0190-2", "ourcli://record/", "file:///etc/passwd", "ourcli://record/../0190-2"):
            with pytest.raises(MCPError, match="no such resource") as caught:
                await client.read_resource(uri)
        foreign = await client.call_tool("memory_why", {"id": "0190-2"})

    assert [one.uri for one in listed] == ["ourcli://record/0190-1"]
    assert isinstance(content, types.TextResourceContents)
    assert '"text": "ours"' in content.text
    assert caught.value.error.code == (types.INVALID_PARAMS if era == "2026-07-28" else -32002)
    assert foreign.is_error


@promise("servers.mcp.resources")
async def test_ids_of_records_are_completed() -> None:
    facade = FakeService()
    facade.stored["0190-1"] = a_record("ours", 1)
    ref = types.ResourceTemplateReference(uri="ourcli://record/{id}")
    async with served(facade) as client:
        templates = (await client.list_resource_templates()).resource_templates
        found = await client.complete(ref, {"name": "id", "value": "01"})
        none = await client.complete(ref, {"name": "id", "value": "zz"})

    assert [one.uri_template for one in templates] == [ref.uri]
    assert (found.completion.values, none.completion.values) == (["0190-1"], [])


@promise("servers.mcp.prompts")
async def test_recipes_are_prompts_with_their_parameters() -> None:
    async with served(FakeService()) as client:
        prompts = {one.name: one for one in (await client.list_prompts()).prompts}
        got = await client.get_prompt("remember-note", {"text": "use $HOME", "tags": "a, b"})

    answer = {one.name: one.required for one in prompts["answer"].arguments or []}
    assert (answer["question"], answer["tags"]) == (True, False)
    content = got.messages[0].content
    assert isinstance(content, types.TextContent)
    assert "memory_add. text: use $HOME; " in content.text
    assert "tags: ['a', 'b']" in content.text


@promise("servers.mcp.prompts")
@pytest.mark.parametrize(
    ("name", "arguments"), [("answer", {}), ("answer", {"question": "x", "more": "y"}), ("no-such-recipe", {})]
)
async def test_a_prompt_that_cannot_be_filled_in_is_wrong_params(name: str, arguments: dict[str, str]) -> None:
    async with served(FakeService()) as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt(name, arguments)

    assert caught.value.error.code == types.INVALID_PARAMS


@promise("servers.mcp.errors.mapped")
async def test_a_tool_that_fails_says_so_in_its_result() -> None:
    spec = a_spec()
    facade = holding(spec)
    facade.tools.tools = [FakeTool(spec, [ToolError("it fell over\x1b[2J")])]
    async with served(facade) as client:
        result = await client.call_tool("hello.hello", {"name": "Ada"})

    assert (result.is_error, texts(result)) == (True, "error: it fell over")
