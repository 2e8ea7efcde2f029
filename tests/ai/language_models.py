"""What the tests of language models share: short requests and whole answers."""

from collections.abc import Mapping

from ourcli.ai.ports import ChatMessage, ChatRequest, Finished, LanguageModel, TextDelta


def ask(
    text: str,
    *,
    system: str = "Answer briefly.",
    max_tokens: int = 24,
    temperature: float = 0.0,
    seed: int = 0,
    stop: tuple[str, ...] = (),
    json_schema: Mapping[str, object] | None = None,
) -> ChatRequest:
    """Return a request of one question under one rule."""
    messages = (ChatMessage(role="system", content=system), ChatMessage(role="user", content=text))
    return ChatRequest(
        messages=messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop, json_schema=json_schema
    )


async def answer(model: LanguageModel, request: ChatRequest) -> tuple[str, Finished]:
    """Return the whole text of an answer and how it ended."""
    async with model.chat(request) as stream:
        pieces = [piece async for piece in stream]
    end = pieces.pop()
    assert isinstance(end, Finished)
    assert all(isinstance(piece, TextDelta) for piece in pieces)
    return "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)), end
