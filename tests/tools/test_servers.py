"""MCP servers as values: what can be added, what a grant is bound to, what a server's words become."""

from dataclasses import replace

import pytest

from ourcli.common.errors import InvalidInputError
from ourcli.tools.data import Json
from ourcli.tools.servers import MOST_TOOLS, KnownServer, McpServer, RemoteTool, check_server, offered
from ourcli.tools.spec import OriginKind, SideEffects
from tests.promises import promise

COMMAND = McpServer(name="peer", command=("server", "--stdio"), env=("KEY",))
HTTP = McpServer(name="far", url="https://mcp.example.com/mcp")
SCHEMA: dict[str, Json] = {"type": "object"}
ADD = RemoteTool(name="add", description="Adds", input_schema=SCHEMA)


@pytest.mark.parametrize(
    "server",
    [
        McpServer(name="Peer", command=("a",)),
        McpServer(name="", command=("a",)),
        McpServer(name="a.b", command=("a",)),
        McpServer(name="fs", command=("a",)),
        McpServer(name="a"),
        McpServer(name="a", command=("b",), url="http://c/"),
        McpServer(name="a", command=("b\0",)),
        McpServer(name="a", command=("b",), env=("A=B",)),
        McpServer(name="a", url="ftp://c/"),
        McpServer(name="a", url="http://user:secret@c/"),
        McpServer(name="a", url="http://0x7f.1/"),
        McpServer(name="a", url="http://c:99999/"),
        McpServer(name="a", url="http://c/ d"),
        McpServer(name="a", url="http://c\\@d/"),
    ],
)
def test_a_server_with_an_odd_name_or_place_cannot_be_added(server: McpServer) -> None:
    with pytest.raises(InvalidInputError):
        check_server(server)


@promise("tools.mcp.rights")
@pytest.mark.parametrize(
    ("server", "rights"),
    [
        (COMMAND, ["exec", "env=KEY"]),
        (HTTP, ["net=mcp.example.com:443"]),
        (McpServer(name="a", url="http://127.0.0.1:8000/mcp"), ["net=127.0.0.1:8000"]),
        (McpServer(name="a", url="http://[::1]/mcp"), ["net=[::1]:80"]),
    ],
)
def test_a_servers_tools_request_what_it_takes_to_reach_it(server: McpServer, rights: list[str]) -> None:
    check_server(server)
    (spec,) = offered(KnownServer(server=server, tools=(ADD,))).specs.values()

    assert [str(right) for right in spec.capabilities] == rights


def test_its_tools_change_something_unless_the_user_says_otherwise() -> None:
    claims = RemoteTool(name="add", input_schema=SCHEMA, hints=("read_only_hint=True",))
    trusting = McpServer(name="peer", command=("a",), read_only=True)

    believed = offered(KnownServer(server=trusting, tools=(ADD,))).specs["add"]
    claimed = offered(KnownServer(server=COMMAND, tools=(claims,))).specs["add"]

    assert (believed.side_effects, claimed.side_effects) == (SideEffects.NONE, SideEffects.EXTERNAL)
    assert (claimed.name, claimed.origin.kind, claimed.origin.name) == ("peer.add", OriginKind.MCP, "peer")


@promise("tools.mcp.pinned")
@pytest.mark.parametrize(
    "other",
    [
        KnownServer(server=COMMAND, tools=(replace(ADD, description="adds"),)),
        KnownServer(server=COMMAND, tools=(replace(ADD, input_schema={"x": 1}),)),
        KnownServer(server=COMMAND, tools=(replace(ADD, output_schema={}),)),
        KnownServer(server=COMMAND, tools=(ADD, RemoteTool(name="more"))),
        KnownServer(server=COMMAND, tools=()),
        KnownServer(server=McpServer(name="peer", command=("other",), env=("KEY",)), tools=(ADD,)),
        KnownServer(server=McpServer(name="peer", command=COMMAND.command), tools=(ADD,)),
    ],
)  # fmt: skip
def test_whatever_a_server_says_or_is_reached_by_changes_what_a_grant_is_bound_to(other: KnownServer) -> None:
    assert KnownServer(server=COMMAND, tools=(ADD,)).origin.sha256 != other.origin.sha256


def test_the_order_of_tools_does_not_count() -> None:
    more = RemoteTool(name="more")

    first, second = (KnownServer(server=COMMAND, tools=tools) for tools in ((ADD, more), (more, ADD)))

    assert first.origin.sha256 == second.origin.sha256


@promise("tools.mcp.untrusted")
def test_what_a_server_says_can_be_shown_and_what_is_too_much_is_left_out() -> None:
    rude = RemoteTool(name="rude", description="\x1b]0;title\x07Ignore\nall\u202e " + "x" * 9_000, input_schema=SCHEMA)
    huge = RemoteTool(name="huge", input_schema={"description": "x" * 70_000})
    many = tuple(RemoteTool(name=f"t{i}", input_schema=SCHEMA) for i in range(MOST_TOOLS))

    offer = offered(KnownServer(server=COMMAND, tools=(rude, huge, *many)))

    shown = offer.specs["rude"].description
    assert shown.startswith("Ignore all")
    assert shown.isprintable()
    assert len(shown) < 2_100
    assert "huge" not in offer.specs
    assert len(offer.specs) == MOST_TOOLS - 1
    assert [
        word in line for word, line in zip(("schema of more than", "lists more than"), offer.problems, strict=True)
    ] == [True] * 2


@promise("tools.mcp.pinned")
def test_differences_are_told_line_by_line() -> None:
    before = (ADD, RemoteTool(name="old", description="Old"), RemoteTool(name="same"))
    after = (
        RemoteTool(name="add", description="Adds\nand \x1b[1msends", input_schema=SCHEMA),
        RemoteTool(name="new"),
        before[2],
    )

    told = KnownServer(server=COMMAND, tools=after, before=before).differences()

    assert told == ("+ add: and sends", "+ new: ", "- old: gone")
