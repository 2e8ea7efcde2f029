"""Have a language model answer to the end, where nobody waits for the first words."""

from ourcli.ai.ports import ChatRequest, Finished, LanguageModel, TextDelta


async def complete(model: LanguageModel, request: ChatRequest) -> tuple[str, Finished | None]:
    """Return the whole answer and how it ended.

    Raises:
        ModelError: The model failed, or the prompt does not fit its context.
    """
    pieces: list[str] = []
    finished: Finished | None = None
    async with model.chat(request) as stream:
        async for item in stream:
            if isinstance(item, TextDelta):
                pieces.append(item.text)
            else:
                finished = item
    return "".join(pieces), finished
