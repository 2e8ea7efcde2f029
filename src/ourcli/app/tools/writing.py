"""The language model as filling in a tool's arguments needs it."""

from collections.abc import Sequence
from typing import Protocol

from ourcli.ai.completing import complete
from ourcli.ai.ports import ChatMessage, ChatRequest, Finished, LanguageModel
from ourcli.tools.data import JsonObject


class Lends(Protocol):
    """Lends a language model; the reader of an answer is one."""

    async def model(self) -> LanguageModel:
        """Return the model, loaded."""
        ...

    def note(self, finished: Finished) -> None:
        """Learn from the speed that was measured."""
        ...


class ModelArguments:
    """Writes arguments with a language model, held to a schema by grammar.

    Args:
        reader: The model, loaded when it is first asked.
    """

    def __init__(self, reader: Lends) -> None:
        self._reader = reader

    async def write(self, turns: Sequence[str], schema: JsonObject, *, max_tokens: int) -> str:
        """Return the model's words after `turns`: the rules, then the user and the model in turn.

        Raises:
            ModelError: The model failed, or the schema is beyond its grammar.
        """
        model = await self._reader.model()
        messages = [ChatMessage(role="system", content=turns[0])]
        for at, text in enumerate(turns[1:]):
            messages.append(ChatMessage(role="assistant" if at % 2 else "user", content=text))
        request = ChatRequest(messages=tuple(messages), max_tokens=max_tokens, json_schema=schema)
        answer, finished = await complete(model, request)
        if finished is not None:
            self._reader.note(finished)
        return answer
