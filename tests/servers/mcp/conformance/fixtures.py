"""The tools, resources and prompts that the conformance suite asks every server for; the product has none of them."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import anyio
from mcp import MCPError, types

from ourcli.common.errors import InvalidInputError, NotFoundError, ToolError
from ourcli.servers.mcp.call import Call
from ourcli.servers.mcp.offer import PromptAnswer, ToolAnswer
from ourcli.tools.data import JsonObject

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
_NOTHING: dict[str, Any] = {"type": "object", "properties": {}}
_SEALED = b"the key of one run of the suite"
_Answer = Callable[[Call], Awaitable[ToolAnswer]]


def text(words: str) -> types.TextContent:
    return types.TextContent(text=words)


def says(*content: types.ContentBlock) -> _Answer:
    async def answer(_call: Call) -> ToolAnswer:
        return types.CallToolResult(content=list(content))

    return answer


def embedded(uri: str, mime_type: str, words: str) -> types.EmbeddedResource:
    return types.EmbeddedResource(resource=types.TextResourceContents(uri=uri, mime_type=mime_type, text=words))


def question(message: str, name: str, kind: str = "string") -> types.ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def completion(words: str, most_tokens: int) -> types.CreateMessageRequest:
    message = types.SamplingMessage(role="user", content=text(words))
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[message], max_tokens=most_tokens)
    )


def sealed(state: str) -> str:
    return f"{state}.{hmac.new(_SEALED, state.encode(), hashlib.sha256).hexdigest()}"


def unsealed(given: object) -> str:
    state = str(given).rpartition(".")[0]
    if not hmac.compare_digest(str(given).encode(), sealed(state).encode()):
        raise MCPError(code=types.INVALID_PARAMS, message="the state was changed on its way")
    return state


def responses(call: Call) -> Mapping[str, Any]:
    given = (call.context.params or {}).get("inputResponses")
    return {key: one for key, one in given.items() if isinstance(one, dict)} if isinstance(given, dict) else {}


def state_of(call: Call) -> str | None:
    given = (call.context.params or {}).get("requestState")
    return None if given is None else unsealed(given)


def wants(requests: dict[str, Any], state: str | None = None) -> types.InputRequiredResult:
    return types.InputRequiredResult(input_requests=requests, request_state=sealed(state) if state else None)


def asks(requests: dict[str, Any], state: str | None = None, done: str = "thank you") -> _Answer:
    """Answer only when every request was answered, and the state came back as it was."""

    async def answer(call: Call) -> ToolAnswer:
        given = responses(call)
        back = state_of(call)
        if not requests.keys() <= given.keys() or (state is not None and back != state):
            return wants(requests, state)
        said = {key: given[key] for key in requests}
        return types.CallToolResult(content=[text(f"{done} {json.dumps(said)}")])

    return answer


async def greets(call: Call) -> ToolAnswer:
    content = responses(call).get("user_name", {}).get("content")
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str):
        return wants({"user_name": question("What is your name?", "name")})
    return types.CallToolResult(content=[text(f"Hello, {name}!")])


async def asks_twice(call: Call) -> ToolAnswer:
    state = state_of(call)
    if state == "two" and "step2" in responses(call):
        return types.CallToolResult(content=[text("done after two rounds")])
    if state == "one" and "step1" in responses(call):
        return wants({"step2": question("Step 2: What is your favorite color?", "color")}, "two")
    return wants({"step1": question("Step 1: What is your name?", "name")}, "one")


async def asks_what_the_client_can(call: Call) -> ToolAnswer:
    can = call.context.session.client_capabilities or types.ClientCapabilities()
    requests: dict[str, Any] = {}
    if can.sampling is not None:
        requests["greeting"] = completion("Generate a greeting", 50)
    if can.elicitation is not None:
        requests["user_name"] = question("What is your name?", "name")
    return wants(requests) if requests else types.CallToolResult(content=[text("this client can do neither")])


async def needs_sampling(call: Call) -> ToolAnswer:
    can = call.context.session.client_capabilities
    if can is None or can.sampling is None:
        data: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        code = types.MISSING_REQUIRED_CLIENT_CAPABILITY
        raise MCPError(code=code, message="the client cannot sample", data=data)
    return types.CallToolResult(content=[text("the client can sample")])


async def fails(_call: Call) -> ToolAnswer:
    raise ToolError("This tool intentionally returns an error for testing")


async def reports_progress(call: Call) -> ToolAnswer:
    for done in (0, 50, 100):
        await call.progress(done, 100, f"step {done}")
        await anyio.lowlevel.checkpoint()
    return types.CallToolResult(content=[text("finished")])


async def logs(call: Call) -> ToolAnswer:
    await call.log("info", "working")
    return types.CallToolResult(content=[text("finished")])


TOOLS: Mapping[str, _Answer] = {
    "test_simple_text": says(text("This is a simple text response for testing.")),
    "test_image_content": says(types.ImageContent(data=PNG, mime_type="image/png")),
    "test_audio_content": says(types.AudioContent(data=WAV, mime_type="audio/wav")),
    "test_embedded_resource": says(embedded("test://embedded-resource", "text/plain", "This is embedded.")),
    "test_multiple_content_types": says(
        text("Multiple content types test:"),
        types.ImageContent(data=PNG, mime_type="image/png"),
        embedded("test://mixed-content-resource", "application/json", '{"test": "data", "value": 123}'),
    ),
    "test_error_handling": fails,
    "test_tool_with_progress": reports_progress,
    "test_tool_with_logging": logs,
    "test_logging_tool": logs,
    "test_missing_capability": needs_sampling,
    "test_streaming_elicitation": greets,
    "test_input_required_result_elicitation": greets,
    "test_input_required_result_sampling": asks(
        {"capital_question": completion("What is the capital of France?", 100)}
    ),
    "test_input_required_result_list_roots": asks({"client_roots": types.ListRootsRequest()}),
    "test_input_required_result_request_state": asks(
        {"confirm": question("Please confirm", "ok", "boolean")}, "confirming", "state-ok"
    ),
    "test_input_required_result_tampered_state": asks(
        {"confirm": question("Please confirm", "ok", "boolean")}, "sealed"
    ),
    "test_input_required_result_multiple_inputs": asks(
        {
            "user_name": question("What is your name?", "name"),
            "greeting": completion("Generate a greeting", 50),
            "client_roots": types.ListRootsRequest(),
        },
        "three",
    ),
    "test_input_required_result_multi_round": asks_twice,
    "test_input_required_result_capabilities": asks_what_the_client_can,
}

PROMPTS: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, str]], list[types.ContentBlock]]]] = {
    "test_simple_prompt": ((), lambda _given: [text("This is a simple prompt for testing.")]),
    "test_prompt_with_arguments": (
        ("arg1", "arg2"),
        lambda given: [text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")],
    ),
    "test_prompt_with_embedded_resource": (
        ("resourceUri",),
        lambda given: [embedded(given["resourceUri"], "text/plain", "Embedded."), text("Please process it.")],
    ),
    "test_prompt_with_image": (
        (),
        lambda _given: [types.ImageContent(data=PNG, mime_type="image/png"), text("Please analyze the image above.")],
    ),
}
ASKING_PROMPT = "test_input_required_result_prompt"


class Fixtures:
    """An `Offer` of what the suite asks for."""

    async def tools(self) -> Sequence[types.Tool]:
        return [types.Tool(name=name, description="For the suite", input_schema=_NOTHING) for name in TOOLS]

    async def call(self, name: str, arguments: JsonObject, call: Call) -> ToolAnswer:
        if name not in TOOLS:
            raise NotFoundError(f"no tool {name!r}")
        return await TOOLS[name](call)

    async def resources(self) -> Sequence[types.Resource]:
        return [
            types.Resource(uri="test://static-text", name="text", mime_type="text/plain"),
            types.Resource(uri="test://static-binary", name="binary", mime_type="image/png"),
        ]

    async def templates(self) -> Sequence[types.ResourceTemplate]:
        return [types.ResourceTemplate(uri_template="test://template/{id}/data", name="template")]

    async def read(self, uri: str, call: Call) -> types.ReadResourceResult:
        before, _, name = uri.removesuffix("/data").rpartition("/")
        if uri == "test://static-binary":
            contents: list[Any] = [types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)]
        elif uri == "test://static-text":
            contents = [types.TextResourceContents(uri=uri, mime_type="text/plain", text="This is the content.")]
        elif before == "test://template":
            data = json.dumps({"id": name, "templateTest": True, "data": f"Data for ID: {name}"})
            contents = [types.TextResourceContents(uri=uri, mime_type="application/json", text=data)]
        else:
            raise NotFoundError(f"no resource {uri!r}")
        return types.ReadResourceResult(contents=contents)

    async def prompts(self) -> Sequence[types.Prompt]:
        listed = [
            types.Prompt(
                name=name,
                description="For the suite",
                arguments=[types.PromptArgument(name=one, required=True) for one in arguments],
            )
            for name, (arguments, _) in PROMPTS.items()
        ]
        return [*listed, types.Prompt(name=ASKING_PROMPT, description="Asks back")]

    async def prompt(self, name: str, arguments: Mapping[str, str], call: Call) -> PromptAnswer:
        if name == ASKING_PROMPT:
            if "user_context" not in responses(call):
                return wants({"user_context": question("What context should the prompt use?", "context")})
            content: list[types.ContentBlock] = [text("A prompt with its context.")]
        else:
            wanted, contents = PROMPTS[name]
            if not set(wanted) <= arguments.keys():
                raise InvalidInputError("an argument is missing")
            content = contents(arguments)
        return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=one) for one in content])

    async def complete(self, params: types.CompleteRequestParams) -> Sequence[str]:
        return [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
