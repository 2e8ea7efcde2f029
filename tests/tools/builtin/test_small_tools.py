"""`calc`, `time.now`, `http.fetch` and the tools over memory."""

from pathlib import Path

import pytest

from ourcli.app.tools.builtin_source import BuiltinSource
from ourcli.common.errors import CapabilityDeniedError, ToolError, ToolInputError
from ourcli.tools.backends.builtin.calc import calculated
from ourcli.tools.backends.builtin.http_fetch import page_to_markdown
from ourcli.tools.fetching import Fetched
from ourcli.tools.schema import Schema, check_schema
from tests.promises import promise
from tests.support.builtin import a_workshop

pytestmark = pytest.mark.anyio


@promise("tools.builtin.calc")
@pytest.mark.parametrize(
    "expression",
    [
        *("2**10**10", "9**9**9**9", "1/0", "ln(0)", "sqrt(-1)", "0**0", "exp(10**9)", "(-8)**0.5", "1e99999*10"),
        *("__import__('os').system('true')", "(1).real", "open('/etc/passwd')", "[1,2]", "'a'*9", "lambda: 1", "x"),
        *("", "(" * 250, "1" * 501, "2 +", "True", "1 if 2 else 3", "max()", "sqrt(1, 2)", "round(1, 0.5)", "²"),
        *("factorial(10**6)", "factorial(1.5)", "1 << 9", "sum(*[1])", "round(x=1)", "a.b.c", "1j", "...", "f'{1}'"),
    ],
)
def test_what_has_no_value_or_is_no_arithmetic_is_refused_at_once(expression: str) -> None:
    with pytest.raises(ToolError):
        calculated(expression)


@promise("tools.builtin.calc")
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1 + 0.2", "0.3"),
        ("(3 + 4) * 2.5", "17.5"),
        ("2 ^ 10", "1024"),
        ("2 ** 100", "1267650600228229401496703205376"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("0.12345678901234567890123456789", "0.12345678901234567890123456789"),
        ("1_000_000 * 3", "3000000"),
        ("0x10 + 1", "17"),
        ("round(2.345, 2)", "2.35"),
        ("max(1, 2.5, -3)", "2.5"),
        ("factorial(20)", "2432902008176640000"),
        ("floor(-2.5) + ceil(2.1) + abs(-1)", "1"),
        ("sum(0.1, 0.2, 0.3)", "0.6"),
    ],
)
def test_arithmetic_is_exact(expression: str, value: str) -> None:
    assert calculated(expression) == (value, True)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 / 3", "0.3333333333333333333333333333"),
        ("sqrt(2)", "1.414213562373095048801688724"),
        ("2 * pi", "6.283185307179586476925286767"),
        ("ln(e)", "1"),
        ("sin(0)", "0"),
    ],
)
def test_what_was_rounded_is_marked(expression: str, value: str) -> None:
    assert calculated(expression) == (value, False)


@promise("tools.builtin.time")
async def test_the_time_is_told_in_any_zone_by_the_injected_clock(tmp_path: Path) -> None:
    told = await a_workshop(tmp_path).call("time.now", zone="Asia/Tokyo")
    here = await a_workshop(tmp_path).call("time.now")

    assert told == {
        "time": "2026-01-02T12:04:05+09:00",
        "utc": "2026-01-02T03:04:05+00:00",
        "zone": "Asia/Tokyo",
        "weekday": "Friday",
        "unix_s": 1767323045,
    }
    assert here["unix_s"] == told["unix_s"]


@pytest.mark.parametrize("zone", ["Europe", "../../etc/passwd", "/etc/localtime", "No/Where", "a\0b", "x" * 5000])
async def test_what_is_no_zone_is_refused(tmp_path: Path, zone: str) -> None:
    with pytest.raises(ToolInputError, match="IANA"):
        await a_workshop(tmp_path).call("time.now", zone=zone)


PAGE = """<html><head><title> A  page </title><style>b{}</style><script>steal()</script></head><body>
<h1>Head</h1><p>Some <b>bold</b> <a href="/x">link</a>.</p><script>more()</script><noscript>no</noscript>
<ul><li>one</li><li>two</li></ul><img src="data:image/png;base64,AAAA"><iframe src="x"></iframe></body></html>"""


def _fetched(text: str, kind: str) -> Fetched:
    return Fetched(url="https://example.org/end", status=200, content_type=kind, text=text)


@promise("tools.builtin.fetch-page")
async def test_a_page_becomes_markdown_without_scripts_and_styles(tmp_path: Path) -> None:
    pages = {"https://example.org/": _fetched(PAGE, "text/html")}

    got = await a_workshop(tmp_path, "net=example.org", pages=pages).call("http.fetch", url="https://example.org/")

    assert got == {
        "url": "https://example.org/end",
        "status": 200,
        "title": "A page",
        "content_type": "text/html",
        "content": "# Head\n\nSome **bold** [link](/x).\n\n* one\n* two",
        "truncated": False,
    }


@promise("tools.builtin.fetch-page")
@pytest.mark.parametrize(("text", "kind"), [('{"a": "<b>"}', "application/json"), ("<b>plain</b>\n", "text/plain")])
async def test_json_and_text_are_given_as_they_are_up_to_the_limit(tmp_path: Path, text: str, kind: str) -> None:
    pages = {"https://example.org/": _fetched(text, kind), "https://example.org/long": _fetched("x" * 500, kind)}
    workshop = a_workshop(tmp_path, "net=example.org", pages=pages)

    whole = await workshop.call("http.fetch", url="https://example.org/")
    cut = await workshop.call("http.fetch", url="https://example.org/long", limit=100)

    assert (whole["content"], whole["truncated"]) == (text, False)
    assert (cut["content"], cut["truncated"]) == ("x" * 100, True)


async def test_a_host_that_nobody_granted_is_not_asked(tmp_path: Path) -> None:
    pages = {"https://example.org/": _fetched("x", "text/plain")}

    with pytest.raises(CapabilityDeniedError) as caught:
        await a_workshop(tmp_path, "net=example.com", pages=pages).call("http.fetch", url="https://example.org/")

    assert caught.value.capability == "net=example.org:443"


def test_a_page_that_is_nested_beyond_reason_still_gives_its_words() -> None:
    title, text = page_to_markdown("<div>" * 5_000 + "deep words")

    assert (title, text) == ("", "deep words")


@promise("tools.builtin.memory")
@pytest.mark.parametrize(("tool", "right"), [("memory.search", "memory:read"), ("memory.remember", "memory:write")])
async def test_memory_is_closed_without_the_right(tmp_path: Path, tool: str, right: str) -> None:
    workshop = a_workshop(tmp_path, "memory:write" if right == "memory:read" else "memory:read")

    with pytest.raises(CapabilityDeniedError) as caught:
        await workshop.call(tool, query="x", text="x")

    assert caught.value.capability == right
    assert (workshop.memory.asked, workshop.memory.kept) == ([], [])


@promise("tools.builtin.memory")
async def test_memory_is_searched_and_filled_for_the_callers_project(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path, "memory:read", "memory:write")
    workshop.memory.found = [{"id": "1", "text": "we chose SQLite"}]

    found = await workshop.call("memory.search", query="database", limit=3)
    kept = await workshop.call("memory.remember", text=" moved to Frankfurt ", tags=["servers"])

    assert (found, workshop.memory.asked) == ({"records": workshop.memory.found}, [("database", "p", 3)])
    assert workshop.memory.kept == [("moved to Frankfurt", "p", "s", ("servers",))]
    assert kept["id"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 20_001])
async def test_nothing_and_far_too_much_are_not_remembered(tmp_path: Path, text: str) -> None:
    with pytest.raises(ToolInputError):
        await a_workshop(tmp_path, "memory:write").call("memory.remember", text=text)


async def test_every_tool_says_what_it_takes_and_gives_with_examples_that_fit(tmp_path: Path) -> None:
    workshop = a_workshop(tmp_path, "exec", shell=True)
    specs = [tool.spec() for tool in (await workshop.runner()).registry]

    assert len(specs) == 12
    for spec in specs:
        check_schema(spec.input_schema)
        check_schema(spec.output_schema or {})
        assert spec.examples, spec.name
        assert not any(Schema(spec.input_schema).faults(one.input) for one in spec.examples)
    assert await BuiltinSource.problems(None) == ()  # type: ignore[arg-type]  # it asks nothing
